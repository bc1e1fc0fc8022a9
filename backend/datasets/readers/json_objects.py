"""Objects one after the other that are not JSON lines, though nearly: parted by commas, written
over several lines each, or with carriage returns for line ends.

All of that means one thing only, so that the rows are read, and the first one says what was odd. A
broken object costs its row: the next one is found where a line begins with a brace.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from backend.datasets.readers.encoding import Encoding
from backend.datasets.readers.json_text import JsonText
from backend.datasets.readers.jsonl import not_an_object
from backend.datasets.readers.lines import MARK, mark_removed
from backend.datasets.rows import RawRow, Repair, RowError, UnreadableFile

_SPACE = " \t\r\n" + MARK
_COMMAS = "the objects are parted by commas"
LINES = "each object is written over several lines"
_RETURNS = "the lines end with a carriage return alone"
_TOGETHER = "the objects follow each other on one line"


def oddity(text: str) -> str | None:
    """What is odd about the objects of a text that begins with one; None for JSON lines, for a
    single object, and for what can not be told from so much of the text."""
    text = text.lstrip(_SPACE)
    if not text.startswith("{"):
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):  # also for a number of thousands of digits
        return None
    rest = text[end:].lstrip(_SPACE)
    has_comma = rest.startswith(",")
    if has_comma:
        rest = rest[1:].lstrip(_SPACE)
    # An object alone with a comma behind it may be the first of many, or have lost the others.
    if rest[:1] != "{" and not (has_comma and not rest):
        return None
    between = text[end : len(text) - len(rest)]
    return _said(text[:end], between)


def _said(first: str, between: str) -> str | None:
    if "," in between:
        return _COMMAS
    if "\n" not in first + between and "\r" in first + between:
        return _RETURNS
    if "\n" in first:
        return LINES
    return _TOGETHER if "\n" not in between else None


def read(path: Path, encoding: Encoding, odd: str | None) -> Iterator[RawRow]:
    """Every object of the file; `odd` is what `oddity` says, which the first row reports."""
    with path.open("rb", buffering=0) as file:
        text = JsonText(file, encoding, "\r" if odd == _RETURNS else "\n")
        repairs = [_told(odd)] if odd else []
        while first := text.peek():
            if first == MARK:
                text.take(MARK)
                repairs.append(mark_removed())
                continue
            row = _row(text)
            if row.error is None:
                row.repairs, repairs = repairs, []
            yield row
            if text.peek() == ",":
                text.take(",")


def _told(odd: str) -> Repair:
    message = f"{odd[0].upper()}{odd[1:]}; each object of the file was read as a row."
    return Repair("odd_json_lines", None, message)


def _row(text: JsonText) -> RawRow:
    line, offset = text.line, text.byte_offset
    try:
        fields = text.value()
        if type(fields) is dict:
            return RawRow(line, offset, text.last_source, fields)
        error = not_an_object(fields)
    except RowError as wrong:
        error = wrong
    except UnreadableFile as broken:
        left = text.leave_broken()
        if left is None:
            raise
        reason = broken.message.removeprefix("The file is not valid JSON: ")
        return RawRow(*left, error=RowError("broken_json", None, f"Not valid JSON: {reason}"))
    return RawRow(line, offset, text.last_source, error=error)
