"""One JSON document: an array of rows, or an object that holds one array of rows.

Read in pieces: memory holds one row and a buffer, not the file.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.datasets.readers.encoding import Encoding
from backend.datasets.readers.json_text import JsonText
from backend.datasets.readers.jsonl import not_an_object
from backend.datasets.rows import RawRow, RowError, UnreadableFile


def read(path: Path, encoding: Encoding) -> Iterator[RawRow]:
    """Every element of the array; raises `UnreadableFile` where the document breaks."""
    with path.open("rb", buffering=0) as file:
        text = JsonText(file, encoding)
        first = text.peek()
        if first == "[":
            yield from _elements(text)
        elif first == "{":
            yield from _members(text)
        else:
            raise text.broken("Expecting an array [ or an object {")
        if text.peek():
            raise text.broken("Extra text after the end of the document")


def _elements(text: JsonText) -> Iterator[RawRow]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield _row(text)
        if text.peek() == "]":
            text.take("]")
            return
        text.take(",")


def _row(text: JsonText) -> RawRow:
    text.peek()
    line, offset = text.line, text.byte_offset
    fields: Any = None
    error: RowError | None = None
    try:
        fields = text.value()
        if type(fields) is not dict:
            raise not_an_object(fields)
    except RowError as wrong:
        error = wrong
    raw = text.last_source
    return RawRow(line, offset, raw, None if error else fields, error)


def _members(text: JsonText) -> Iterator[RawRow]:
    """`{"data": [rows], "version": 1}`: whatever else the object has must not be an array."""
    found: str | None = None
    text.take("{")
    while text.peek() != "}":
        name = _value(text)
        if not isinstance(name, str):
            raise text.broken("Expecting a property name in double quotes")
        text.take(":")
        if text.peek() == "[":
            if found is not None:
                raise _several(found, name, text.line)
            found = name
            yield from _elements(text)
        else:
            _value(text)
        if text.peek() != ",":
            break
        text.take(",")
    text.take("}")
    if found is None:
        raise UnreadableFile(
            "no_rows",
            "The document is one object without an array of rows.",
            "Upload an array of objects [{…}, {…}], or one object per line as JSON lines.",
        )


def _value(text: JsonText) -> Any:
    """A value beside the rows; what is wrong with it breaks the document."""
    try:
        return text.value()
    except RowError as error:
        raise text.broken(error.message.rstrip(".")) from None


def _several(first: str, second: str, line: int) -> UnreadableFile:
    return UnreadableFile(
        "several_arrays",
        f"The object holds more than one array (“{first}” and “{second}”): which are the rows?",
        "Keep only the array of rows, or write one row per line as JSON lines.",
        line=line,
        params={"first": first, "second": second},
    )
