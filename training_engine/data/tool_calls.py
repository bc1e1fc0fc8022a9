"""Messages as chat templates expect them, and the form in which one wants its tool calls.

Most templates write the arguments of a call from an object; some join them on as JSON text
(DeepSeek). Which it is shows in a conversation made for that, once for a template: so all rows are
written alike, in whatever order they come, and serving asks as training did.
"""

import json
from collections.abc import Callable
from enum import Enum
from typing import Any

from training_engine.contract.records import Message

WHERE = "Reykjavik"
# Some templates insist on identifiers of nine letters, and on a result for every call.
_CALL: dict[str, Any] = {
    "id": "weather01",
    "type": "function",
    "function": {"name": "weather", "arguments": {"city": WHERE}},
}
PROBE = (
    Message(role="user", content="Does it rain?"),
    Message(role="assistant", content="", tool_calls=[_CALL]),
    Message(role="tool", content="sun", name="weather", tool_call_id="weather01"),
    Message(role="assistant", content="It does not."),
)
PROBE_TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string", "description": "Its name."}},
                "required": ["city"],
            },
        },
    }
]


class CallForm(Enum):
    """What the arguments of a call are when a template gets them."""

    OBJECT = "an object"
    TEXT = "JSON text"


def form_of(written: Callable[[CallForm], str | None]) -> CallForm:
    """The first form in which a template writes what `PROBE` calls, or the usual one.

    `written`: the text of `PROBE` in a form; None where the template refuses it.
    """
    return next((form for form in CallForm if WHERE in (written(form) or "")), CallForm.OBJECT)


def as_dict(message: Message, form: CallForm) -> dict[str, Any]:
    """What templates expect of a message."""
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.name:
        turn["name"] = message.name
    if message.tool_call_id:
        turn["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        turn["tool_calls"] = [_formed(call, form) for call in message.tool_calls]
    return turn


def _formed(call: dict[str, Any], form: CallForm) -> dict[str, Any]:
    """A call with its arguments in the form; those that are no JSON stay as they are."""
    function = call.get("function")
    if not isinstance(function, dict) or "arguments" not in function:
        return call
    arguments, text = function["arguments"], form is CallForm.TEXT
    if isinstance(arguments, str) == text:
        return call
    try:
        arguments = json.dumps(arguments, ensure_ascii=False) if text else json.loads(arguments)
    except ValueError:
        return call
    return {**call, "function": {**function, "arguments": arguments}}
