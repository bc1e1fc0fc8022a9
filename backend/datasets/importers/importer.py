"""What an importer is, and the few rules all of them share: texts, leftovers, media."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.datasets.rows import Repair, RowError
from training_engine.contract.names import RecordType

Fields = dict[str, Any]
Repairs = list[Repair]
_MEDIA = ("images", "videos", "audios")


@dataclass(frozen=True, slots=True)
class Importer:
    """One format family.

    `matches` looks at one row; `convert` makes its canonical record (without `meta`), notes
    repairs in the list it is given, and raises `RowError`. `because` says how it is recognised.
    """

    name: str
    record_type: RecordType
    because: str
    matches: Callable[[Fields], bool]
    convert: Callable[[Fields, Repairs], Fields]
    used: frozenset[str] = frozenset()

    def leftovers(self, row: Fields) -> Fields:
        """Columns that are not part of the record; kept in its `meta`."""
        if row.keys() <= self.used:
            return {}
        return {k: v for k, v in row.items() if k not in self.used and v not in (None, "", [], {})}


def text_of(value: Any, field: str, repairs: Repairs) -> str:
    """A text as it is; a number as its digits (a repair); None as empty; else `RowError`."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        repairs.append(Repair("number_as_text", field, f"The number in “{field}” became text."))
        return str(value)
    kinds = {bool: "true or false", list: "a list", dict: "an object"}
    raise RowError(
        "wrong_type", field, f"“{field}” must be a text, this is {kinds.get(type(value), 'not')}."
    )


def required_text(row: Fields, field: str, rule: str, repairs: Repairs) -> str:
    """As `text_of`, but empty or blank is the `RowError` that `rule` names."""
    if field not in row:
        raise RowError(rule, field, f"The field “{field}” is missing.")
    text = text_of(row[field], field, repairs)
    if not text or text.isspace():
        raise RowError(rule, field, f"“{field}” is empty.")
    return text


def refuse_media(row: Fields) -> None:
    """Pictures, videos and sounds can not be trained on."""
    for field in _MEDIA:
        if row.get(field):
            raise RowError(
                "media_not_supported", field, f"Rows with {field} can not be trained on yet."
            )


def has(row: Fields, *names: str) -> bool:
    """Whether the row has all these fields, with any value."""
    return all(name in row for name in names)


def joined(*parts: str) -> str:
    """The parts that are not blank, one below the other."""
    return "\n".join(part for part in parts if part and not part.isspace())
