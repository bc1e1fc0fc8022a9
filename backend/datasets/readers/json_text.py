"""A cursor over JSON text that is decoded and read on as needed.

`json.JSONDecoder.raw_decode` does the work; this class feeds it, and tells a value that is cut by
the end of the buffer from one that is broken. Bytes that mean nothing in the encoding become marks,
so that only the value that holds them is lost. A value that breaks can be left behind where the
next object is known to begin.
"""

import codecs
import json
import re
from typing import Any, BinaryIO

from backend.datasets.readers.encoding import Encoding
from backend.datasets.readers.lines import too_long
from backend.datasets.readers.strict_json import Checks, too_deep
from backend.datasets.rows import EXCERPT_CHARACTERS, MAX_ROW_BYTES, RowError, UnreadableFile

CHUNK_BYTES = 1 << 18
# The longest token that can be cut without looking like an unfinished string: -Infinity, \uXXXX.
TOKEN_CHARACTERS = 16
_SPACE = re.compile(r"[ \t\r\n]*")
# Where an object begins that is no part of another: at the beginning of a line, nothing before it.
_NEXT_OBJECT = re.compile("(?:(?<=[\r\n])|(?<=[\r\n]\ufeff)){")
# A value that is found to be broken further on than this is too costly to leave behind, time and
# again.
MAX_LEFT_BEHIND = 1 << 20
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
# A byte that is not text is kept as a half of a surrogate pair, which no text of a file can be.
_MARK = 0xDC00
_MARKS = re.compile("[\udc00-\udcff]")
_HINT = "Correct the file at this place, or export it again as JSON lines, and upload it."


