"""Lines of a text file with their place in it, whatever the encoding; never the whole file.

All these encodings but UTF-16 keep the byte of a line feed for a line feed alone, so that lines
can be cut before they are decoded.
"""

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backend.datasets.readers.encoding import Encoding
from backend.datasets.rows import MAX_ROW_BYTES, Repair, RowError

# A byte order mark, which belongs to the beginning of a file alone.
MARK = "\ufeff"


class Line(NamedTuple):
    """`number` from 1, `offset` in bytes, the content with its line end in UTF-8.

    With an `error` the content is only good for an excerpt.
    """

    number: int
    offset: int
    content: bytes
    error: RowError | None = None


def read(path: Path, encoding: Encoding) -> Iterator[Line]:
    """All lines, empty ones too."""
    if encoding.codec.startswith("utf-16"):
        return _wide_lines(path, encoding)
    lines = _raw_lines(path, encoding.skip_bytes)
    codec = encoding.codec
    return lines if codec == "utf-8" else (decoded(line, codec) for line in lines)


def _raw_lines(path: Path, skip_bytes: int) -> Iterator[Line]:
    offset, number = skip_bytes, 0
    with path.open("rb", buffering=1 << 20) as file:
        file.seek(skip_bytes)
        while raw := file.readline(MAX_ROW_BYTES):
            number += 1
            start, error = offset, None
            offset += len(raw)
            if len(raw) == MAX_ROW_BYTES and not raw.endswith(b"\n"):
                error = too_long()
                while (more := file.readline(1 << 20)) and not more.endswith(b"\n"):
                    offset += len(more)
                offset += len(more)
            yield Line(number, start, raw, error)


def too_long() -> RowError:
    """A row may not be longer than `MAX_ROW_BYTES`."""
    return RowError("row_too_long", None, f"Longer than {MAX_ROW_BYTES // 2**20} MB.")


def mark_removed() -> Repair:
    """A mark that only belongs to the beginning of a file stood before a row."""
    message = "A byte order mark before the row was left out: the file is made of several."
    return Repair("byte_order_mark_removed", None, message)


def decoded(line: Line, codec: str) -> Line:
    """The line in UTF-8; what can not be decoded stays visible in it, with the error."""
    try:
        return line._replace(content=line.content.decode(codec).encode())
    except UnicodeDecodeError as error:
        shown = line.content.decode(codec, "backslashreplace").encode()
        return line._replace(content=shown, error=line.error or undecodable(codec, error.start))


def undecodable(codec: str, position: int) -> RowError:
    """The line has bytes that mean nothing in the file's encoding."""
    return RowError(
        "invalid_encoding", None, f"Byte {position + 1} of the line is not valid {codec}."
    )


def _wide_lines(path: Path, encoding: Encoding) -> Iterator[Line]:
    """UTF-16: decoded first; halves of surrogate pairs pass and are found line by line."""
    offset, number, most = encoding.skip_bytes, 0, MAX_ROW_BYTES // 2
    with path.open("rb", buffering=1 << 20) as file:
        file.seek(encoding.skip_bytes)
        # An odd byte at the very end, of a file that was cut off, becomes a mark.
        text_file = io.TextIOWrapper(file, encoding.codec, _wide_errors(), newline="\n")
        while text := text_file.readline(most):
            number += 1
            start, error = offset, None
            offset += _wide_size(text)
            if len(text) == most and not text.endswith("\n"):
                error = too_long()
                while (more := text_file.readline(1 << 20)) and not more.endswith("\n"):
                    offset += _wide_size(more)
                offset += _wide_size(more)
            try:
                yield Line(number, start, text.encode(), error)
            except UnicodeEncodeError as wrong:
                shown = text.encode("utf-8", "backslashreplace")
                found = undecodable(encoding.codec, 2 * wrong.start)
                yield Line(number, start, shown, error or found)


def _wide_size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass"))


def _wide_errors() -> str:
    """The name of an error handler: halves of pairs as they are, an odd byte as half a pair."""
    name = "backend.datasets.half_pairs"
    codecs.register_error(name, _half_pairs)
    return name


def _half_pairs(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError) and error.end - error.start < 2:
        return "\udc80", error.end
    return codecs.lookup_error("surrogatepass")(error)
