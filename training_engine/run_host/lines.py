"""Bytes from a pipe become whole lines that are safe to show.

Progress bars (`\\r`) collapse to their last state, terminal colours go, NUL and other control
bytes are written out, bytes that are not UTF-8 too; a line of more than 64 KB is split.
"""

import re

from training_engine.contract.log_lines import Level, Stream, format_line, infer_level
from training_engine.contract.names import MAX_LOG_LINE_BYTES

_CONTROLS = bytes(b for b in range(32) if b not in b"\n\t") + b"\x7f"
_HARMLESS = bytes(b for b in range(256) if b not in _CONTROLS)
_ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Line ends for some readers, though not for ours; and control characters of the upper half.
_UNSAFE_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def last_state(line: bytes) -> bytes:
    """What a terminal would show of a line that was rewritten with carriage returns."""
    line = line.rstrip(b"\r")
    return line[line.rfind(b"\r") + 1 :]


def safe_text(line: bytes) -> str:
    """A line as text that can neither move a cursor nor end early."""
    text = _ANSI.sub(b"", last_state(line)).decode("utf-8", errors="backslashreplace")
    return _UNSAFE_TEXT.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


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


def _plain(content: bytes) -> list[str] | None:
    """The lines of `content` when nothing in it needs care: the quick way for a flood."""
    if content.translate(None, _HARMLESS):
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if not content.isascii() and _UNSAFE_TEXT.search(text) else text.split("\n")


class LineAssembler:
    """Collects one stream's bytes; gives back formatted lines as soon as they are whole."""

    def __init__(self, stream: Stream) -> None:
        self._stream: Stream = stream
        self._pending = b""
        self._continues = False  # the pending rest belongs to a line of which a part is written
        self._level: Level = "info"  # of that line
        self._in_traceback = False

    def feed(self, chunk: bytes, at: str) -> list[str]:
        """Formatted lines, each with its newline, that `chunk` completes."""
        whole, newline, rest = (self._pending + chunk).rpartition(b"\n")
        self._pending = rest
        lines = self._format_whole(whole, at) if newline else []
        if len(self._pending) > MAX_LOG_LINE_BYTES:
            self._overwrite()
        while len(self._pending) > MAX_LOG_LINE_BYTES:
            lines += self._format_part(at)
        return lines

    def finish(self, at: str) -> list[str]:
        """The unterminated last line, if there is one."""
        rest, self._pending = self._pending, b""
        return self._format(safe_text(rest), at, more=False) if rest or self._continues else []

    def _format_whole(self, content: bytes, at: str) -> list[str]:
        texts = _plain(content) or [safe_text(line) for line in content.split(b"\n")]
        lines: list[str] = []
        for text in texts:
            lines += self._format(text, at, more=False)
        return lines

    def _overwrite(self) -> None:
        """Forget the states of a progress bar that were overwritten already."""
        end = len(self._pending.rstrip(b"\r"))
        self._pending = self._pending[self._pending.rfind(b"\r", 0, end) + 1 :]

    def _format_part(self, at: str) -> list[str]:
        """The first 64 KB of a line that is not complete yet."""
        end = MAX_LOG_LINE_BYTES
        for back in range(4):  # not in the middle of a character
            if self._pending[end - back] & 0xC0 != 0x80:
                end -= back
                break
        part, self._pending = self._pending[:end], self._pending[end:]
        return self._format(safe_text(part), at, more=True)

    def _format(self, text: str, at: str, *, more: bool) -> list[str]:
        if not self._continues:
            self._level = self._level_of(text)
        self._continues = more
        parts = pieces(text)
        last = len(parts) - 1
        return [
            format_line(at, self._level, self._stream, part, more or i < last) + "\n"
            for i, part in enumerate(parts)
        ]

    def _level_of(self, text: str) -> Level:
        """A traceback is an error from its head to the line that names the exception."""
        if self._in_traceback:
            self._in_traceback = text.startswith((" ", "\t")) or not text
            return "error"
        self._in_traceback = text.startswith("Traceback (most recent call last)")
        return infer_level(text, self._stream)
