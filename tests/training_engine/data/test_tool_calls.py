"""Tool calls are learnt in the words of the template, in whichever form it takes them."""

from pathlib import Path
from typing import Any

import pytest

from tests.training_engine.data import templates
from tests.training_engine.data.masks import encode, learnt, refusal, row
from tests.training_engine.specs import conversation
from training_engine.contract.records import Message
from training_engine.data.chat import ChatTemplate

TOOLS = [{"type": "function", "function": {"name": "w"}}]


def asked(arguments: Any) -> list[dict[str, Any]]:
    """A question, a call with `arguments`, its result and an answer."""
    call = {"type": "function", "function": {"name": "weather", "arguments": arguments}}
    return [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "sun", "tool_call_id": "1", "name": "weather"},
        {"role": "assistant", "content": "No rain."},
    ]


def test_tool_calls_are_learnt_and_results_are_not(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.TOOLS)
    call = {"type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
    turns = [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "sun", "tool_call_id": "1", "name": "weather"},
        {"role": "assistant", "content": "No rain."},
    ]
    data = encode(tokenizer, row(turns, tools=[{"type": "function", "function": {"name": "w"}}]))
    assert learnt(tokenizer, data) == [["<call>weatherRome<|im_end|>", "No rain.<|im_end|>"]]
    assert '"name": "w"' in tokenizer.decode(data.tokens)


@pytest.mark.parametrize("name", ["CHATML", "LLAMA_3"])
def test_tool_calls_that_the_template_leaves_out_are_refused(tmp_path: Path, name: str) -> None:
    """Such a turn would be learnt as an empty answer; calls that are not learnt do no harm."""
    tokenizer = templates.load(tmp_path, getattr(templates, name))
    call = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Rome"}}}
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": "Rain?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "sun"},
        {"role": "assistant", "content": "No rain."},
    ]
    failure = refusal(tokenizer, row(conversation("Hi", "Hello")), row(turns, line=12))
    assert "does not write tool calls" in failure.message
    assert failure.params == {"lines": "12", "count": 1}
    turns[1]["train"] = False
    assert learnt(tokenizer, encode(tokenizer, row(turns))) == [["No rain.<|im_end|>"]]


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ('{"city":  "Rome"}', '{"city":  "Rome"}'),
        ({"city": "臺北", "days": 2}, '{"city": "臺北", "days": 2}'),
        ("not JSON", "not JSON"),
    ],
)
@pytest.mark.parametrize("tools", [TOOLS, None])
def test_arguments_are_json_text_where_the_template_wants_that(
    tmp_path: Path, arguments: Any, written: str, tools: Any
) -> None:
    """What is text in the row stays that very text; a prompt is written as in training."""
    tokenizer = templates.load(tmp_path, templates.JSON_CALLS)
    turns = row(asked(arguments), tools=tools)
    data = encode(tokenizer, turns)
    called = f"<call>weather\n```json\n{written}\n```<|im_end|>"
    assert learnt(tokenizer, data) == [[called, "No rain.<|im_end|>"]]
    prompt = ChatTemplate(tokenizer).prompt_ids(turns.messages[:3], turns.tools)
    assert data.tokens[: len(prompt)].tolist() == prompt
    assert tokenizer.decode(data.tokens[len(prompt) :]) == "No rain.<|im_end|>\n"


def test_the_form_is_the_templates_not_the_rows(tmp_path: Path) -> None:
    """A row that can not be written is refused, and neither it nor the order changes others."""
    tokenizer = templates.load(tmp_path, templates.EITHER_CALLS)
    good, bad = asked('{"city": "Rome"}'), asked('{"city": "Rome", "days": 2}')
    for rows in ((row(good, 1), row(bad, 2)), (row(bad, 2), row(good, 1))):
        assert refusal(tokenizer, *rows).params == {"lines": "2", "count": 1}
    template = ChatTemplate(tokenizer)
    before = template.render([Message.model_validate(turn) for turn in good])
    assert "city=Rome<|im_end|>" in before


def test_without_calls_nothing_is_tried(tmp_path: Path) -> None:
    """Most conversations call nothing, and are written once."""
    tokenizer = templates.load(tmp_path, templates.JSON_CALLS)
    written: list[Any] = []
    write = tokenizer.apply_chat_template

    def counted(*given: Any, **more: Any) -> Any:
        written.append(given)
        return write(*given, **more)

    tokenizer.apply_chat_template = counted
    ChatTemplate(tokenizer).render([Message(role="user", content="Hi")])
    assert len(written) == 1
