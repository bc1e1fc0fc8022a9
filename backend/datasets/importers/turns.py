"""Conversations: what roles are called, what a turn may hold, and what a whole one must be."""

from typing import Any

import orjson

from backend.datasets.importers.importer import Fields, Repairs, text_of
from backend.datasets.rows import Repair, RowError

_CALL = "function_call"
ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "tool": "tool",
    "observation": "tool",
    "ipython": "tool",
    "function": "tool",
    "function_response": "tool",
    "function_call": _CALL,
    "tool_call": _CALL,
}
_SWITCHES = ("train", "loss", "weight")
_USED = frozenset(
    {*_SWITCHES, "role", "content", "from", "value", "name", "tool_calls", "tool_call_id"}
)


def plain_turn(item: Any, role_key: str, content_key: str) -> Fields | None:
    """As `turn`, for the turn that most are: a known role, a text, nothing else."""
    if type(item) is dict and len(item) == 2:
        said, content = item.get(role_key), item.get(content_key)
        role = ROLES.get(said) if type(said) is str else None
        if role is not None and role != _CALL and type(content) is str:
            return {"role": role, "content": content}
    return None


def turn(item: Any, role_key: str, content_key: str, where: str, repairs: Repairs) -> Fields:
    """One canonical message from one turn of the file; `where` names it, e.g. `messages[2]`."""
    if type(item) is not dict:
        raise RowError("wrong_type", where, f"“{where}” must be an object.")
    said = item.get(role_key)
    role = ROLES.get(said.strip().lower()) if isinstance(said, str) else None
    if role is None:
        raise RowError(
            "unknown_role", f"{where}.{role_key}", f"“{_short(said)}” is not a role that is known."
        )
    content = _content(item.get(content_key), f"{where}.{content_key}", repairs)
    message: Fields = {"role": role, "content": content}
    if role == _CALL:
        message = {"role": "assistant", "content": "", "tool_calls": _called(content, where)}
    if len(item) > 2:
        _add_rest(message, item, where, repairs)
    return message


def _short(value: Any) -> str:
    return str(value)[:40]


def _content(value: Any, where: str, repairs: Repairs) -> str:
    """A text, or a list of parts of which all are text."""
    if type(value) is not list:
        return text_of(value, where, repairs)
    parts = []
    for part in value:
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, dict) and part.get("type") == "text":
            parts.append(text_of(part.get("text"), where, repairs))
        else:
            kind = part.get("type") if isinstance(part, dict) else type(part).__name__
            raise RowError(
                "media_not_supported", where, f"A part of type “{_short(kind)}” is not text."
            )
    return "".join(parts)


