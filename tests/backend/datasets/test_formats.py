"""Every format family, as people have it, becomes the canonical record."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from backend.datasets.importing.run import import_file
from tests.backend.datasets.stored import records_of
from training_engine.contract.records import Record

USER = {"role": "user", "content": "Hi"}
ASSISTANT = {"role": "assistant", "content": "Hello"}
CHAT = [USER, ASSISTANT]
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"type": "function", "function": {"name": "now", "arguments": {"zone": "UTC"}}}],
}


def run(tmp_path: Path, rows: list[Any], **options: Any) -> tuple[dict[str, Any], list[Any]]:
    """Import JSON lines; returns the summary and the records without `meta`."""
    upload, folder = tmp_path / "upload", tmp_path / "out"
    upload.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    folder.mkdir()
    summary = import_file(upload, "rows.jsonl", folder, **options)
    if summary["num_rows"] is None:
        return summary, []
    records = records_of(folder)
    for record in records:
        Record.model_validate(record)
        record.pop("meta")
    return summary, records


@pytest.mark.parametrize(
    ("row", "name", "record_type", "record"),
    [
        ({"messages": CHAT}, "openai_messages", "conversational", {"messages": CHAT}),
        (
            {"messages": [{"role": "developer", "content": "Be kind"}, *CHAT], "tools": []},
            "openai_messages",
            "conversational",
            {"messages": [{"role": "system", "content": "Be kind"}, *CHAT]},
        ),
        (
            {"messages": [USER, {**ASSISTANT, "weight": 0}, USER, ASSISTANT]},
            "openai_messages",
            "conversational",
            {"messages": [USER, {**ASSISTANT, "train": False}, USER, ASSISTANT]},
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
                    ASSISTANT,
                ]
            },
            "openai_messages",
            "conversational",
            {"messages": CHAT},
        ),
        (
            {
                "conversations": [
                    {"from": "human", "value": "Hi"},
                    {"from": "gpt", "value": "Hello"},
                ],
                "system": "Be kind",
            },
            "sharegpt",
            "conversational",
            {"messages": [{"role": "system", "content": "Be kind"}, *CHAT]},
        ),
        ({"conversations": CHAT}, "sharegpt", "conversational", {"messages": CHAT}),
        (
            {"conversation": [{"human": "Hi", "assistant": "Hello"}]},
            "sharegpt",
            "conversational",
            {"messages": CHAT},
        ),
        (
            {
                "conversations": [
                    {"from": "human", "value": "Hi"},
                    {
                        "from": "function_call",
                        "value": '{"name": "now", "arguments": {"zone": "UTC"}}',
                    },
                    {"from": "observation", "value": "12:00"},
                    {"from": "gpt", "value": "Hello"},
                ],
                "tools": '[{"name": "now"}]',
            },
            "sharegpt",
            "conversational",
            {
                "messages": [USER, CALL, {"role": "tool", "content": "12:00"}, ASSISTANT],
                "tools": [{"name": "now"}],
            },
        ),
        (
            {"instruction": "Say", "input": "Hi", "output": "Hello"},
            "alpaca",
            "prompt_completion",
            {"messages": [{"role": "user", "content": "Say\nHi"}, ASSISTANT]},
        ),
        (
            {
                "instruction": "Hi",
                "input": "",
                "output": "Hello",
                "system": "Be kind",
                "history": [["Hi", "Hello"]],
            },
            "alpaca",
            "prompt_completion",
            {"messages": [{"role": "system", "content": "Be kind"}, *CHAT, *CHAT]},
        ),
        (
            {"prompt": "Hi", "completion": "Hello"},
            "prompt_completion",
            "prompt_completion",
            {"messages": CHAT},
        ),
        (
            {"prompt": [USER], "completion": [ASSISTANT]},
            "prompt_completion",
            "prompt_completion",
            {"messages": CHAT},
        ),
        (
            {"question": "Hi", "answer": "Hello", "id": 7},
            "query_response",
            "prompt_completion",
            {"messages": CHAT},
        ),
        (
            {"query": "Hi", "response": "Hello", "system_prompt": "Be kind"},
            "query_response",
            "prompt_completion",
            {"messages": [{"role": "system", "content": "Be kind"}, *CHAT]},
        ),
        ({"text": "Once"}, "text", "language_modeling", {"text": "Once"}),
        (
            {"text": "Once", "label": "story"},
            "classification",
            "classification",
            {"text": "Once", "label": "story"},
        ),
        (
            {"prompt": "Hi", "chosen": "Hello", "rejected": "Go"},
            "preference",
            "preference",
            {
                "messages": [USER],
                "chosen": [ASSISTANT],
                "rejected": [{"role": "assistant", "content": "Go"}],
            },
        ),
        (
            {"chosen": CHAT, "rejected": [USER, {"role": "assistant", "content": "Go"}]},
            "preference",
            "preference",
            {
                "messages": [USER],
                "chosen": [ASSISTANT],
                "rejected": [{"role": "assistant", "content": "Go"}],
            },
        ),
        (
            {
                "conversations": [{"from": "human", "value": "Hi"}],
                "chosen": {"from": "gpt", "value": "Hello"},
                "rejected": {"from": "gpt", "value": "Go"},
            },
            "preference",
            "preference",
            {
                "messages": [USER],
                "chosen": [ASSISTANT],
                "rejected": [{"role": "assistant", "content": "Go"}],
            },
        ),
        (
            {
                "input": {"messages": [USER]},
                "preferred_output": [ASSISTANT],
                "non_preferred_output": [{"role": "assistant", "content": "Go"}],
            },
            "openai_preference",
            "preference",
            {
                "messages": [USER],
                "chosen": [ASSISTANT],
                "rejected": [{"role": "assistant", "content": "Go"}],
            },
        ),
        (
            {"messages": CHAT, "rejected_response": "Go"},
            "messages_rejected",
            "preference",
            {
                "messages": [USER],
                "chosen": [ASSISTANT],
                "rejected": [{"role": "assistant", "content": "Go"}],
            },
        ),
        (
            {"prompt": "Hi", "completion": "Hello", "label": "good"},
            "unpaired_preference",
            "unpaired_preference",
            {"messages": CHAT, "label": True},
        ),
        (
            {"conversations": CHAT, "kto_tag": False},
            "unpaired_preference",
            "unpaired_preference",
            {"messages": CHAT, "label": False},
        ),
        (
            {"prompt": "Hi", "completions": ["a", "b"], "labels": [True, False]},
            "stepwise_supervision",
            "stepwise_supervision",
            {
                "messages": [
                    USER,
                    {"role": "assistant", "content": "a"},
                    {"role": "assistant", "content": "b"},
                ],
                "label": [1.0, 0.0],
            },
        ),
    ],
)
def test_family(
    tmp_path: Path, row: dict[str, Any], name: str, record_type: str, record: dict[str, Any]
) -> None:
    summary, records = run(tmp_path, [row])
    assert summary["error"] is None
    assert (summary["format"], summary["record_type"]) == (name, record_type)
    assert summary["counts"] == {"kept": 1, "repaired": 0, "truncated": 0, "dropped": 0}
    assert records == [record]


@pytest.mark.parametrize(
    ("turns", "rule", "kept"),
    [
        ([USER, USER, ASSISTANT], "turns_merged", [{**USER, "content": "Hi\nHi"}, ASSISTANT]),
        ([*CHAT, USER], "unanswered_turns_removed", CHAT),
        ([{"role": "system", "content": " "}, *CHAT], "empty_system_removed", CHAT),
        (
            [USER, {"role": "assistant", "content": 42}],
            "number_as_text",
            [USER, {**ASSISTANT, "content": "42"}],
        ),
        ([USER, {**ASSISTANT, "mood": "warm"}], "ignored_field", CHAT),
        (
            [USER, {**ASSISTANT, "weight": 0.3}],
            "weight_as_switch",
            [USER, {**ASSISTANT, "train": True}],
        ),
        ([{**USER, "train": True}, ASSISTANT], "ignored_field", CHAT),
        ([USER, {**ASSISTANT, "train": "no"}], "ignored_field", CHAT),
        (
            [USER, {**ASSISTANT, "train": False, "weight": 1}],
            "ignored_field",
            [USER, {**ASSISTANT, "train": False}],
        ),
    ],
)
def test_repair_is_named_and_counted(
    tmp_path: Path, turns: list[Any], rule: str, kept: list[Any]
) -> None:
    summary, records = run(tmp_path, [{"messages": turns}])
    assert records == [{"messages": kept}]
    assert summary["rules"] == {rule: 1}
    assert summary["counts"]["repaired"] == 1
    assert summary["status"] == "ready"


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"messages": [USER]}, "missing_answer"),
        ({"messages": [USER, {"role": "assistant", "content": " "}]}, "missing_answer"),
        ({"messages": [USER, {"role": "assistant", "content": None}]}, "missing_answer"),
        ({"messages": [{**USER, "content": ""}, ASSISTANT]}, "missing_prompt"),
        ({"messages": [ASSISTANT]}, "missing_prompt"),
        ({"messages": []}, "missing_answer"),
        ({"messages": "Hi"}, "wrong_type"),
        ({"messages": ["Hi"]}, "wrong_type"),
        ({"messages": [USER, {"role": "wizard", "content": "x"}]}, "unknown_role"),
        ({"messages": [{"content": "x"}]}, "unknown_role"),
        ({"messages": [{**USER, "content": {"a": 1}}, ASSISTANT]}, "wrong_type"),
        ({"messages": [{**USER, "content": [{"type": "image_url"}]}]}, "media_not_supported"),
        ({"messages": CHAT, "images": ["a.png"]}, "media_not_supported"),
        ({"messages": CHAT, "tools": "{"}, "bad_tools"),
        ({"messages": [USER, {"role": "function_call", "content": "x"}]}, "bad_tool_call"),
        ({"other": 1}, "wrong_type"),
        (["a"], "not_an_object"),
    ],
)
def test_bad_row_is_dropped_with_its_rule(tmp_path: Path, row: Any, rule: str) -> None:
    good = {"messages": CHAT}
    summary, records = run(tmp_path, [*[good] * 9, row], max_dropped_rows=1)
    assert summary["counts"] == {"kept": 9, "repaired": 0, "truncated": 0, "dropped": 1}
    assert summary["rules"] == {rule: 1}
    assert len(records) == 9
    item = orjson.loads((tmp_path / "out/report.jsonl").read_bytes())
    assert item["line"] == 10
    assert item["byte_offset"] == 9 * (len(orjson.dumps(good)) + 1)
    assert item["action"] == "dropped"
    assert item["message"]


def test_what_is_not_part_of_the_record_is_kept_beside_it(tmp_path: Path) -> None:
    upload, folder = tmp_path / "upload", tmp_path / "out"
    upload.write_text('{"prompt": "a", "completion": "b", "id": 7, "tags": ["x"]}\n')
    folder.mkdir()
    import_file(upload, "a.jsonl", folder)
    [record] = records_of(folder)
    assert record["meta"] == {"line": 1, "extra": {"id": 7, "tags": ["x"]}}


@pytest.mark.parametrize(
    "row",
    [
        {"messages": CHAT, "conversations": CHAT},
        {"messages": CHAT, "instruction": "a", "output": "b"},
        {"prompt": "a", "question": "b", "answer": "c"},
        {"question": "a", "answer": "b", "response": "c"},
        {"instruction": "a", "response": "b", "context": "c"},
        {"question": "a", "answer": "b", "passage": "c"},
        {"x": "a", "y": "b"},
    ],
)
def test_what_can_mean_two_things_is_asked_not_guessed(tmp_path: Path, row: Any) -> None:
    summary, _ = run(tmp_path, [row] * 3)
    assert summary["status"] == "needs_mapping"
    assert summary["columns"] == list(row)
    assert summary["num_rows"] is None
    assert summary["detected_because"]


def test_mixed_formats_are_asked_a_few_strays_are_reported(tmp_path: Path) -> None:
    chat, pair = {"messages": CHAT}, {"prompt": "a", "completion": "b"}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert run(tmp_path / "a", [chat, pair] * 5)[0]["status"] == "needs_mapping"
    summary, _ = run(tmp_path / "b", [*[chat] * 9, pair])
    assert summary["status"] == "blocked"
    assert summary["counts"]["dropped"] == 1


def test_mapping_makes_records_and_names_what_it_lacks(tmp_path: Path) -> None:
    mapping = {
        "record_type": "prompt_completion",
        "columns": {"prompt": "x", "input": "z", "completion": "y"},
        "system_text": "Be kind",
    }
    rows = [{"x": "Hi", "y": "Hello", "z": "there"}, {"x": "Hi", "y": ""}]
    summary, records = run(tmp_path, rows, mapping=mapping)
    assert summary["record_type"] == "prompt_completion"
    assert summary["rules"] == {"missing_answer": 1}
    assert records[0]["messages"] == [
        {"role": "system", "content": "Be kind"},
        {"role": "user", "content": "Hi\nthere"},
        ASSISTANT,
    ]


def test_mapping_to_a_column_that_is_not_there_fails(tmp_path: Path) -> None:
    mapping = {"record_type": "language_modeling", "columns": {"text": "body"}, "system_text": None}
    summary, _ = run(tmp_path, [{"text": "a"}], mapping=mapping)
    assert summary["status"] == "failed"
    assert summary["error"]["code"] == "unknown_column"
    assert summary["error"]["params"]["column"] == "body"
