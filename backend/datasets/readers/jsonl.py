"""JSON lines: one object per line; empty lines are not rows."""

from collections.abc import Iterator
from pathlib import Path

from backend.datasets.readers import lines, strict_json
from backend.datasets.readers.encoding import Encoding
from backend.datasets.rows import RawRow, RowError


def read(path: Path, encoding: Encoding) -> Iterator[RawRow]:
    """Every row, broken ones with their error; memory stays flat."""
    for number, offset, content, error in lines.read(path, encoding):
        if error is not None:
            yield RawRow(number, offset, content, error=error)
            continue
        content = content.strip()
        if not content:
            continue
        try:
            fields = strict_json.parse(content)
            if type(fields) is not dict:
                raise not_an_object(fields)
        except RowError as broken:
            yield RawRow(number, offset, content, error=broken)
        else:
            yield RawRow(number, offset, content, fields)


def not_an_object(value: object) -> RowError:
    """A row must be an object with named fields."""
    kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    what = kind.get(type(value), "a number")
    return RowError("not_an_object", None, f"A row must be an object {{…}}, this is {what}.")
