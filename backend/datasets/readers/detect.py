"""Which kind of file this is: by its name where that is clear, else by how it begins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from backend.datasets.readers import delimited, encoding, json_document, jsonl, plain_text
from backend.datasets.readers.chunks import Chunk, chunks
from backend.datasets.readers.encoding import Encoding
from backend.datasets.rows import RawRow, UnreadableFile

HEAD_BYTES = 1 << 18
JSON_LINES = frozenset({".jsonl", ".ndjson", ".jsonlines"})
DELIMITED = frozenset({".csv", ".tsv", ".tab"})
PLAIN = frozenset({".txt", ".text", ".md"})


@dataclass(frozen=True)
class Source:
    """A file that is understood; `rows` reads it from the beginning each time.

    `chunks` is there for a file whose pieces can be read apart, in the encoding `codec`.
    """

    kind: str
    encoding: str
    delimiter: str | None
    because: str
    rows: Callable[[], Iterator[RawRow]]
    codec: str
    chunks: Callable[[], Iterator[Chunk]] | None = None


def open_source(path: Path, filename: str, is_one_row: Callable[[dict[str, Any]], bool]) -> Source:
    """Find out how to read the file; raises `UnreadableFile`.

    `is_one_row` tells whether an object is a row in itself, for a file that is a single object.
    """
    found = encoding.detect(path)
    suffix = PurePosixPath(filename).suffix.lower()
    with path.open("rb") as file:
        file.seek(found.skip_bytes)
        head = file.read(HEAD_BYTES)
    complete = len(head) < HEAD_BYTES
    text = head.decode(found.codec, "replace")
    if not text.strip():
        raise UnreadableFile("empty_file", "The file is empty.", "Upload a file with rows.")
    kind, because = _kind(text, complete, suffix, is_one_row)
    if kind == "csv" and suffix not in DELIMITED and not _is_table(path, found):
        raise UnreadableFile(
            "unknown_file_type",
            f"“{filename}” is neither JSON nor JSON lines nor a table.",
            "Name it .txt if it is plain text, or export it as JSON, JSON lines or CSV.",
        )
    return _source(path, found, kind, because, suffix)


def _source(path: Path, found: Encoding, kind: str, because: str, suffix: str) -> Source:
    if kind == "csv":
        delimiter = "\t" if suffix in {".tsv", ".tab"} else delimited.delimiter_of(path, found)
        kind = "tsv" if delimiter == "\t" else "csv"
        rows = partial(delimited.read, path, found, delimiter)
        return Source(kind, found.name, delimiter, because, rows, found.codec)
    readers = {"jsonl": jsonl.read, "json": json_document.read, "txt": plain_text.read}
    whole_lines = kind == "jsonl" and jsonl.can_be_cut(found)
    return Source(
        kind,
        found.name,
        None,
        because,
        partial(readers[kind], path, found),
        found.codec,
        partial(chunks, path, found.skip_bytes) if whole_lines else None,
    )


def _kind(
    text: str, complete: bool, suffix: str, is_one_row: Callable[[dict[str, Any]], bool]
) -> tuple[str, str]:
    """json, jsonl, csv or txt, and why."""
    if suffix in DELIMITED:
        return "csv", f"the name ends in {suffix}"
    lines = [line for line in text.splitlines() if line.strip()]
    first = text.lstrip()[0]
    if suffix in PLAIN and not (first == "{" and isinstance(_value(lines[0]), dict)):
        return "txt", f"the name ends in {suffix}"
    if first == "[":
        return "json", "the file begins with an array"
    if suffix in JSON_LINES:
        return "jsonl", f"the name ends in {suffix}"
    if first == "{":
        return _object_or_lines(lines, complete, is_one_row)
    if suffix == ".json":
        return "json", "the name ends in .json"
    return "csv", "the file looks like a table"


def _object_or_lines(
    lines: list[str], complete: bool, is_one_row: Callable[[dict[str, Any]], bool]
) -> tuple[str, str]:
    several = len(lines) > 1
    if several and lines[1].lstrip().startswith("{"):
        whole = [isinstance(_value(line), dict) for line in lines[:2]]
        if any(whole) or lines[0].rstrip().endswith("}"):
            return "jsonl", "every line is an object"
    value = _value(lines[0]) if not several else None
    if isinstance(value, dict) and complete and is_one_row(value):
        return "jsonl", "the file is one object that is a row"
    if several and isinstance(_value(lines[0]), dict):
        return "jsonl", "the first line is an object"
    return "json", "the file begins with an object"


def _value(line: str) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _is_table(path: Path, found: Encoding) -> bool:
    """Whether the first rows have the same number of columns, more than one."""
    delimiter = delimited.delimiter_of(path, found)
    rows = delimited.read(path, found, delimiter)
    seen = [row for row, _ in zip(rows, range(delimited.SAMPLE_ROWS), strict=False)]
    good = [row for row in seen if row.fields is not None and len(row.fields) > 1]
    return len(good) > 0.8 * len(seen) > 0
