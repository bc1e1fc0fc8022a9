"""CSV and its relatives: delimiter by trial, quotes strictly, every row with its first line.

A quote that goes wrong costs the line that opened it; what the quote had swallowed is read again.
Files that were joined bring their marks and their headers with them, which is reported.
"""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.datasets.readers import lines
from backend.datasets.readers.encoding import Encoding
from backend.datasets.rows import MAX_ROW_BYTES, RawRow, RowError, UnreadableFile

DELIMITERS = (",", "\t", ";", "|")
SAMPLE_ROWS = 50
# A delimiter that is not the one a file should have must cut nearly all rows alike.
SURE = 0.8
_MARK = codecs.BOM_UTF8
# How Excel is told what parts the columns: a first line that is no header.
_SAYS = re.compile(rb'"?sep=([^"\r\n\0\x80-\xff])"?\r?\n?', re.IGNORECASE)


class _LineFeed(Iterator[str]):
    """Feeds the csv module and remembers where in the file it is."""

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self._lines = lines.read(path, encoding)
        self._again: deque[lines.Line] = deque()
        self._record: list[lines.Line] = []
        # The header, once it is known, when it is a single line.
        self.header = b""

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        content = line.content
        if _MARK in content:
            line = self._without_header(line)
            content = line.content if self._record else line.content.removeprefix(_MARK)
        self._record.append(line)
        # Bytes that are not valid text stay visible; the row is dropped for them below.
        return content.decode("utf-8", "backslashreplace")

    def _without_header(self, line: lines.Line) -> lines.Line:
        """The line up to the header of the next file, where one without a line end was joined."""
        content, mark, header = line.content.rpartition(_MARK)
        if not content or not self.header or header.strip() != self.header:
            return line
        joined = lines.Line(line.number, line.offset + len(content), mark + header)
        self._again.appendleft(joined)
        return line._replace(content=content + b"\n")

    def take(self) -> list[lines.Line]:
        """The lines that were consumed since the last call: those of one record."""
        record, self._record = self._record, []
        return record

    def put_back(self, record: list[lines.Line]) -> None:
        """Have these lines read again."""
        self._again.extendleft(reversed(record))


def has_tabs(path: Path, encoding: Encoding) -> bool:
    """Whether a tab parts the columns of the header."""
    first = next((line for line in lines.read(path, encoding) if line.content.strip()), None)
    return (
        first is not None and b"\t" in first.content.strip() and not _SAYS.fullmatch(first.content)
    )


def delimiter_of(path: Path, encoding: Encoding, otherwise: str = ",") -> str:
    """What the first line says, or the delimiter that cuts the first rows into the same number of
    columns, more than one; for `otherwise` a doubt is enough."""
    csv.field_size_limit(MAX_ROW_BYTES)
    first = next(lines.read(path, encoding), None)
    if first is not None and (says := _SAYS.fullmatch(first.content)):
        return says[1].decode()
    best, best_score = otherwise, (0.0 if otherwise == "," else SURE, 0)
    for delimiter in DELIMITERS:
        reader = csv.reader(_LineFeed(path, encoding), delimiter=delimiter)
        widths = []
        try:
            for cells in reader:
                if cells:
                    widths.append(len(cells))
                if len(widths) == SAMPLE_ROWS:
                    break
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            score = (widths.count(widths[0]) / len(widths), widths[0])
            if score > best_score:
                best, best_score = delimiter, score
    return best


def read(path: Path, encoding: Encoding, delimiter: str) -> Iterator[RawRow]:
    """Every row below the header; cells are text. Raises `UnreadableFile` for a bad header."""
    csv.field_size_limit(MAX_ROW_BYTES)
    feed = _LineFeed(path, encoding)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    titles: list[str] = []
    while True:
        error: RowError | None = None
        cells: list[str] = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            error = _broken(wrong)
        record = feed.take()
        if error is not None:
            feed.put_back(record[1:])
            record = record[:1]
        if not record:
            return  # the error was that the file ended
        if not cells and (error is None or not record[0].content.strip()):
            continue  # an empty line
        if header is None:
            if record[0].number > 1 or not _SAYS.fullmatch(record[0].content):
                header, titles = _header(cells, record, error), cells
                if len(record) == 1:
                    feed.header = record[0].content.removeprefix(_MARK).strip()
            continue
        if cells == titles and error is None:
            message = "The row says the same as the header: the file is made of several."
            error = RowError("repeated_header", None, message)
        yield _row(header, cells, record, error)


def _row(
    header: list[str], cells: list[str], record: list[lines.Line], error: RowError | None
) -> RawRow:
    error = error or next((line.error or _undecodable(line) for line in record if _bad(line)), None)
    extra = cells[len(header) :]
    if error is None and (len(cells) < len(header) or any(extra)):
        error = RowError(
            "ragged_row", None, f"The row has {len(cells)} cells, the header {len(header)}."
        )
    raw = b"".join(line.content[:1000] for line in record[:10])
    row = RawRow(record[0].number, record[0].offset, raw, error=error)
    if error is None:
        row.fields = dict(zip(header, cells, strict=False))
        if record[0].content.startswith(_MARK):
            row.repairs.append(lines.mark_removed())
    return row


def _bad(line: lines.Line) -> bool:
    return line.error is not None or not _is_text(line.content)


def _is_text(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _undecodable(line: lines.Line) -> RowError:
    return RowError("invalid_encoding", None, f"Line {line.number} has bytes that are not text.")


def _broken(error: csv.Error) -> RowError:
    if "unexpected end of data" in str(error):
        return RowError("broken_quotes", None, "A quote is opened here and never closed.")
    if "new-line character" in str(error):  # as old programs of the Macintosh write them
        message = (
            "Lines end with a carriage return alone; write them with a line feed (LF or CRLF)."
        )
        return RowError("broken_line_end", None, message)
    if "field limit" in str(error):
        return lines.too_long()
    return RowError("broken_quotes", None, f"Quotes are not as CSV wants them: {error}.")


def _header(cells: list[str], record: list[lines.Line], error: RowError | None) -> list[str]:
    names = [cell.strip() or f"column_{n}" for n, cell in enumerate(cells, 1)]
    repeated = next((name for name in names if names.count(name) > 1), None)
    wrong: tuple[str, str, dict[str, Any]] | None = None
    if error is not None:
        wrong = ("broken_header", f"The first line can not be read. {error.message}", {})
    elif repeated is not None:
        message = f"Two columns have the same name “{repeated}”."
        wrong = ("duplicate_column", message, {"column": repeated})
    if wrong is None:
        return names
    code, message, params = wrong
    raise UnreadableFile(
        code,
        message,
        "Give every column its own name in the first line and upload the file again.",
        line=record[0].number,
        byte_offset=record[0].offset,
        excerpt=record[0].content[:200].decode("utf-8", "backslashreplace"),
        params=params,
    )
