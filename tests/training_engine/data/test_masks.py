"""What is learnt: exactly the assistant's words and what ends them, whatever the template."""

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from tests.training_engine.data import templates
from tests.training_engine.data.masks import encode, encoder, learnt, refusal, row
from tests.training_engine.specs import conversation
from training_engine.contract.records import Message
from training_engine.data.chat import ChatTemplate, TemplateRefusal, terminators
from training_engine.failures import EngineFailure

TWO_TURNS = conversation("Hi 你好", "Hello there", "Bye", "See you 👋")


@pytest.mark.parametrize(
    ("template", "first", "second"),
    [
        (templates.CHATML, "Hello there", "See you 👋"),
        (templates.DEFAULT_SYSTEM, "Hello there", "See you 👋"),
        (templates.LLAMA_3, "Hello there", "See you 👋"),
        (templates.MISTRAL, " Hello there", " See you 👋"),
        (templates.OPENED, "Hello there", "See you 👋"),
    ],
)
def test_both_answers_with_their_ends(
    tmp_path: Path, template: str, first: str, second: str
) -> None:
    tokenizer = templates.load(tmp_path, template)
    data = encode(tokenizer, row(TWO_TURNS))
    assert learnt(tokenizer, data) == [[first + "<|im_end|>", second + "<|im_end|>"]]
    assert data.prompt_differs == (template == templates.OPENED)


def test_a_system_turn_is_context(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.CHATML)
    data = encode(tokenizer, row(conversation("Hi", "Hello", system="Be brief.")))
    assert learnt(tokenizer, data) == [["Hello<|im_end|>"]]


def test_history_that_is_rewritten_becomes_a_sample_per_turn(tmp_path: Path) -> None:
    """Each turn is learnt as it is generated: the template shows thinking only in the last."""
    tokenizer = templates.load(tmp_path, templates.THINKING)
    turns = conversation("1+1?", "<think>\neasy\n</think>\n\n2", "2+2?", "4")
    data = encode(tokenizer, row(turns, line=7))
    assert learnt(tokenizer, data) == [
        ["<think>\neasy\n</think>\n\n2<|im_end|>"],
        ["<think>\n\n</think>\n\n4<|im_end|>"],
    ]
    assert data.lines == [7, 7]
    assert data.split_rows == 1
    second = tokenizer.decode(data.tokens[data.bounds[1] :])
    assert "easy" not in second


def test_the_prompt_is_a_prefix_of_what_is_learnt(tmp_path: Path) -> None:
    """Token for token: what serving gives the model is what training put before the answer."""
    for name in ("CHATML", "DEFAULT_SYSTEM", "LLAMA_3", "MISTRAL", "THINKING"):
        tokenizer = templates.load(tmp_path / name, getattr(templates, name))
        template = ChatTemplate(tokenizer)
        data = encode(tokenizer, row(conversation("Hi 你好", "Hello")))
        start = int(data.trained.nonzero()[0])
        messages = [Message(role="user", content="Hi 你好")]
        assert template.prompt_ids(messages) == data.tokens[:start].tolist(), name


def test_turns_can_be_switched_off(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.CHATML)
    turns = conversation("Hi", "Hello", "Bye", "See you")
    turns[1]["train"] = False
    assert learnt(tokenizer, encode(tokenizer, row(turns))) == [["See you<|im_end|>"]]


def test_a_template_without_an_end_is_refused(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.ENDLESS)
    failure = refusal(tokenizer, row(conversation("Hi", "Hello"), line=3))
    assert "never learn to stop" in failure.message
    assert failure.params == {"lines": "3", "count": 1}


def test_an_answer_that_is_cut_away_is_refused(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.CHATML)
    rows = [row(conversation("Hi", "Hello"), 1), row(conversation("long " * 30, "Hello"), 2)]
    failure = refusal(tokenizer, *rows, max_length=64)
    assert "cuts the whole answer away" in failure.message
    assert failure.params["lines"] == "2"
    needed = encode(tokenizer, rows[1]).bounds[-1]
    assert f"has {needed} tokens" in failure.hint
    assert len(encode(tokenizer, *rows, max_length=needed)) == 2


