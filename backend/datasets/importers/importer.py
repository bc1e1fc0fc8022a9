"""What an importer is, and the few rules all of them share: texts, leftovers, media."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from backend.datasets.importers.own_exports import OWN, restored
from backend.datasets.readers import strict_json
from backend.datasets.rows import Repair, RowError
from training_engine.contract.names import RecordType

Fields = dict[str, Any]
Repairs = list[Repair]
# Columns that hold pictures, videos or sounds, whatever else a row has.
MEDIA = frozenset(
    {"images", "videos", "audios", "rejected_images", "rejected_videos", "rejected_audios"}
)
# These are media where the text has a place for them; else they may say anything.
ONE_MEDIUM = frozenset({"image", "video", "audio", "objects"})
_PLACES = ("<image>", "<video>", "<audio>")
_NOTHING: tuple[Any, ...] = (None, "", [], {})


def _nothing_more(_row: Fields) -> Collection[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Importer:
    """One format family.

    `matches` looks at one row; `convert` makes its canonical record (without `meta`), notes
    repairs in the list it is given, and raises `RowError`. `because` says how it is recognised.
    `used` are the columns that always become part of the record, `uses` those that do so in a
    given row. `doubt` says why a row that matches may mean something else as well.
    """

    name: str
    record_type: RecordType
    because: str
    matches: Callable[[Fields], bool]
    convert: Callable[[Fields, Repairs], Fields]
    used: frozenset[str] = frozenset()
    uses: Callable[[Fields], Collection[str]] = _nothing_more
    doubt: Callable[[Fields], str | None] = lambda _row: None

    def leftovers(self, row: Fields) -> Fields:
        """Columns that are not part of the record; kept in its `meta`."""
        if row.keys() <= self.used:
            return {}
        used = self.used.union(self.uses(row))
        left = {k: v for k, v in row.items() if k not in used and v not in _NOTHING}
        return left if OWN.isdisjoint(left) else restored(left, row)


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


def from_json(value: Any) -> Any:
    """A list or an object that stands as JSON text in one cell, as tables hold them; anything
    else as it is. Raises `RowError` for JSON that hides something, such as a key that is there
    twice."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        found = strict_json.parse(value.encode())
    except (RowError, UnicodeEncodeError) as error:
        if isinstance(error, RowError) and error.rule not in ("broken_json", "invalid_text"):
            raise
        return value
    return found if isinstance(found, list | dict) else value


def glimpse(value: Any) -> Any:
    """As `from_json` for a first look, which never fails."""
    try:
        return from_json(value)
    except RowError:
        return None


def refuse_media(row: Fields) -> None:
    """Pictures, videos and sounds can not be trained on."""
    if not MEDIA.isdisjoint(row):
        for field in sorted(MEDIA.intersection(row)):
            if row[field] not in (*_NOTHING, "[]"):
                raise RowError(
                    "media_not_supported", field, f"Rows with {field} can not be trained on yet."
                )
    if not ONE_MEDIUM.isdisjoint(row):
        field = min(ONE_MEDIUM.intersection(row))
        if row[field] not in _NOTHING and any(place in str(row) for place in _PLACES):
            raise RowError(
                "media_not_supported",
                field,
                f"The text has a place for what is in “{field}”: rows with pictures, videos or "
                "sounds can not be trained on yet.",
            )


def has(row: Fields, *names: str) -> bool:
    """Whether the row has all these fields, with any value."""
    return all(name in row for name in names)


def joined(*parts: str) -> str:
    """The parts that are not blank, one below the other."""
    return "\n".join(part for part in parts if part and not part.isspace())
