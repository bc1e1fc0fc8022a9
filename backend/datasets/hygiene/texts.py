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
    turns, chosen = found.messages or [], found.chosen or []
    spoken = [*turns, *chosen, *(found.rejected or ())]
    roles = [turn.role for turn in spoken]
    contents = [turn.content for turn in spoken]
    calls = [bytes(t.tool_calls).decode() for t in spoken if t.tool_calls is not UNSET]
    # Each turn is folded once: what is made of several of them is folded, too.
    plain = [" ".join(content.casefold().split()) for content in contents]
    whole = _whole(spoken, plain, (len(turns), len(turns) + len(chosen)))
    last = _last_answer(turns) if not found.chosen else len(turns)
    asked, told, compared = plain[:last], plain, contents
    if "system" in roles:
        own = [number for number, role in enumerate(roles) if role != "system"]
        asked = [plain[number] for number in own if number < last]
        told, compared = [plain[number] for number in own], [contents[number] for number in own]
    texts = contents + calls
    if found.tools is not UNSET:
        texts.append(bytes(found.tools).decode())
        whole += PART + folded(texts[-1])
    said = "\n".join(compared)
    return RowText(
        all="\n".join(texts),
        compared=said,
        shingled=" ".join(told) if len(said) <= TEXT_CHARACTERS else _beginning(said),
        prompt=" ".join([text for text in asked if text]),
        whole=whole,
        answers=[t.content for t in spoken if t.role == "assistant" and t.tool_calls is UNSET],
        label=found.label,
    )


def _of_text(text: str, label: Any) -> RowText:
    whole = folded(text)
    shingled = whole if len(text) <= TEXT_CHARACTERS else _beginning(text)
    return RowText(text, text, shingled, whole if label is not None else "", whole, [], label)


def _beginning(text: str) -> str:
    """What of a very long text is compared."""
    return text[:TEXT_CHARACTERS].casefold()


def _last_answer(turns: list[_Message]) -> int:
    """Where the last turn of the assistant is; behind the end when there is none."""
    for number in range(len(turns) - 1, -1, -1):
        if turns[number].role == "assistant":
            return number
    return len(turns)


def _whole(spoken: list[_Message], plain: list[str], ends: tuple[int, int]) -> str:
    """All turns with their roles; `plain` are their folded texts, the first two of three lists of
    turns end at `ends`."""
    parts = [
        f"{PART}{turn.role.casefold()}{CONTENT}{text}"
        if turn.tool_calls is UNSET
        else f"{PART}{turn.role.casefold()}{CONTENT}{text}{folded(bytes(turn.tool_calls).decode())}"
        for turn, text in zip(spoken, plain, strict=True)
    ]
    lists = (parts[: ends[0]], parts[ends[0] : ends[1]], parts[ends[1] :])
    return "".join(["".join(each) + PART for each in lists])


def folded(text: str) -> str:
    """The text without what case and white space say."""
    return " ".join(text.casefold().split())