def test_overlong_rows_are_left_out_when_asked_and_counted(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.CHATML)
    rows = [row(conversation("Hi", "Hello"), 1), row(conversation("long " * 30, "Hello"), 2)]
    data = encoder(tokenizer, 64, leave_out=True).encode(rows)
    assert (data.lines, data.left_out_lines, data.truncated_lines) == ([1], [2], [])
    assert data.cut_tokens == 0
    assert learnt(tokenizer, data) == [["Hello<|im_end|>"]]


def test_a_cut_answer_is_counted(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.CHATML)
    data = encode(tokenizer, row(conversation("Hi", "Hello " * 50), 9), max_length=64)
    assert data.truncated_lines == [9]
    assert data.bounds[-1] == len(data.tokens) == 64
    whole = encode(tokenizer, row(conversation("Hi", "Hello " * 50), 9))
    assert data.cut_tokens == len(whole.tokens) - 64
    assert whole.truncated_lines == []


def test_a_row_with_nothing_to_learn_is_refused(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.CHATML)
    turns = conversation("Hi", "Hello")
    turns[1]["train"] = False
    assert "nothing to learn" in refusal(tokenizer, row(turns, 5)).message


def test_what_the_template_refuses_is_named_by_line(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.MISTRAL)
    good = row(conversation("Hi", "Hello"), 1)
    bad = [row(conversation("Hi", "Hello", system="x"), line) for line in range(2, 20)]
    failure = refusal(tokenizer, good, *bad)
    assert "Roles must alternate" in failure.message
    assert failure.params["lines"] == "2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more"


def test_a_model_without_a_template_is_refused(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, None)
    with pytest.raises(EngineFailure, match="no chat template"):
        ChatTemplate(tokenizer)
    given = ChatTemplate(tokenizer, templates.CHATML)
    assert given.render([Message(role="user", content="x")]).startswith("<|im_start|>user\nx")


def test_the_templates_own_reason_is_passed_on(tmp_path: Path) -> None:
    template = ChatTemplate(templates.load(tmp_path, "{{ raise_exception('only on Mondays') }}"))
    with pytest.raises(TemplateRefusal, match="only on Mondays"):
        template.render([Message(role="user", content="x")])


def test_every_declared_end_counts(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.CHATML)
    assert terminators(tokenizer, tmp_path) == {258}
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [256, 258]}')
    (tmp_path / "config.json").write_text('{"eos_token_id": 257}')
    assert terminators(tokenizer, tmp_path) == {256, 257, 258}


@pytest.mark.parametrize("form", ["stored as a list", "as a dict"])
def test_of_several_templates_the_default_is_taken_and_with_tools_the_one_for_them(
    tmp_path: Path, form: str
) -> None:
    """As Command R and Hermes store theirs."""
    named = {
        "default": templates.CHATML,
        "tool_use": "{{ tools | length }} tools:" + templates.CHATML,
    }
    tokenizer = templates.load(tmp_path, templates.CHATML)
    tokenizer.chat_template = named
    if form == "stored as a list":
        (tmp_path / "chat_template.jinja").unlink(missing_ok=True)
        config = json.loads((tmp_path / "tokenizer_config.json").read_text())
        config["chat_template"] = [{"name": n, "template": t} for n, t in named.items()]
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    template = ChatTemplate(tokenizer)
    plain, calling = row(conversation("Hi", "Yes")), row(conversation("Hi", "Yes"), tools=[tool])
    assert template.render(plain.messages).startswith("<|im_start|>user")
    assert template.render(calling.messages, [tool]).startswith("1 tools:<|im_start|>user")
    assert learnt(tokenizer, encode(tokenizer, plain, calling)) == [["Yes<|im_end|>"]] * 2


def test_several_templates_without_a_default_are_refused(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.CHATML)
    tokenizer.chat_template = {"rag": templates.CHATML, "tool_use": templates.CHATML}
    with pytest.raises(EngineFailure, match="rag, tool_use"):
        ChatTemplate(tokenizer)
