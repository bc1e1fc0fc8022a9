"""What a plain row of a format looks like, and the record it becomes."""

import re
from collections.abc import Callable, Collection, Iterable
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from backend.datasets.importers import questions
from backend.datasets.importers.alpaca import answer_name
from backend.datasets.importers.conversation import TOOLS
from backend.datasets.importers.importer import MEDIA, ONE_MEDIUM, joined
from backend.datasets.importers.letter_case import SPELLINGS
from backend.datasets.importers.own_exports import BESIDE
from backend.datasets.importers.questions import may_be_turns
from backend.datasets.importers.turns import ROLES

# Whole numbers that all encoders can write.
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
# Beside the record a plain row has only these.
Other = str | Whole | float | bool | None | UnsetType
# A part that plain rows may name, and leave empty.
Empty = None | UnsetType


class NotPlain(Exception):
    """The row is not as it should be, or may not be."""


class Turn(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A message as OpenAI writes it, and as a record has it."""

    role: Literal["system", "user", "assistant"]
    content: str


class SharedTurn(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A message as ShareGPT writes it."""

    said_by: str = msgspec.field(name="from")
    value: str


class Talk(msgspec.Struct, gc=False):
    """A canonical conversation."""

    messages: list[Turn]


class Words(msgspec.Struct, gc=False):
    """A canonical text."""

    text: str


class Judged(msgspec.Struct, gc=False):
    """A canonical text with its label."""

    text: str
    label: str | int | float | bool


Record = Talk | Words | Judged
SMALL, LARGE = 1e-3, 1e15
_MEDIA = MEDIA | ONE_MEDIUM
# Names that compiled readers can not have.
_UNUSABLE = re.compile(r'[\\"\x00-\x1f]')
_SPEAKERS = {name: role for name, role in ROLES.items() if role in ("system", "user", "assistant")}

# Parts that pairs may have, and plain ones have not.
_BESIDE_PAIRS = (*questions.SYSTEM_NAMES, *TOOLS)


class Shape:
    """Reads rows of one format with `decoder`; `record` makes a record of one or raises `NotPlain`.

    `parts` are the columns of the record with their types, in the order in which `record` takes
    them; whatever else of `columns` there is lies beside it. Parts that must be empty are looked
    for only where `columns` has them: a row that has them all the same is not plain. `turns` is the
    column with the turns. `attributes` has for each column how to get it, its name, and whether
    every row has it; `extra` holds the values beside the record of a row that has them all.
    """

    def __init__(
        self,
        parts: dict[str, Any],
        columns: Collection[str],
        record: Callable[..., Record],
        turns: str | None = None,
    ) -> None:
        self.others = sorted(name for name in columns if name not in parts)
        present = {n: kind for n, kind in parts.items() if kind != Empty or n in columns}
        types = {**present, **dict.fromkeys(self.others, Other)}
        named = [(f"c{number}", name) for number, name in enumerate(types)]
        self.turns = turns
        self.parts = list(parts)
        self.record = record
        self.attributes = [(attrgetter(a), name, not _optional(types[name])) for a, name in named]
        fields = [
            (a, types[name], msgspec.field(name=name, default=UNSET))
            if _optional(types[name])
            else (a, types[name], msgspec.field(name=name))
            for a, name in named
        ]
        beside = [(f"c{n}", Any, msgspec.field(name=name)) for n, name in enumerate(self.others)]
        self.extra = msgspec.defstruct("Extra", beside, gc=False)
        row = msgspec.defstruct("Row", fields, gc=False, kw_only=True, forbid_unknown_fields=True)
        self.decoder = msgspec.json.Decoder(row)


def _optional(kind: Any) -> bool:
    return UnsetType in getattr(kind, "__args__", ())


def shape_of(format_name: str, columns: Iterable[str]) -> Shape | None:
    """The shape of plain rows of a format that have some of these columns; None without one."""
    columns = list(columns)
    text = str | None | UnsetType
    shapes: dict[str, Callable[[], Shape | None]] = {
        "openai_messages": lambda: Shape(
            {"messages": list[Turn], **_no(TOOLS), **_no(questions.SYSTEM_NAMES)},
            columns,
            _talk,
            "messages",
        ),
        "sharegpt": lambda: _shared(columns),
        "alpaca": lambda: Shape(
            {
                "instruction": str,
                answer_name(columns): str,
                "input": text,
                "system": text,
                "history": Empty | list[Any],
                "system_prompt": Empty,
                **_no(TOOLS),
            },
            columns,
            _alpaca,
        ),
        "prompt_completion": lambda: Shape(
            {"prompt": str, "completion": str, "history": Empty, **_no(_BESIDE_PAIRS)},
            columns,
            _pair,
        ),
        "query_response": lambda: _query(columns),
        "classification": lambda: Shape(
            {"text": str, "label": str | Whole | float | bool}, columns, _judged
        ),
        "text": lambda: Shape({"text": str}, columns, _words),
    }
    make = shapes.get(format_name)
    return None if make is None or _are_odd(columns) else make()


def _are_odd(columns: list[str]) -> bool:
    """Whether columns have a meaning that only the long way knows, or a name that is not usable."""
    if any(map(_UNUSABLE.search, columns)) or set(columns) >= BESIDE:
        return True
    return not (_MEDIA.isdisjoint(columns) and SPELLINGS.isdisjoint(columns))


def _no(names: Iterable[str]) -> dict[str, Any]:
    return dict.fromkeys(names, Empty)


def _talk(messages: list[Turn], *_nothing: Any) -> Talk:
    """Turns that alternate, none of them blank, an answer at the end."""
    before = ""
    for turn in messages:
        role, content = turn.role, turn.content
        if role == before or not content or content.isspace():
            raise NotPlain
        if role == "system" and before:
            raise NotPlain
        before = role
    first = 1 if messages and messages[0].role == "system" else 0
    if before != "assistant" or messages[first].role != "user":
        raise NotPlain
    return Talk(messages)


def _shared(columns: list[str]) -> Shape | None:
    if "conversations" not in columns or "conversation" in columns:
        return None

    def record(turns: list[SharedTurn], system: Any, *_nothing: Any) -> Talk:
        try:
            found = [Turn(_SPEAKERS[turn.said_by], turn.value) for turn in turns]  # type: ignore[arg-type]
        except KeyError:
            raise NotPlain from None
        return _talk(_told(system) + found)

    text = str | None | UnsetType
    parts = {
        "conversations": list[SharedTurn],
        "system": text,
        "system_prompt": Empty,
        **_no(TOOLS),
    }
    return Shape(parts, columns, record, "conversations")


def _told(system: Any) -> list[Turn]:
    """The system message in front, when there is one."""
    return [Turn("system", system)] if system is not UNSET and system else []


def _alpaca(
    instruction: str, output: str, given: Any, system: Any, history: Any, *_nothing: Any
) -> Talk:
    if history is not UNSET and history:
        raise NotPlain
    question = joined(instruction, given if given is not UNSET and given else "")
    return _talk([*_told(system), Turn("user", question), Turn("assistant", output)])


def _pair(question: str, answer: str, *_nothing: Any) -> Talk:
    if may_be_turns(question) or may_be_turns(answer):
        raise NotPlain
    return _talk([Turn("user", question), Turn("assistant", answer)])


def _query(columns: list[str]) -> Shape | None:
    asked = questions.names_in(columns, questions.PROMPT_NAMES)
    answers = questions.names_in(columns, questions.ANSWER_NAMES)
    if len(asked) != 1 or len(answers) != 1:
        return None
    nothing = _no((*_BESIDE_PAIRS, "history"))
    return Shape({asked[0]: str, answers[0]: str, **nothing}, columns, _pair)


def _words(text: str) -> Words:
    if not text or text.isspace():
        raise NotPlain
    return Words(text)


def _judged(text: str, label: str | float) -> Judged:
    if not text or text.isspace() or (isinstance(label, str) and not label.strip()):
        raise NotPlain
    # Beyond these, encoders write the same number in different ways.
    if type(label) is float and label and not SMALL <= abs(label) < LARGE:
        raise NotPlain
    return Judged(text, label)
