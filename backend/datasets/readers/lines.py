"""Lines of a text file with their place in it, whatever the encoding; never the whole file.

All these encodings but UTF-16 keep the byte of a line feed for a line feed alone, so that lines
can be cut before they are decoded.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backend.datasets.readers.encoding import Encoding
from backend.datasets.rows import MAX_ROW_BYTES, RowError, UnreadableFile


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


def _readline(file: io.TextIOWrapper, number: int) -> str:
    try:
        return file.readline(MAX_ROW_BYTES // 2)
    except UnicodeDecodeError as error:  # only an odd byte at the very end
        raise UnreadableFile(
            "invalid_encoding",
            f"The file ends in the middle of a {file.encoding} character, line {number} or later.",
            "The upload may be incomplete: upload it again, or save it as UTF-8.",
            line=number,
        ) from error


def _wide_lines(path: Path, encoding: Encoding) -> Iterator[Line]:
    """UTF-16: decoded first; halves of surrogate pairs pass and are found line by line."""
    offset, number = encoding.skip_bytes, 0
    with path.open("rb", buffering=1 << 20) as file:
        file.seek(encoding.skip_bytes)
        text_file = io.TextIOWrapper(file, encoding.codec, "surrogatepass", newline="\n")
        while text := _readline(text_file, number + 1):
            number += 1
            start, error = offset, None
            offset += len(text.encode(encoding.codec, "surrogatepass"))
            if len(text) == MAX_ROW_BYTES // 2 and not text.endswith("\n"):
                error = too_long()
                while (more := text_file.readline(1 << 20)) and not more.endswith("\n"):
                    offset += len(more.encode(encoding.codec, "surrogatepass"))
                offset += len(more.encode(encoding.codec, "surrogatepass"))
            try:
                yield Line(number, start, text.encode(), error)
            except UnicodeEncodeError as wrong:
                shown = text.encode("utf-8", "backslashreplace")
                found = undecodable(encoding.codec, 2 * wrong.start)
                yield Line(number, start, shown, error or found)
