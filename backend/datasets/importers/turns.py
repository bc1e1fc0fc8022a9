"""Turns of conversations: what roles are called and what a turn may hold, in usual spellings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.datasets.importers.importer import Fields, Repairs, from_json, text_of
from backend.datasets.importers.parts import Said, said_by
from backend.datasets.importers.tools import calls_of
from backend.datasets.rows import Repair, RowError

CALL = "function_call"
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
    "function_call": CALL,
    "tool_call": CALL,
}
SWITCHES = ("train", "loss", "weight", "loss_scale")
_USED = frozenset({*SWITCHES, "name", "tool_calls", "function_call", "tool_call_id"})
_NOTHING: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Spelling:
    """How turns are written: the keys of role and content where they are known (else those that
    are usual are looked for), and names of roles besides `ROLES`."""

    role_key: str | None = None
    content_key: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)

    def keys(self, item: Fields, usual: tuple[str, str]) -> tuple[str, str]:
        """The keys of role and content in this turn; `usual` when it has neither."""
        role = self.role_key or next((k for k in ("role", "from") if k in item), usual[0])
        content = self.content_key or next((k for k in ("content", "value") if k in item), usual[1])
        return role, content

    def role(self, said: Any) -> str | None:
        """The canonical role, or `function_call`; None for one that is not known."""
        if not isinstance(said, str):
            return None
        return self.roles.get(said) or ROLES.get(said.strip().lower())


USUAL = Spelling()
OPENAI, SHAREGPT = ("role", "content"), ("from", "value")


def turns_of(
    value: Any,
    where: str,
    repairs: Repairs,
    usual: tuple[str, str] = OPENAI,
    spelling: Spelling = USUAL,
) -> list[Fields]:
    """A list of turns, or JSON text of one, not yet checked as a conversation.

    `where` names the column. Raises `RowError`.
    """
    items = from_json(value)
    if type(items) is not list:
        raise RowError("wrong_type", where, _not_turns(value, where))
    if not items:
        raise RowError("missing_answer", where, f"“{where}” is empty.")
    turns: list[Fields] = []
    for number, item in enumerate(items):
        plain = plain_turn(item, *usual) if spelling is USUAL else None
        if plain is not None:
            turns.append(plain)
        else:
            turns += turn(item, f"{where}[{number}]", repairs, usual, spelling)
    return turns


def _not_turns(value: Any, where: str) -> str:
    if value is None:
        return f"The field “{where}” is missing."
    if isinstance(value, str) and value.lstrip()[:2] in ("[{", "[["):
        return f"“{where}” must be a list of turns, and this text is no JSON of one."
    return f"“{where}” must be a list of turns."


def plain_turn(item: Any, role_key: str, content_key: str) -> Fields | None:
    """As `turn`, for the turn that most are: a known role, a text, nothing else."""
    if type(item) is dict and len(item) == 2:
        said, content = item.get(role_key), item.get(content_key)
        role = ROLES.get(said) if type(said) is str else None
        if role is not None and role != CALL and type(content) is str:
            return {"role": role, "content": content}
    return None


def turn(
    item: Any,
    where: str,
    repairs: Repairs,
    usual: tuple[str, str] = OPENAI,
    spelling: Spelling = USUAL,
) -> list[Fields]:
    """The canonical messages of one turn of the file; `where` names it, e.g. `messages[2]`.

    One message nearly always; more where a turn holds results of tools, or question and answer.
    """
    if type(item) is not dict:
        raise RowError("wrong_type", where, f"“{where}” must be an object.")
    role_key, content_key = spelling.keys(item, usual)
    if role_key not in item and "human" in item:
        return _exchange(item, where, repairs)
    said = item.get(role_key)
    role = spelling.role(said)
    if role is None:
        raise RowError(
            "unknown_role",
            f"{where}.{role_key}",
            f"“{str(said)[:40]}” is not a role that is known.",
        )
    place = f"{where}.{content_key}"
    content = item.get(content_key)
    if role == CALL:
        words = Said(calls=calls_of(content, where))
        role = "assistant"
    elif type(content) is list:
        words = said_by(content, place, repairs)
    else:
        words = Said([text_of(content, place, repairs)])
    message: Fields = {"role": role, "content": words.text}
    if words.calls:
        message["tool_calls"] = words.calls
    _add_rest(message, item, {role_key, content_key}, where, repairs)
    _add_learnt(message, item, words, where, repairs)
    if message.get("tool_calls") and role != "assistant":
        raise RowError("bad_tool_call", where, "Only the assistant calls tools.")
    if not words.results:
        return [message]
    return [*words.results, message] if words.text.strip() else words.results


def _exchange(item: Fields, where: str, repairs: Repairs) -> list[Fields]:
    """`{"human", "assistant"}`: a question and its answer, which may be still to come."""
    turns: list[Fields] = []
    for key, role in (("human", "user"), ("assistant", "assistant")):
        if key in item:
            content = text_of(item[key], f"{where}.{key}", repairs)
            turns.append({"role": role, "content": content})
    for key, value in item.items():
        if key not in ("human", "assistant") and value not in _NOTHING:
            _ignore(where, key, "", repairs)
    return turns


def _add_rest(message: Fields, item: Fields, keys: set[str], where: str, repairs: Repairs) -> None:
    """Tool calls and names; what else a turn has is reported."""
    for key in ("tool_calls", "function_call"):
        if item.get(key) not in _NOTHING and key not in keys:
            found = calls_of(item[key], f"{where}.{key}")
            message["tool_calls"] = [*message.get("tool_calls", ()), *found]
    for key in ("name", "tool_call_id"):
        if isinstance(item.get(key), str):
            message[key] = item[key]
        elif item.get(key) not in _NOTHING:
            _ignore(where, key, ": it is not a text", repairs)
    for key, value in item.items():
        if key not in _USED and key not in keys and value not in _NOTHING:
            why = ": a turn is learnt whole or not at all" if key == "train_detail" else ""
            _ignore(where, key, why, repairs)


def _ignore(where: str, key: str, why: str, repairs: Repairs) -> None:
    message = f"“{key[:40]}” of a turn is not used{why}."
    repairs.append(Repair("ignored_field", f"{where}.{key}", message))


def _add_learnt(message: Fields, item: Fields, words: Said, where: str, repairs: Repairs) -> None:
    """Whether the turn is learnt: as it says itself, else as all of its parts say."""
    learnt = _learnt(item, message["role"], where, repairs)
    parts = set(words.learnt)
    if parts - {None}:
        if len(parts) > 1 or learnt not in (None, *parts):
            why = ": a turn is learnt whole or not at all"
            _ignore(f"{where}.content", "train", why, repairs)
        elif learnt is None and message["role"] == "assistant":
            learnt = parts.pop()
        elif True in parts and message["role"] != "assistant":
            _ignore(
                f"{where}.content", "train", ": only turns of the assistant are learnt", repairs
            )
    if learnt is not None:
        message["train"] = learnt


def _learnt(item: Fields, role: str, where: str, repairs: Repairs) -> bool | None:
    """Whether a turn says that it is learnt, which only answers are; None when it says nothing."""
    learnt: bool | None = None
    for key in SWITCHES:
        value, ignored = item.get(key), ""
        if value in _NOTHING:
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
            _ignore(where, key, f": {ignored}", repairs)
    return learnt
