"""Which kind of file this is: by its name where that is clear, else by how it begins.

What the user says in the options comes before what is recognised.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import orjson

from backend.datasets.readers import (
    delimited,
    encoding,
    git_lfs,
    json_columns,
    json_document,
    json_objects,
    jsonl,
    plain_text,
)
from backend.datasets.readers.chunks import Span, spans
from backend.datasets.readers.encoding import Encoding, Listen
from backend.datasets.readers.options import Options
from backend.datasets.readers.row_blocks import blocks_of
from backend.datasets.rows import RawRow, UnreadableFile

HEAD_BYTES = 1 << 18
JSON_LINES = frozenset({".jsonl", ".ndjson", ".jsonlines"})
TABS = frozenset({".tsv", ".tab"})
DELIMITED = frozenset({".csv", *TABS})
PLAIN = frozenset({".txt", ".text", ".md"})
PARQUET_MAGIC = b"PAR1"
_LINE_END = re.compile("\r\n|\r|\n")


class Rows(Protocol):
    """Some consecutive rows that can be converted apart from the others, in another process too."""

    @property
    def done_bytes(self) -> int:
        """How much of the file is behind them."""

    def rows(self) -> Iterator[RawRow]:
        """The rows."""


# Whole lines are taken apart where they are converted, which their encoding is needed for.
Piece = Span | Rows
IsOneRow = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True)
class Source:
    """A file that is understood; `rows` and `pieces` read it from the beginning each time.

    `codec` is the encoding of pieces that are whole lines; `also` names encodings that the file
    may be written in as well.
    """

    kind: str
    encoding: str | None
    delimiter: str | None
    because: str
    rows: Callable[[], Iterator[RawRow]]
    pieces: Callable[[], Iterator[Piece]]
    codec: str = "utf-8"
    also: tuple[str, ...] = ()


def open_source(
    path: Path,
    filename: str,
    is_one_row: IsOneRow,
    options: Options = Options(),
    listen: Listen = lambda: None,
) -> Source:
    """Find out how to read the file; raises `UnreadableFile`.

    `is_one_row` tells whether an object is a row in itself, for a file that is a single object;
    `listen` is called now and then and may raise to end it.
    """
    name = PurePosixPath(filename.lower())
    # A browser may have unpacked the file on its way and left the name.
    suffix = PurePosixPath(name.stem).suffix if name.suffix == ".gz" else name.suffix
    if _is_parquet(path):
        return _parquet(path)
    git_lfs.refuse_pointer(path)
    if suffix in {".parquet", ".pq"} and path.stat().st_size:
        raise UnreadableFile(
            "broken_parquet",
            "The name says Parquet, but the file is not.",
            "Write it again, or give it the name of what it is.",
        )
    if options.encoding:
        found = encoding.named(path, options.encoding, listen)
    else:
        found = encoding.detect(path, listen)
    text, complete = _head(path, found)
    kind, because = _kind(text, complete, suffix, is_one_row, options)
    is_cut = kind == "json" and not complete
    if is_cut and json_columns.begins(text) and json_columns.holds_columns(path, found):
        kind, because = "columns", json_columns.BECAUSE
    if kind == "csv" and suffix not in DELIMITED and not options.delimiter:
        _require_table(path, filename, found)
    return _source(path, found, kind, because, suffix, options)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def _parquet(path: Path) -> Source:
    from backend.datasets.readers import parquet  # with the library that it needs

    because = "the file is Parquet"
    rows, pieces = partial(parquet.rows, path), partial(parquet.pieces, path)
    return Source("parquet", None, None, because, rows, pieces)


def _head(path: Path, found: Encoding) -> tuple[str, bool]:
    """How the file begins, and whether that is all of it."""
    with path.open("rb") as file:
        file.seek(found.skip_bytes)
        head = file.read(HEAD_BYTES)
    text = head.decode(found.codec, "replace")
    if not text.strip():
        raise UnreadableFile("empty_file", "The file is empty.", "Upload a file with rows.")
    return text, len(head) < HEAD_BYTES


def _source(
    path: Path, found: Encoding, kind: str, because: str, suffix: str, options: Options
) -> Source:
    delimiter = None
    whole_lines = kind == "jsonl" and jsonl.can_be_cut(found)
    rows: Callable[[], Iterator[RawRow]]
    if kind == "objects":
        kind, rows = "jsonl", partial(json_objects.read, path, found, because)
    elif kind == "object":
        kind, rows = "json", partial(json_objects.read, path, found, None)
    elif kind == "columns":
        kind, rows = "json", partial(json_columns.read, path, found)
    elif kind == "csv":
        delimiter = options.delimiter or _delimiter(path, found, suffix)
        if suffix in TABS and delimiter != "\t":
            because = f"{because}, but its columns are parted by “{delimiter}”"
        kind = "tsv" if delimiter == "\t" else "csv"
        rows = partial(delimited.read, path, found, delimiter)
    elif kind == "txt":
        rows = partial(plain_text.read, path, found, options.one_document)
    else:
        rows = partial(jsonl.read if kind == "jsonl" else json_document.read, path, found)
    return Source(
        kind,
        found.name,
        delimiter,
        because,
        rows,
        partial(spans, path, found.skip_bytes) if whole_lines else lambda: blocks_of(rows()),
        found.codec,
        found.also,
    )


def _delimiter(path: Path, found: Encoding, suffix: str) -> str:
    """What parts the columns; a name that says tabs is not believed when the header has none."""
    if suffix in TABS and delimited.has_tabs(path, found):
        return "\t"
    return delimited.delimiter_of(path, found, otherwise="\t" if suffix in TABS else ",")


def _kind(
    text: str, complete: bool, suffix: str, is_one_row: IsOneRow, options: Options
) -> tuple[str, str]:
    """How to read the text, and why: csv, txt, jsonl (a row on each line), json (a document with
    an array of rows), object (all of it is one row), objects (see `json_objects`) or columns (see
    `json_columns`)."""
    lines = [line for line in _LINE_END.split(text) if line.strip()]
    first = text.lstrip()[0]
    odd = json_objects.oddity(text) if first == "{" else None
    is_object = odd is not None or (first == "{" and isinstance(_value(lines[0]), dict))
    if suffix in DELIMITED and not is_object:
        return "csv", f"the name ends in {suffix}"
    if options.delimiter and not is_object and first != "[":
        return "csv", "you said what parts its columns"
    if suffix in PLAIN and (options.documents or not is_object):
        return "txt", f"the name ends in {suffix}"
    if first == "[":
        return "json", "the file begins with an array"
    if odd is not None:
        return "objects", odd
    if first == "{" and complete and (alone := _object_alone(text, is_one_row, suffix)):
        return alone
    if suffix in JSON_LINES:
        if lines[0].strip() == "{" and len(lines) > 1:
            return "objects", json_objects.LINES
        return "jsonl", f"the name ends in {suffix}"
    if first == "{":
        return _object_or_lines(lines)
    if suffix == ".json":
        return "json", "the name ends in .json"
    return "csv", "the file looks like a table"


def _object_alone(text: str, is_one_row: IsOneRow, suffix: str) -> tuple[str, str] | None:
    """What a text is that is nothing but one object; None for any other."""
    value = _value(text)
    if not isinstance(value, dict):
        return None
    one_line = _LINE_END.search(text.strip()) is None
    if json_columns.columns_of(value) is not None:
        return "columns", json_columns.BECAUSE
    if is_one_row(value):
        return "jsonl" if one_line else "object", "the file is one object that is a row"
    if one_line and suffix in JSON_LINES:
        return None
    return "json", "the file begins with an object"


def _object_or_lines(lines: list[str]) -> tuple[str, str]:
    if len(lines) > 1:
        if lines[1].lstrip().startswith("{"):
            whole = [isinstance(_value(line), dict) for line in lines[:2]]
            if any(whole) or lines[0].rstrip().endswith("}"):
                return "jsonl", "every line is an object"
        if isinstance(_value(lines[0]), dict):
            return "jsonl", "the first line is an object"
    return "json", "the file begins with an object"


def _value(line: str) -> Any:
    try:
        return orjson.loads(line)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None


def _require_table(path: Path, filename: str, found: Encoding) -> None:
    """Raise `UnreadableFile` unless the first rows have the same number of columns, several."""
    delimiter = delimited.delimiter_of(path, found)
    rows = delimited.read(path, found, delimiter)
    seen = [row for row, _ in zip(rows, range(delimited.SAMPLE_ROWS), strict=False)]
    good = [row for row in seen if row.fields is not None and len(row.fields) > 1]
    if not len(good) > 0.8 * len(seen) > 0:
        raise UnreadableFile(
            "unknown_file_type",
            f"“{filename}” is neither JSON nor JSON lines nor a table.",
            "Name it .txt if it is plain text, or export it as JSON, JSON lines or CSV.",
        )
