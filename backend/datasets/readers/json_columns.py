"""A JSON document that holds its columns one after the other, as pandas writes them: by number
`{"prompt": {"0": …, "1": …}, …}`, or as lists of the same length `{"prompt": [ …, …], …}`.

A row is complete only with the last column, so that all of the file must fit into memory.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from backend.datasets.readers import strict_json
from backend.datasets.readers.encoding import Encoding
from backend.datasets.rows import MAX_ROW_BYTES, RawRow, RowError, UnreadableFile

BECAUSE = "the file holds its columns one after the other, as pandas writes them"
HEAD_BYTES = 1000
MIN_COLUMNS = 2
# Lists of the same length under these names are the words of one text.
_WORDS = "tokens"
_BY_NUMBER = re.compile(r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"\d+"\s*:')
_BY_PLACE = re.compile(r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\[\s*(?:["\d\-tfn]|\[)')


def begins(text: str) -> bool:
    """Whether a text may be the beginning of such a document: cheap, and no proof."""
    return bool(_BY_NUMBER.match(text) or _BY_PLACE.match(text))


def holds_columns(path: Path, encoding: Encoding) -> bool:
    """Whether all of the file is such a document; raises `UnreadableFile` for one too large."""
    if path.stat().st_size > MAX_ROW_BYTES:
        with path.open("rb") as file:
            file.seek(encoding.skip_bytes)
            head = file.read(HEAD_BYTES).decode(encoding.codec, "replace")
        if _BY_NUMBER.match(head):
            raise _too_large()
        return False
    try:
        return columns_of(orjson.loads(_text(path, encoding))) is not None
    except (ValueError, RowError):
        return False


def columns_of(value: Any) -> dict[str, list[Any]] | None:
    """The columns of a document, each as a list; None when it is something else."""
    if not isinstance(value, dict) or not value:
        return None
    columns = list(value.values())
    if all(isinstance(column, dict) for column in columns):
        numbers = columns[0].keys()
        if not numbers or not all(number.isdecimal() for number in numbers):
            return None
        if any(column.keys() != numbers for column in columns):
            return None
        return {name: [column[n] for n in numbers] for name, column in value.items()}
    if len(columns) < MIN_COLUMNS or _WORDS in value:
        return None
    if not all(isinstance(column, list) and column for column in columns):
        return None
    # Objects in a list are the turns or the steps of one row.
    if any(isinstance(cell, dict) for column in columns for cell in column):
        return None
    if all(isinstance(cell, list) for column in columns for cell in column):
        return None
    return value if len({len(column) for column in columns}) == 1 else None


def read(path: Path, encoding: Encoding) -> Iterator[RawRow]:
    """Every row, numbered from 1."""
    try:
        columns = columns_of(strict_json.parse(_text(path, encoding)))
    except RowError as error:
        raise _refused("broken_json", error.message) from None
    if columns is None:
        raise _refused("broken_json", "The columns do not have the same rows.")
    for number, cells in enumerate(zip(*columns.values(), strict=True), 1):
        fields = dict(zip(columns, cells, strict=True))
        yield RawRow(number, None, orjson.dumps(fields)[:HEAD_BYTES], fields)


def _text(path: Path, encoding: Encoding) -> bytes:
    """All of the file in UTF-8."""
    content = path.read_bytes()[encoding.skip_bytes :]
    if encoding.codec == "utf-8":
        return content
    try:
        return content.decode(encoding.codec).encode()
    except UnicodeError:
        message = f"Bytes in it are not valid {encoding.name}."
        raise RowError("invalid_encoding", None, message) from None


def _too_large() -> UnreadableFile:
    return _refused(
        "columns_too_large",
        f"The file holds its columns one after the other, as pandas writes them, and is larger "
        f"than {MAX_ROW_BYTES // 2**20} MB: no row of it can be read before its end.",
    )


def _refused(code: str, message: str) -> UnreadableFile:
    return UnreadableFile(
        code,
        message,
        "Write it again with one row on each line: to_json(…, orient='records', lines=True).",
    )