class JsonText:
    """The text from `position` on; `line` (from 1) and `byte_offset` say where that is."""

    def __init__(self, file: BinaryIO, encoding: Encoding, line_end: str = "\n") -> None:
        """`line_end` is what lines are counted by."""
        file.seek(encoding.skip_bytes)
        self._file = file
        self._encoding = encoding
        codecs.register_error(_marked.__name__, _marked)
        self._decoder = codecs.getincrementaldecoder(encoding.codec)(_marked.__name__)
        self._checks = Checks()
        self._text = ""
        self._position = 0
        self._ended = False
        self._line_end = line_end
        # Where the last value that broke begins, with its line and its byte.
        self._broken_from: tuple[int, int, int] | None = None
        self.line = 1
        self.byte_offset = encoding.skip_bytes
        self.last_source = ""

    def peek(self) -> str:
        """The next character that is not space, without taking it; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._position)
            self._advance(match.end() if match else self._position)
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._fill():
                return ""

    def take(self, expected: str) -> None:
        """Step over `expected`; raises `UnreadableFile`."""
        found = self.peek()
        if found != expected:
            what = f"found {found!r}" if found else "the file ends here"
            raise self.broken(f"Expecting {expected!r}, {what}")
        self._advance(self._position + 1)

    def value(self) -> Any:
        """The next value; raises `RowError` when it is whole but wrong, else `UnreadableFile`."""
        if not self.peek():
            raise self.broken("Expecting a value, the file ends here")
        while True:
            try:
                value, end = self._checks.decoder.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                if not self._may_be_cut(error) or not self._fill():
                    raise self._broken_at(error) from None
            except RecursionError:
                self._take_source(self._end_of_deep_value())
                raise too_deep() from None
            else:
                # A number at the end of the buffer may go on.
                if end < len(self._text) or not self._fill():
                    break
        begin = self._position
        self._take_source(end)
        if end - begin > MAX_ROW_BYTES:
            raise too_long()
        try:
            self._checks.require_clean(value)
        except RowError as error:
            bad = _MARKS.search(self._text, begin, end)
            if error.rule != "invalid_text" or bad is None:
                raise
            message = f"Bytes in it are not valid {self._encoding.name}."
            raise RowError("invalid_encoding", None, message) from None
        return value

    def _broken_at(self, error: json.JSONDecodeError) -> UnreadableFile:
        """The present value breaks further on."""
        is_near = error.pos - self._position <= MAX_LEFT_BEHIND
        self._broken_from = (self._position, self.line, self.byte_offset) if is_near else None
        self._advance(min(error.pos, len(self._text)))
        return self.broken(error.msg)

    def leave_broken(self) -> tuple[int, int, str] | None:
        """Behind a value that broke, go on where the next object begins, or at the end.

        Returns the line, the byte and the beginning of what is left behind; None when it can not
        be told from the rest.
        """
        if self._broken_from is None:
            return None
        self._checks.forget()
        self._position, self.line, self.byte_offset = self._broken_from
        self._broken_from = None
        place = (self.line, self.byte_offset, self._text[self._position : self._position + 1000])
        self._advance(self._position + 1)
        while (found := _NEXT_OBJECT.search(self._text, self._position)) is None:
            self._advance(len(self._text))
            if not self._fill():
                return place
        self._advance(found.start())
        return place

    def broken(self, reason: str) -> UnreadableFile:
        """The document breaks at the present place."""
        start = max(0, self._position - EXCERPT_CHARACTERS // 2)
        column = self._position - self._text.rfind("\n", 0, self._position)
        return UnreadableFile(
            "broken_json",
            f"The file is not valid JSON: {reason} (line {self.line}, column {column}).",
            _HINT,
            line=self.line,
            byte_offset=self.byte_offset,
            excerpt=self._text[start : self._position + EXCERPT_CHARACTERS // 2],
            params={"column": column},
        )

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        unfinished = error.msg.startswith("Unterminated string")
        near_end = error.pos >= len(self._text) - TOKEN_CHARACTERS
        too_long = len(self._text) - self._position > MAX_ROW_BYTES
        return (unfinished or near_end) and not too_long

    def _take_source(self, end: int) -> None:
        self.last_source = self._text[self._position : min(end, self._position + 1000)]
        self._advance(end)

    def _advance(self, to: int) -> None:
        if to == self._position:
            return
        passed = self._text[self._position : to]
        self.line += passed.count(self._line_end)
        self.byte_offset += (
            len(passed)
            if passed.isascii() and self._encoding.codec[:6] != "utf-16"
            else len(passed.encode(self._encoding.codec, _marked.__name__))
        )
        self._position = to

    def _fill(self) -> bool:
        """Read on: twice as much for a value that does not fit; False at the end of the file."""
        if self._ended:
            return False
        rest = self._text[self._position :]
        # A little of what was passed stays, for excerpts and columns.
        kept = self._text[max(0, self._position - EXCERPT_CHARACTERS) : self._position]
        chunk = self._file.read(max(CHUNK_BYTES, len(rest)))
        self._ended = not chunk
        more = self._decoder.decode(chunk, final=self._ended)
        self._text, self._position = kept + rest + more, len(kept)
        return not self._ended or bool(more)

    def _end_of_deep_value(self) -> int:
        """Where a value ends that is nested too deep for the parser: count brackets."""
        while True:
            depth = 0
            for match in _STRUCTURE.finditer(self._text, self._position):
                mark = match.group()
                depth += (mark in "[{") - (mark in "]}")
                if depth == 0:
                    return match.end()
            if len(self._text) - self._position > MAX_ROW_BYTES or not self._fill():
                raise self.broken("A value nested very deep does not end")


def _marked(error: UnicodeError) -> tuple[str | bytes, int]:
    """Error handler: a byte that is not text as half of a surrogate pair, and back."""
    if isinstance(error, UnicodeDecodeError):
        bad = error.object[error.start : error.end]
        return "".join(chr(_MARK + byte) for byte in bad), error.end
    if isinstance(error, UnicodeEncodeError):
        halves = error.object[error.start : error.end]
        return bytes(ord(half) & 0xFF for half in halves), error.end
    raise error
