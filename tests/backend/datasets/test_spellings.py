"""Each kind of record in all the spellings that people's files have."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.backend.datasets.test_formats import ASSISTANT, CHAT, USER, run

SYSTEM = {"role": "system", "content": "Be kind"}
GO = {"role": "assistant", "content": "Go"}
KEPT = {"kept": 1, "repaired": 0, "truncated": 0, "dropped": 0}
REPAIRED = {"kept": 0, "repaired": 1, "truncated": 0, "dropped": 0}
PAIR = {"messages": [USER], "chosen": [ASSISTANT], "rejected": [GO]}
TOLD_PAIR = {**PAIR, "messages": [SYSTEM, USER]}
ASKED = "The sky"
LOOKUP = {"name": "look", "arguments": {"q": 1}}


def call(**more: Any) -> dict[str, Any]:
    function = {"type": "function", "function": LOOKUP}
    return {"role": "assistant", "content": "", "tool_calls": [{**more, **function}]}


def kept(tmp_path: Path, row: Any, name: str, record: Any, counts: Any = KEPT) -> dict[str, Any]:
    summary, records = run(tmp_path, [row, row])
    assert (summary["status"], summary["format"]) == ("ready", name), summary
    assert summary["counts"] == {key: 2 * count for key, count in counts.items()}
    assert records == [record, record]
    return summary


@pytest.mark.parametrize(
    ("row", "name", "question"),
    [
        ({"instruction": "Say", "input": "Hi", "response": "Hello"}, "alpaca", "Say\nHi"),
        ({"instruction": "Hi", "response": "Hello"}, "alpaca", "Hi"),
        ({"INSTRUCTION": "Hi", "RESPONSE": "Hello", "SOURCE": "x"}, "oasst", "Hi"),
        ({"article": "Hi", "summary": "Hello"}, "summary", "Hi"),
        ({"context": "It rains.", "question": "Hi", "answer": "Hello"}, "context_qa",
         "It rains.\nHi"),
        ({"article": "It rains.", "question": "Hi", "answer": "Hello"}, "context_qa",
         "It rains.\nHi"),
        ({"prompt": "Hi", "generation": "Hello"}, "metharme", "Hi"),
        ({"question": "Hi", "category": "greetings", "answer": "Hello"}, "query_response", "Hi"),
        *(({name: "Hi", "response": "Hello"}, "query_response", "Hi")
          for name in ("query", "prompt", "input", "question", "problem")),
        *(({"query": "Hi", name: "Hello"}, "query_response", "Hi")
          for name in ("response", "answer", "output", "targets", "target", "answer_key",
                       "answers", "solution", "text", "completion", "content")),
    ],
)  # fmt: skip
def test_questions_and_answers(tmp_path: Path, row: Any, name: str, question: str) -> None:
    record = {"messages": [{"role": "user", "content": question}, ASSISTANT]}
    assert kept(tmp_path, row, name, record)["record_type"] == "prompt_completion"


@pytest.mark.parametrize(
    "row",
    [
        {"system_prompt": "Be kind", "question": "Hi", "response": "Hello"},
        {"system": "Be kind", "prompt": "Hi", "completion": "Hello"},
        {"system": "Be kind", "prompt": [USER], "completion": [ASSISTANT]},
        {"prompt": [SYSTEM, USER], "completion": [ASSISTANT]},
        {"prompt": orjson.dumps([SYSTEM, USER]).decode(), "completion": "Hello"},
        {"system": "Be kind", "query": "Hi", "response": "Hello"},
    ],
)
def test_a_system_message_beside_the_question(tmp_path: Path, row: Any) -> None:
    summary, records = run(tmp_path, [row])
    assert summary["counts"] == KEPT
    assert records == [{"messages": [SYSTEM, *CHAT]}]


def test_earlier_turns_come_first(tmp_path: Path) -> None:
    row = {"query": "Hi", "response": "Hello", "history": [["Hi", "Hello"]]}
    kept(tmp_path, row, "query_response", {"messages": [*CHAT, *CHAT]})


@pytest.mark.parametrize(
    ("turns", "told"),
    [
        ([{"from": user, "value": "Hi"}, {"from": answer, "value": "Hello"}], CHAT)
        for user in ("human", "user", "prompter", "Human")
        for answer in ("gpt", "assistant", "model", "bot", "chatgpt")
    ]
    + [
        (
            [
                {"from": "human", "value": "Hi"},
                {"from": said, "value": orjson.dumps(LOOKUP).decode()},
                {"from": tool, "value": "42"},
                {"from": "gpt", "value": "Hello"},
            ],
            [USER, call(), {"role": "tool", "content": "42"}, ASSISTANT],
        )
        for said in ("function_call", "tool_call")
        for tool in ("observation", "tool", "ipython", "function_response")
    ],
)
def test_names_of_roles(tmp_path: Path, turns: Any, told: Any) -> None:
    kept(tmp_path, {"conversations": turns}, "sharegpt", {"messages": told})


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"conversation": [{"human": "Hi", "assistant": "Hello"}], "system": "Be kind"},
         "sharegpt"),
        ({"conversations": [SYSTEM, *CHAT]}, "sharegpt"),
        ({"conversations": orjson.dumps([SYSTEM, *CHAT]).decode()}, "sharegpt"),
        ({"messages": [{"from": "system", "value": "Be kind"}, *CHAT]}, "openai_messages"),
        ({"messages": CHAT, "system": "Be kind"}, "openai_messages"),
        ({"messages": CHAT, "system": [{"type": "text", "text": "Be kind"}]}, "openai_messages"),
        ({"messages": [{"role": "developer", "content": "Be kind"}, *CHAT]}, "openai_messages"),
    ],
)  # fmt: skip
def test_conversations(tmp_path: Path, row: Any, name: str) -> None:
    summary = kept(tmp_path, row, name, {"messages": [SYSTEM, *CHAT]})
    assert summary["record_type"] == "conversational"


def test_a_question_that_is_still_open_goes(tmp_path: Path) -> None:
    row = {"conversation": [{"human": "Hi", "assistant": "Hello"}, {"human": "And?"}]}
    summary = kept(tmp_path, row, "sharegpt", {"messages": CHAT}, REPAIRED)
    assert summary["rules"] == {"unanswered_turns_removed": 2}


OPENAI_CALL = {"id": "c1", "type": "function"}


@pytest.mark.parametrize(
    "spelling",
    [
        {"tool_calls": [{**OPENAI_CALL, "function": LOOKUP}]},
        {"tool_calls": [{"id": "c1", **LOOKUP}]},
        {"tool_calls": orjson.dumps([{**OPENAI_CALL, "function": LOOKUP}]).decode()},
        {"content": [{"type": "tool_use", "id": "c1", "name": "look", "input": {"q": 1}}]},
    ],
)
@pytest.mark.parametrize("result", ["tool", "tool_result"])
def test_calls_of_tools(tmp_path: Path, spelling: Any, result: str) -> None:
    tool = {"role": "tool", "tool_call_id": "c1", "content": "42"}
    if result == "tool_result":
        block = [{"type": "text", "text": "42"}]
        part = {"type": "tool_result", "tool_use_id": "c1", "content": block}
        tool = {"role": "user", "content": [part]}
    row = {"messages": [USER, {"role": "assistant", "content": None, **spelling}, tool, ASSISTANT]}
    told = [USER, call(id="c1"), {"role": "tool", "content": "42", "tool_call_id": "c1"}, ASSISTANT]
    kept(tmp_path, row, "openai_messages", {"messages": told})


def test_arguments_as_text_stay_text(tmp_path: Path) -> None:
    """The engine gives a template what it wants."""
    calls = [{**OPENAI_CALL, "function": {"name": "look", "arguments": '{"q": 1}'}}]
    turns = [USER, {"role": "assistant", "content": "", "tool_calls": calls}]
    kept(tmp_path, {"messages": turns}, "openai_messages", {"messages": turns})


def test_older_functions_are_tools(tmp_path: Path) -> None:
    turn = {"role": "assistant", "content": None, "function_call": LOOKUP}
    answer = {"role": "function", "name": "look", "content": "42"}
    row = {"messages": [USER, turn, answer, ASSISTANT], "functions": [{"name": "look"}]}
    told = [USER, call(), {"role": "tool", "name": "look", "content": "42"}, ASSISTANT]
    tools = [{"type": "function", "function": {"name": "look"}}]
    kept(tmp_path, row, "openai_messages", {"messages": told, "tools": tools})


def test_descriptions_of_anthropic_are_written_as_templates_know_them(tmp_path: Path) -> None:
    tool = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}
    function = {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}
    tools = [{"type": "function", "function": function}]
    row = {"messages": CHAT, "tools": [tool]}
    kept(tmp_path, row, "openai_messages", {"messages": CHAT, "tools": tools})


@pytest.mark.parametrize(
    "extra",
    [
        {"parallel_tool_calls": False},
        {"channel": "final", "chat_template_kwargs": {"enable_thinking": False}},
        {"margin": 0.5},
    ],
)
def test_attributes_of_the_row_stay_beside_it(tmp_path: Path, extra: Any) -> None:
    from tests.backend.datasets.stored import records_of

    kept(tmp_path, {"messages": CHAT, **extra}, "openai_messages", {"messages": CHAT})
    assert records_of(tmp_path / "out")[0]["meta"]["extra"] == extra


@pytest.mark.parametrize(
    ("turn", "told", "field"),
    [
        ({**ASSISTANT, "thinking": "Hm"}, ASSISTANT, "thinking"),
        ({**ASSISTANT, "reasoning_content": "Hm"}, ASSISTANT, "reasoning_content"),
        ({**ASSISTANT, "train_detail": [{"begin_offset": 0, "end_offset": 1, "train": False}]},
         ASSISTANT, "train_detail"),
        ({**ASSISTANT, "name": 5}, ASSISTANT, "name"),
        ({**ASSISTANT, "score": 0}, ASSISTANT, "score"),
        ({"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm"},
                                           {"type": "text", "text": "Hello"}]},
         ASSISTANT, "content.thinking"),
        ({"role": "assistant", "content": [{"type": "text", "text": "Hel", "train": True},
                                           {"type": "text", "text": "lo", "train": False}]},
         ASSISTANT, "content.train"),
        ({"role": "assistant", "content": [{"type": "text", "text": "Hello", "style": "b"}]},
         ASSISTANT, "content.style"),
    ],
)  # fmt: skip
def test_what_a_turn_can_not_carry_is_told(
    tmp_path: Path, turn: Any, told: Any, field: str
) -> None:
    summary = kept(
        tmp_path, {"messages": [USER, turn]}, "openai_messages", {"messages": [USER, told]},
        REPAIRED,
    )  # fmt: skip
    assert summary["rules"] == {"ignored_field": 2}
    item = orjson.loads((tmp_path / "out/report.jsonl").read_bytes().splitlines()[0])
    assert item["field"] == f"messages[1].{field}"


@pytest.mark.parametrize(
    "turn",
    [
        {**ASSISTANT, "loss_scale": 0.0},
        {"role": "assistant", "content": [{"type": "text", "text": "Hello", "train": False}]},
    ],
)
def test_a_turn_that_is_not_learnt(tmp_path: Path, turn: Any) -> None:
    told = [USER, {**ASSISTANT, "train": False}, *CHAT]
    kept(tmp_path, {"messages": [USER, turn, *CHAT]}, "openai_messages", {"messages": told})


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"instruction": "Hi", "input": "", "chosen": "Hello", "rejected": "Go"}, "preference"),
        ({"system": "Be kind", "question": "Hi", "chosen": "Hello", "rejected": "Go"},
         "preference"),
        ({"input": "Hi", "chosen": "Hello", "rejected": "Go"}, "preference"),
        ({"instruction": "Hi", "chosen_response": "Hello", "rejected_response": "Go"},
         "preference"),
        ({"prompt": [USER], "chosen": [ASSISTANT], "rejected": [GO]}, "preference"),
        ({"prompt": "Hi", "chosen": [*CHAT], "rejected": [USER, GO]}, "preference"),
        ({"prompt": "Hi", "messages": CHAT, "chosen": CHAT, "rejected": [USER, GO]},
         "preference"),
        ({"messages": [USER], "chosen": ASSISTANT, "rejected": GO}, "preference"),
        ({"prompt": "Hi", "text": "Hello", "rejected_text": "Go"}, "preference"),
        ({"query": "Hi", "response": "Hello", "rejected_response": "Go"}, "preference"),
        ({"chosen": "\n\nHuman: Hi\n\nAssistant: Hello", "rejected":
          "\n\nHuman: Hi\n\nAssistant: Go"}, "preference"),
        ({"conversations": [{"from": "human", "value": "Hi"}],
          "chosen": [{"from": "gpt", "value": "Hello"}],
          "rejected": [{"from": "gpt", "value": "Go"}]}, "preference"),
        ({"input": {"messages": [USER]}, "preferred_completion": [ASSISTANT],
          "non_preferred_completion": [GO]}, "openai_preference"),
        ({"messages": CHAT, "rejected_response": ["Go"], "margin": 0.3}, "messages_rejected"),
        ({"messages": CHAT, "rejected_response": "Go"}, "messages_rejected"),
        ({"messages": CHAT, "rejected_messages": [USER, GO]}, "messages_rejected"),
        ({"prompt": "Hi", "answers": [{"answer": "Go", "rank": 2}, {"answer": "Hello", "rank": 1}]},
         "ranked_answers"),
        ({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "completions": [
            {"score": 0.0, "completion": {"role": "model", "parts": [{"text": "Go"}]}},
            {"score": 1.0, "completion": {"role": "model", "parts": [{"text": "Hello"}]}}]},
         "vertex_preference"),
    ],
)  # fmt: skip
def test_a_better_and_a_worse_answer(tmp_path: Path, row: Any, name: str) -> None:
    record = TOLD_PAIR if "system" in row else PAIR
    assert kept(tmp_path, row, name, record)["record_type"] == "preference"


def test_the_beginning_of_two_texts_is_their_prompt(tmp_path: Path) -> None:
    row = {"chosen": f"{ASKED} is blue", "rejected": f"{ASKED} is black"}
    record = {
        "messages": [{"role": "user", "content": f"{ASKED} is"}],
        "chosen": [{"role": "assistant", "content": "blue"}],
        "rejected": [{"role": "assistant", "content": "black"}],
    }
    assert kept(tmp_path, row, "preference", record, REPAIRED)["rules"] == {"prompt_split_off": 2}


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Hi", "answers": [{"answer": each, "rank": n} for n, each in
                                     enumerate(["Hello", "Hm", "Go"])]},
        {"messages": CHAT, "rejected_response": ["Go", "Hm"]},
    ],
)  # fmt: skip
def test_more_answers_than_two_are_told(tmp_path: Path, row: Any) -> None:
    summary, records = run(tmp_path, [row])
    assert (summary["rules"], records) == ({"more_answers": 1}, [PAIR])


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"prompt": "Hi", "chosen": "Go", "rejected": "Go"}, "same_answers"),
        ({"chosen": "Hello", "rejected": "Go"}, "missing_prompt"),
        ({"prompt": "", "chosen": "I like a", "rejected": "I like b"}, "missing_prompt"),
        ({"prompt": "Hi", "chosen": {"role": "assistant", "content": ""}, "rejected": "Go"},
         "missing_answer"),
        ({"prompt": "Hi", "chosen": "Hello", "rejected": None}, "missing_answer"),
        ({"prompt": "Hi", "chosen": [USER], "rejected": "Go"}, "missing_answer"),
    ],
)  # fmt: skip
def test_what_is_no_pair_is_dropped(tmp_path: Path, row: Any, rule: str) -> None:
    good = {"prompt": "Hi", "chosen": "Hello", "rejected": "Go"}
    summary, records = run(tmp_path, [*[good] * 9, row])
    assert (summary["rules"], len(records)) == ({rule: 1}, 9)


@pytest.mark.parametrize(
    ("label", "good"),
    [
        *((each, True) for each in (True, 1, "1", 1.0, "true", "True", "good", "Thumbs up", "👍",
                                    "👍🏽", "thumbs-up", "desirable", "yes")),
        *((each, False) for each in (False, 0, "0", "FALSE", "bad", "thumbs_down", "👎", "no")),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Hi", "completion": "Hello"},
        {"prompt": [USER], "completion": [ASSISTANT]},
        {"messages": CHAT},
    ],
)
def test_spellings_of_good_and_bad(tmp_path: Path, row: Any, label: Any, good: bool) -> None:
    record = {"messages": CHAT, "label": good}
    kept(tmp_path, {**row, "label": label}, "unpaired_preference", record)


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]},
        {"messages": CHAT},
        {"instruction": "Hi", "input": "", "output": "Hello"},
        {"prompt": "Hi", "completion": "Hello"},
        {"question": "Hi", "answer": "Hello"},
    ],
)
def test_kto_tag(tmp_path: Path, row: Any) -> None:
    record = {"messages": CHAT, "label": False}
    kept(tmp_path, {**row, "kto_tag": False}, "unpaired_preference", record)


@pytest.mark.parametrize("labels", [[True, False], [1, 0], ["good", "bad"], "[true, false]"])
@pytest.mark.parametrize("prompt", ["Hi", [USER]])
def test_steps(tmp_path: Path, labels: Any, prompt: Any) -> None:
    row = {"prompt": prompt, "completions": ["a", "b"], "labels": labels}
    steps = [{"role": "assistant", "content": step} for step in "ab"]
    kept(tmp_path, row, "stepwise_supervision", {"messages": [USER, *steps], "label": [1.0, 0.0]})


@pytest.mark.parametrize(
    ("row", "name", "label"),
    [
        *(({"text": "Hi", "label": label}, "classification", label)
          for label in ("good", 3, 0.5, ["a", "b"], [0.5, 1.5])),
        *(({"messages": [USER], "label": label}, "messages_label", label)
          for label in ("sport", 3, 0, 0.5, [1.0, 4.0], ["a"])),
        ({"text": "Hi", "rude": 1, "kind": 0, "odd": 1, "id": "7"}, "label_columns",
         ["rude", "odd"]),
        ({"text": "Hi", "rude": "0", "kind": "0"}, "label_columns", []),
    ],
)  # fmt: skip
def test_labels(tmp_path: Path, row: Any, name: str, label: Any) -> None:
    summary = kept(tmp_path, row, name, {"text": "Hi", "label": label})
    assert summary["record_type"] == "classification"


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"text": "Once"}, "text"),
        ({"messages": [{"role": "assistant", "content": "Once"}]}, "assistant_text"),
    ],
)
def test_plain_text(tmp_path: Path, row: Any, name: str) -> None:
    assert kept(tmp_path, row, name, {"text": "Once"})["record_type"] == "language_modeling"


def test_segments(tmp_path: Path) -> None:
    row = {
        "segments": [
            {"label": False, "text": "<s>H"},
            {"label": False, "text": "i"},
            {"label": True, "text": "Hello</s>"},
        ]
    }
    summary = kept(tmp_path, row, "segments", {"messages": CHAT}, REPAIRED)
    assert summary["rules"] == {"marks_removed": 2}


def test_segments_with_a_template_of_their_own_are_refused(tmp_path: Path) -> None:
    good = {"segments": [{"label": False, "text": "Hi"}, {"label": True, "text": "Hello"}]}
    bad = {"segments": [{"label": False, "text": "<|im_start|>user"}, good["segments"][1]]}
    summary, records = run(tmp_path, [*[good] * 9, bad])
    assert summary["rules"] == {"template_in_text": 1}
    assert records == [{"messages": CHAT}] * 9


@pytest.mark.parametrize(
    "media",
    [
        {"images": ["a.png"]},
        {"videos": ["a.mp4"]},
        {"audios": ["a.wav"]},
        {"image": "a.png", "note": "<image>"},
        {"objects": {"ref": [], "bbox": [[1, 2, 3, 4]]}, "note": "<image>"},
    ],
)
@pytest.mark.parametrize(
    "row",
    [
        {"messages": CHAT},
        {"conversations": CHAT},
        {"prompt": "Hi", "completion": "Hello"},
        {"instruction": "Hi", "output": "Hello"},
        {"question": "Hi", "answer": "Hello"},
        {"prompt": "Hi", "chosen": "Hello", "rejected": "Go"},
        {"prompt": "Hi", "completion": "Hello", "label": True},
        {"text": "Hi", "label": "a"},
        {"text": "Hi"},
    ],
)
def test_media_are_refused_by_name(tmp_path: Path, row: Any, media: Any) -> None:
    summary, records = run(tmp_path, [*[row] * 9, {**row, **media}])
    assert summary["rules"] == {"media_not_supported": 1}
    assert len(records) == 9
    item = orjson.loads((tmp_path / "out/report.jsonl").read_bytes())
    assert item["field"] == next(iter(media))


def test_a_column_with_the_address_of_a_picture_is_no_medium(tmp_path: Path) -> None:
    kept(tmp_path, {"messages": CHAT, "image": "a.png"}, "openai_messages", {"messages": CHAT})
