"""In which order the list of tasks comes, and how a page goes on after the one before.

A cursor holds the values of the last row by which the list is ordered, so that a page costs the
same wherever it begins and rows that were added in between move nothing. What has no value (the
loss of a run that waits) comes last, up and down.
"""

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ColumnElement,
    Float,
    Row,
    Select,
    SQLColumnExpression,
    String,
    and_,
    case,
    cast,
    false,
    func,
    or_,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

from backend.accounts.tables import UserRow
from backend.errors import Refused
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.pagination import BadCursor
from backend.storable import is_storable
from backend.tasks.tables import TaskRow

DEFAULT = "-created_at"
MAX_KEYS = 5

# By state: what needs somebody or moves comes before what has ended.
STATUS_ORDER = (
    JobStatus.RUNNING,
    JobStatus.PREPARING,
    JobStatus.STOPPING,
    JobStatus.PENDING,
    JobStatus.FAILED,
    JobStatus.STOPPED,
    JobStatus.COMPLETED,
)

Value = str | float | datetime | None


class UnknownOrder(Refused):
    """The list can not be ordered by {key}; it can be by {known}."""


def _metric(name: str) -> SQLColumnExpression[Any]:
    return cast(JobRow.metrics[name].astext, DOUBLE_PRECISION)


def _keys() -> dict[str, SQLColumnExpression[Any]]:
    taken = func.coalesce(JobRow.finished_at, func.now()) - JobRow.started_at
    return {
        "name": func.lower(TaskRow.name, type_=String),
        "status": case(
            {status: place for place, status in enumerate(STATUS_ORDER)}, value=JobRow.status
        ),
        "model": func.lower(TaskRow.model_name, type_=String),
        "dataset": func.lower(TaskRow.dataset_name, type_=String),
        "method": TaskRow.method,
        "objective": TaskRow.objective,
        "progress": JobRow.progress,
        "loss": func.coalesce(_metric("eval_loss"), _metric("loss")),
        "best": cast(JobRow.best_metric["value"].astext, Float),
        "duration": cast(func.extract("epoch", taken), DOUBLE_PRECISION),
        "owner": UserRow.username,
        "priority": JobRow.priority,
        "created_at": TaskRow.created_at,
    }


@dataclass(frozen=True)
class Order:
    """Parts of the order, first the one that counts most: an expression and its direction."""

    names: tuple[str, ...]
    parts: tuple[tuple[SQLColumnExpression[Any], bool], ...]

    @property
    def is_newest_first(self) -> bool:
        """Whether it is the order of the keys themselves."""
        return self.names == (DEFAULT,)

    def after(self, query: Select[Any], cursor: str | None) -> Select[Any]:
        """`query` in this order from `cursor` on; its rows end with the values of the parts."""
        columns: list[Any] = [
            part.label(f"order_{place}") for place, (part, _) in enumerate(self.parts)
        ]
        query = query.add_columns(*columns)
        if cursor:
            query = query.where(self._beyond(self._read(cursor)))
        directions = (part.desc() if falls else part.asc() for part, falls in self.parts)
        falls = self.names[0].startswith("-")
        last = TaskRow.id.desc() if falls else TaskRow.id.asc()
        return query.order_by(*(direction.nulls_last() for direction in directions), last)

    def _beyond(self, values: list[Value | UUID]) -> ColumnElement[bool]:
        """Rows after the one with these values: equal in the first parts, further in the next."""
        falls = self.names[0].startswith("-")
        parts: list[tuple[SQLColumnExpression[Any], bool]] = [*self.parts, (TaskRow.id, falls)]
        choices: list[ColumnElement[bool]] = []
        for place, ((part, down), value) in enumerate(zip(parts, values, strict=True)):
            same = [
                each.is_(None) if known is None else each == known
                for (each, _), known in zip(parts[:place], values[:place], strict=True)
            ]
            if value is None:  # nothing comes after what has no value
                further: ColumnElement[bool] = false()
            else:
                further = or_(part < value if down else part > value, part.is_(None))
            choices.append(and_(*same, further))
        return or_(*choices)

    def cursor(self, row: Row[Any]) -> str:
        """Where the next page goes on after `row`, which begins with the id of its task."""
        values = [*row[len(row) - len(self.parts) :], str(row[0])]
        return base64.urlsafe_b64encode(orjson.dumps([",".join(self.names), values])).decode()

    def _read(self, cursor: str) -> list[Value | UUID]:
        """The values of a cursor of this order; raises `BadCursor` for any other text."""
        try:
            names, values = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
            last = UUID(values[-1])
        except (ValueError, TypeError, AttributeError, LookupError, binascii.Error):
            raise BadCursor from None
        plain = isinstance(values, list) and len(values) == len(self.parts) + 1
        if names != ",".join(self.names) or not plain:
            raise BadCursor
        known = zip(self.parts, values[:-1], strict=True)
        return [*(_comparable(part, value) for (part, _), value in known), last]


def _comparable(part: Any, value: Any) -> Value:
    """A value read from a cursor as the database compares it; raises `BadCursor`."""
    wanted = part.type.python_type
    if value is None:
        return None
    if wanted is float and isinstance(value, float | int) and not isinstance(value, bool):
        return float(value)
    if wanted is int and type(value) is int and abs(value) < 2**31:
        return value
    if isinstance(value, str) and is_storable(value):
        if wanted is str:
            return value
        if wanted is datetime:
            with suppress(ValueError, OverflowError):
                return datetime.fromisoformat(value).astimezone(UTC)
    raise BadCursor


def parse(text: str | None) -> Order:
    """An order from `name` or `-loss,name`; each key counts once. Raises `UnknownOrder`."""
    known = _keys()
    names: dict[str, str] = {}
    for each in (text or DEFAULT).split(","):
        key = each.strip().removeprefix("-")
        if key not in known:
            raise UnknownOrder(params={"key": key[:50], "known": ", ".join(known)})
        names.setdefault(key, each.strip())
    chosen = dict(list(names.items())[:MAX_KEYS])
    return Order(
        tuple(chosen.values()),
        tuple((known[key], name.startswith("-")) for key, name in chosen.items()),
    )
