"""Bytes from a pipe become whole lines that are safe to show.

Progress bars (`\\r`) collapse to their last state, terminal colours become spans beside the text,
NUL and other control bytes are written out, bytes that are not UTF-8 too; a line of more than
64 KB is split. A flood of plain lines is formatted in one piece, see `quick.py`.
"""

import re

from training_engine.contract.log_lines import (
    Colour,
    Level,
    Stream,
    format_head,
    infer_level,
)
from training_engine.contract.names import MAX_LOG_LINE_BYTES
from training_engine.run_host import quick
from training_engine.run_host.colours import MAX_SPANS, SGR, Colours, clipped

_ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Line ends for some readers, though not for ours; and control characters of the upper half.
_UNSAFE_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def last_state(line: bytes) -> bytes:
    """What a terminal would show of a line that was rewritten with carriage returns."""
    line = line.rstrip(b"\r")
    return line[line.rfind(b"\r") + 1 :]


def _safe(part: bytes) -> str:
    if b"\x1b" in part:
        part = _ANSI.sub(b"", part)
    text = part.decode("utf-8", errors="backslashreplace")
    if text.isprintable():
        return text
    return _UNSAFE_TEXT.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def safe_text(line: bytes, colours: Colours) -> tuple[str, list[Colour]]:
    """A line as text that can neither move a cursor nor end early, and its colours.

    `colours` is what applies at its start, and becomes what applies at its end.
    """
    line = last_state(line)
    if b"\x1b" not in line and not colours.code:
        return _safe(line), []
    texts: list[str] = []
    spans: list[Colour] = []
    length = 0
    for number, part in enumerate(SGR.split(line)):
        if number % 2:
            colours.apply(part)
            continue
        text, code = _safe(part), colours.code
        if text and code and len(spans) < MAX_SPANS:
            if spans and spans[-1][1:] == (length, code):
                spans[-1] = (spans[-1][0], length + len(text), code)
            else:
                spans.append((length, length + len(text), code))
        texts.append(text)
        length += len(text)
    return "".join(texts), spans


def pieces(text: str) -> list[str]:
    """`text` in pieces of at most 64 KB of UTF-8 that never cut a character."""
    if len(text) * 4 <= MAX_LOG_LINE_BYTES:
        return [text]
    content = text.encode()
    found, start = [], 0
    while len(content) - start > MAX_LOG_LINE_BYTES:
        end = start + MAX_LOG_LINE_BYTES
        while content[end] & 0xC0 == 0x80:
            end -= 1
        found.append(content[start:end].decode())
        start = end
    return [*found, content[start:].decode()]


class LineAssembler:
    """Collects one stream's bytes; gives back formatted lines as soon as they are whole."""

    def __init__(self, stream: Stream, rank: int | None = None) -> None:
        self._stream: Stream = stream
        self._rank = rank
        self._pending = b""
        self._continues = False  # the pending rest belongs to a line of which a part is written
        self._level: Level = "info"  # of that line
        self._in_traceback = False
        self._colours = Colours()

    def feed(self, chunk: bytes, at: str) -> bytes:
        """The formatted lines, each with its newline, that `chunk` completes."""
        whole, newline, rest = chunk.rpartition(b"\n")
        if not newline:
            self._pending += rest
            lines = b""
        else:
            lines = self._format_whole(self._pending + whole, at)
            self._pending = rest
        if len(self._pending) > MAX_LOG_LINE_BYTES:
            self._overwrite()
        while len(self._pending) > MAX_LOG_LINE_BYTES:
            lines += self._format_part(at)
        return lines

    def finish(self, at: str) -> bytes:
        """The unterminated last line, if there is one."""
        rest, self._pending = self._pending, b""
        return self._format(rest, at, more=False) if rest or self._continues else b""

    def _format_whole(self, content: bytes, at: str) -> bytes:
        if not self._continues and not self._in_traceback and not self._colours.code:
            lines = quick.formatted(content, at, self._stream, self._rank)
            if lines is not None:
                return lines
        return b"".join([self._format(line, at, more=False) for line in content.split(b"\n")])

    def _overwrite(self) -> None:
        """Forget the states of a progress bar that were overwritten already."""
        end = len(self._pending.rstrip(b"\r"))
        self._pending = self._pending[self._pending.rfind(b"\r", 0, end) + 1 :]

    def _format_part(self, at: str) -> bytes:
        """The first 64 KB of a line that is not complete yet."""
        end = MAX_LOG_LINE_BYTES
        for back in range(4):  # not in the middle of a character
            if self._pending[end - back] & 0xC0 != 0x80:
                end -= back
                break
        part, self._pending = self._pending[:end], self._pending[end:]
        return self._format(part, at, more=True)

    def _format(self, line: bytes, at: str, *, more: bool) -> bytes:
        text, colours = safe_text(line, self._colours)
        if not self._continues:
            self._level = self._level_of(text)
        self._continues = more
        if not more and len(text) * 4 <= MAX_LOG_LINE_BYTES:
            head = format_head(at, self._level, self._stream, False, self._rank, colours)
            return f"{head}{text}\n".encode()
        return self._split(text, colours, at, more=more)

    def _split(self, text: str, colours: list[Colour], at: str, *, more: bool) -> bytes:
        """A line that is too long, or of which more is to come, in several."""
        parts = pieces(text)
        formatted, start = "", 0
        for number, part in enumerate(parts, 1):
            end = start + len(part)
            shown = clipped(colours, start, end)
            goes_on = more or number < len(parts)
            formatted += format_head(at, self._level, self._stream, goes_on, self._rank, shown)
            formatted += part + "\n"
            start = end
        return formatted.encode()

    def _level_of(self, text: str) -> Level:
        """A traceback is an error from its head to the line that names the exception."""
        if self._in_traceback:
            self._in_traceback = text.startswith((" ", "\t")) or not text
            return "error"
        self._in_traceback = text.startswith(quick.TRACEBACK)
        return infer_level(text, self._stream)
