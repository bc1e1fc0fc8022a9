"""JSON of rows that have not changed since it was made, so that a list need not make it again.

A row's version is PostgreSQL's `xmin`, the transaction that wrote it: it changes with every update,
whoever made it. Which rows a user sees, and in what order, is asked anew for every answer; only the
text of a row that is exactly the same is taken from here. What an answer shows beside its rows
(a place in the queue, what uses it) is never part of a fragment.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from uuid import UUID

from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement, literal_column

from backend.database import Base

MOST_BYTES = 8 * 1024**2
# What a fragment costs beside its text.
EACH_BYTES = 300


class Fragments:
    """The newest version of each row, up to `most_bytes`; those that nobody asked for go first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._kept: OrderedDict[UUID, tuple[Hashable, bytes]] = OrderedDict()

    def get(self, id_: UUID, version: Hashable) -> bytes | None:
        """The text of this version of the row, or None."""
        found = self._kept.get(id_)
        if found is None or found[0] != version:
            return None
        self._kept.move_to_end(id_)
        return found[1]

    def keep(self, id_: UUID, version: Hashable, text: bytes) -> None:
        """Remember; `version` must have been read before what `text` was made of."""
        before = self._kept.pop(id_, None)
        if before is not None:
            self._bytes -= len(before[1]) + EACH_BYTES
        self._kept[id_] = (version, text)
        self._bytes += len(text) + EACH_BYTES
        while self._bytes > self._most:
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= len(gone) + EACH_BYTES


def fragments_of(app: FastAPI, kind: str) -> Fragments:
    """Those of one kind of thing, of this application."""
    kinds: dict[str, Fragments] | None = getattr(app.state, "fragments", None)
    if kinds is None:
        kinds = app.state.fragments = {}
    return kinds.setdefault(kind, Fragments())


def version_of(table: type[Base]) -> ColumnElement[int]:
    """The column that tells the version of a row."""
    return literal_column(f"{table.__tablename__}.xmin")


def opened(model: BaseModel, without: set[str]) -> bytes:
    """An object in JSON that other fields can be written behind: its closing brace is missing."""
    return model.model_dump_json(by_alias=True, exclude=without).encode()[:-1]


def closed(fragment: bytes, **fields: bytes) -> bytes:
    """The object with these fields, each in JSON."""
    more = b"".join(b',"' + name.encode() + b'":' + text for name, text in fields.items())
    return fragment + more + b"}"


def page(items: Iterable[bytes], next_cursor: str | None) -> Response:
    """The answer of a list, as `pagination.Page` has it."""
    cursor = b"null" if next_cursor is None else b'"' + next_cursor.encode() + b'"'
    content = b'{"items":[' + b",".join(items) + b'],"next_cursor":' + cursor + b"}"
    return one(content)


def one(content: bytes) -> Response:
    """An answer that is JSON already."""
    return Response(content, media_type="application/json")
