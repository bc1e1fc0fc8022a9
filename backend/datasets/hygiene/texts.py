"""What of a canonical record is looked at: its prompt, its answers, its label, all of its text."""

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

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
    """One record. `all` is every text of it, `compared` what near duplicates are told by (no
    system message: many rows share it), `prompt` what comes before the last answer, `whole` all
    parts with their roles, `answers` what the assistant says where it calls no tool."""

    all: str
    compared: str
    prompt: str
    whole: str
    answers: list[str]
    label: Any


def read(record: bytes) -> RowText:
    """The texts of a canonical record (JSON without `meta`)."""
    try:
        found = _decode(record)
    except msgspec.ValidationError:
        text = record.decode()
        return RowText(text, text, "", text, [], None)
    if found.text is not None:
        text = found.text
        labelled = found.label is not None
        return RowText(text, text, text if labelled else "", text, [], found.label)
    turns = found.messages or []
    last = _last_answer(turns) if not found.chosen else len(turns)
    prompt = "\n".join(turn.content for turn in turns[:last] if turn.role != "system")
    endings = [*(found.chosen or ()), *(found.rejected or ())]
    spoken = [*turns, *endings]
    texts = [turn.content for turn in spoken]
    whole = _whole(turns, found.chosen, found.rejected)
    for turn in spoken:
        if turn.tool_calls is not UNSET:
            texts.append(bytes(turn.tool_calls).decode())
    compared = "\n".join(turn.content for turn in spoken if turn.role != "system")
    if found.tools is not UNSET:
        texts.append(bytes(found.tools).decode())
        whole += PART + texts[-1]
    answers = [t.content for t in spoken if t.role == "assistant" and t.tool_calls is UNSET]
    return RowText("\n".join(texts), compared, prompt, whole, answers, found.label)


def _last_answer(turns: list[_Message]) -> int:
    """Where the last turn of the assistant is; behind the end when there is none."""
    for number in range(len(turns) - 1, -1, -1):
        if turns[number].role == "assistant":
            return number
    return len(turns)


def _whole(*groups: list[_Message] | None) -> str:
    parts = []
    for group in groups:
        for turn in group or ():
            calls = "" if turn.tool_calls is UNSET else bytes(turn.tool_calls).decode()
            parts.append(f"{PART}{turn.role}{CONTENT}{turn.content.strip()}{calls}")
        parts.append(PART)
    return "".join(parts)


def folded(text: str) -> str:
    """The text without what case and white space say."""
    return " ".join(text.casefold().split())
