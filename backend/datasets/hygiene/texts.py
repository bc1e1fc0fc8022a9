"""What of a canonical record is looked at: its prompt, its answers, its label, all of its text."""

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from backend.datasets.hygiene.shingles import TEXT_CHARACTERS

# Between the parts of a record, so that text which moves from one to another makes a difference.
PART, CONTENT = "\ufdd0", "\ufdd1"


class _Message(msgspec.Struct, gc=False):
    role: str = ""
    content: str = ""
    tool_calls: Raw | UnsetType = UNSET


class _Record(msgspec.Struct, gc=False):
    messages: list[_Message] | None = None
    chosen: list[_Message] | None = None
    rejected: list[_Message] | None = None
    text: str | None = None
    label: Any = None
    tools: Raw | UnsetType = UNSET


_decode = msgspec.json.Decoder(_Record).decode


@dataclass(slots=True)
class RowText:
    """One record. `all` is every text of it, `compared` what it says (no system message: many rows
    share it), `answers` what the assistant says where it calls no tool. Folded: `shingled` is
    `compared`, which near duplicates are told by, `prompt` what comes before the last answer,
    `whole` all parts with their roles."""

    all: str
    compared: str
    shingled: str
    prompt: str
    whole: str
    answers: list[str]
    label: Any


def read(record: bytes) -> RowText:
    """The texts of a canonical record (JSON without `meta`)."""
    try:
        found = _decode(record)
    except msgspec.ValidationError:
        return _of_text(record.decode(), None)
    if found.text is not None:
        return _of_text(found.text, found.label)
    turns = found.messages or []
    spoken = [*turns, *(found.chosen or ()), *(found.rejected or ())]
    # Each turn is folded once: what is made of several of them is folded, too.
    plain = [folded(turn.content) for turn in spoken]
    last = _last_answer(turns) if not found.chosen else len(turns)
    asked = [text for turn, text in zip(turns[:last], plain, strict=False) if _counts(turn)]
    told = [text for turn, text in zip(spoken, plain, strict=True) if _counts(turn)]
    whole = _whole(plain, turns, found.chosen, found.rejected)
    texts = [turn.content for turn in spoken]
    for turn in spoken:
        if turn.tool_calls is not UNSET:
            texts.append(bytes(turn.tool_calls).decode())
    compared = "\n".join(turn.content for turn in spoken if _counts(turn))
    if found.tools is not UNSET:
        texts.append(bytes(found.tools).decode())
        whole += PART + folded(texts[-1])
    answers = [t.content for t in spoken if t.role == "assistant" and t.tool_calls is UNSET]
    return RowText(
        all="\n".join(texts),
        compared=compared,
        shingled=" ".join(told) if len(compared) <= TEXT_CHARACTERS else _beginning(compared),
        prompt=" ".join(filter(None, asked)),
        whole=whole,
        answers=answers,
        label=found.label,
    )


def _of_text(text: str, label: Any) -> RowText:
    whole = folded(text)
    shingled = whole if len(text) <= TEXT_CHARACTERS else _beginning(text)
    return RowText(text, text, shingled, whole if label is not None else "", whole, [], label)


def _beginning(text: str) -> str:
    """What of a very long text is compared."""
    return text[:TEXT_CHARACTERS].casefold()


def _counts(turn: _Message) -> bool:
    """Whether the turn tells this row from others."""
    return turn.role != "system"


def _last_answer(turns: list[_Message]) -> int:
    """Where the last turn of the assistant is; behind the end when there is none."""
    for number in range(len(turns) - 1, -1, -1):
        if turns[number].role == "assistant":
            return number
    return len(turns)


def _whole(plain: list[str], *groups: list[_Message] | None) -> str:
    """All turns with their roles; `plain` are their folded texts in the same order."""
    parts, texts = [], iter(plain)
    for group in groups:
        for turn in group or ():
            parts += (PART, turn.role.casefold(), CONTENT, next(texts))
            if turn.tool_calls is not UNSET:
                parts.append(folded(bytes(turn.tool_calls).decode()))
        parts.append(PART)
    return "".join(parts)


def folded(text: str) -> str:
    """The text without what case and white space say."""
    return " ".join(text.casefold().split())