def _called(text: str, where: str) -> list[Fields]:
    """The calls in a turn that is nothing but calls: JSON of one or of a list."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    calls = found if isinstance(found, list) else [found]
    if not calls or not all(isinstance(c, dict) and isinstance(c.get("name"), str) for c in calls):
        raise RowError("bad_tool_call", where, "A function call must be JSON with a “name”.")
    return [
        {
            "type": "function",
            "function": {
                "name": c["name"],
                "arguments": c.get("arguments", c.get("parameters", {})),
            },
        }
        for c in calls
    ]


def _add_rest(message: Fields, item: Fields, where: str, repairs: Repairs) -> None:
    """Tool calls, names and what says whether the turn is learnt; the rest is reported."""
    calls = item.get("tool_calls")
    if calls:
        if not isinstance(calls, list) or not all(isinstance(c, dict) for c in calls):
            raise RowError("bad_tool_call", f"{where}.tool_calls", "Tool calls must be objects.")
        message["tool_calls"] = calls
    for key in ("name", "tool_call_id"):
        if isinstance(item.get(key), str):
            message[key] = item[key]
    learnt = _learnt(item, message["role"], where, repairs)
    if learnt is not None:
        message["train"] = learnt
    for key, value in item.items():
        if key not in _USED and value not in (None, "", [], {}, False):
            repairs.append(
                Repair("ignored_field", f"{where}.{key}", f"“{_short(key)}” of a turn is not used.")
            )


def _learnt(item: Fields, role: str, where: str, repairs: Repairs) -> bool | None:
    """Whether a turn says that it is learnt, which only answers are; None when it says nothing."""
    learnt: bool | None = None
    for key in _SWITCHES:
        value, ignored = item.get(key), ""
        if value in (None, "", [], {}):
            continue
        if not isinstance(value, bool | int | float):
            ignored = "it is neither true or false nor a number"
        elif role != "assistant" and value:
            ignored = "only turns of the assistant are learnt"
        elif learnt is None:
            learnt = bool(value)
            if value not in (0, 1):
                message = f"The weight {value} became 1: a turn is learnt whole or not at all."
                repairs.append(Repair("weight_as_switch", f"{where}.{key}", message))
        elif learnt != bool(value):
            ignored = "another field of the turn says the opposite"
        if ignored:
            message = f"“{key}” of a turn is not used: {ignored}."
            repairs.append(Repair("ignored_field", f"{where}.{key}", message))
    return learnt


def conversation(turns: list[Fields], repairs: Repairs) -> list[Fields]:
    """The turns as a conversation that can be learnt; raises `RowError` when it can not.

    Neighbours with the same role become one turn, an empty system message and turns that wait for
    an answer at the end go; all of that is noted.
    """
    if _is_whole(turns):
        return turns
    messages: list[Fields] = []
    for number, message in enumerate(turns):
        role, content = message["role"], message["content"]
        if (not content or content.isspace()) and "tool_calls" not in message and role != "tool":
            if role != "system":
                rule = "missing_answer" if role == "assistant" else "missing_prompt"
                raise RowError(rule, f"turn {number + 1}", f"Turn {number + 1} ({role}) is empty.")
            repairs.append(Repair("empty_system_removed", None, "An empty system message went."))
        elif messages and _belong_together(messages[-1], message):
            messages[-1]["content"] += "\n" + content
            repairs.append(
                Repair("turns_merged", f"turn {number + 1}", f"Two turns of the {role} became one.")
            )
        else:
            messages.append(message)
    answered = len(messages)
    while answered and messages[answered - 1]["role"] != "assistant":
        answered -= 1
    if not answered:
        raise RowError("missing_answer", None, "The conversation has no answer of the assistant.")
    if answered < len(messages):
        left = len(messages) - answered
        repairs.append(
            Repair("unanswered_turns_removed", None, f"{left} turn(s) without an answer went.")
        )
        del messages[answered:]
    if not any(m["role"] in ("user", "tool") for m in messages):
        raise RowError("missing_prompt", None, "The conversation has no turn of the user.")
    return messages


def _is_whole(turns: list[Fields]) -> bool:
    """Whether there is nothing to do: turns that alternate, none empty, an answer at the end."""
    before = ""
    for message in turns:
        role, content = message["role"], message["content"]
        if role == before or not content or content.isspace():
            return False
        before = role
    first = 1 if turns and turns[0]["role"] == "system" else 0
    return before == "assistant" and turns[first]["role"] == "user"


def _belong_together(first: Fields, second: Fields) -> bool:
    return (
        first["role"] == second["role"]
        and first["role"] != "tool"
        and "tool_calls" not in first
        and "tool_calls" not in second
        and first.get("train") == second.get("train")
        and first.get("name") == second.get("name")
    )


def tools_of(value: Any) -> list[Fields] | None:
    """Descriptions of tools: a list, or JSON of one; None when there are none."""
    if not value:
        return None
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise RowError("bad_tools", "tools", "“tools” is not valid JSON.") from None
        if not value:
            return None
    if not isinstance(value, list) or not all(isinstance(tool, dict) for tool in value):
        raise RowError("bad_tools", "tools", "“tools” must be a list of objects.")
    return value
