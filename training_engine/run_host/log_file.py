"""Appends lines to `output.log` and never lets a full disk end the run, nor fills one.

A log that has reached its limit keeps its beginning and its newest part. What lies between is given
back to the file system as a hole, so every line that is kept stays at its offset; a line in the
place of the hole says how many are gone, and `output.hole.json` says where it is. Where the file
system knows no holes the log stops growing at the limit.
"""

import ctypes
import os
import sys
from pathlib import Path

from training_engine.contract.log_lines import format_line
from training_engine.contract.names import LOG_HOLE_FILE
from training_engine.run_host.records import write_whole

MAX_LOG_BYTES = 4 * 1024**3
KEPT_HEAD_BYTES = 256 * 1024**2
# A hole grows by so much at a time.
STEP_BYTES = 64 * 1024**2
READ_BYTES = 256 * 1024
FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE = 1, 2
# One line of the log with its newline; numbers have room to grow.
RECORD_BYTES = 160


class LogFile:
    """An append-only log. What can not be written is counted, and said once there is room."""

    def __init__(
        self,
        path: Path,
        max_bytes: int = MAX_LOG_BYTES,
        head_bytes: int = KEPT_HEAD_BYTES,
        step_bytes: int = STEP_BYTES,
    ) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._path = path
        self._descriptor = os.open(path, flags, 0o640)
        self._size = os.fstat(self._descriptor).st_size
        self._max_bytes, self._head_bytes = max_bytes, head_bytes
        self._step_bytes = step_bytes
        self._hole_start = self._hole_end = 0
        self._given_up = 0  # lines in the hole
        self._can_punch = True
        self._dropped = 0
        self._reason = ""

    def write(self, content: bytes, at: str) -> None:
        """Append `content` (whole lines) or count its lines as dropped."""
        if not content:
            return
        lines = content
        if self._dropped:
            text = f"dropped: {self._dropped} lines, {self._reason}"
            lines = (format_line(at, "warning", "host", text) + "\n").encode() + content
        if self._held(len(lines)) > self._max_bytes and not self._make_room(len(lines), at):
            self._drop(content, f"the log has reached its limit of {self._max_bytes} bytes")
        elif self._append(lines):
            self._dropped = 0
        else:
            self._drop(content, self._reason)

    def close(self, at: str) -> None:
        """Say what was dropped at the end, as far as there is room, and close."""
        if self._dropped:
            text = f"dropped: {self._dropped} lines, {self._reason}"
            self._append((format_line(at, "warning", "host", text) + "\n").encode())
        os.close(self._descriptor)

    def _held(self, more: int) -> int:
        """Bytes on the disk after `more` are appended."""
        return self._size + more - (self._hole_end - self._hole_start)

    def _drop(self, content: bytes, reason: str) -> None:
        self._dropped += content.count(b"\n")
        self._reason = reason

    def _append(self, content: bytes) -> bool:
        """All of `content` or nothing: a torn line is cut off again (nobody has read it)."""
        done = 0
        try:
            while done < len(content):
                done += os.write(self._descriptor, content[done:] if done else content)
        except OSError as error:
            self._reason = f"they could not be written ({error.strerror})"
            if done:
                os.ftruncate(self._descriptor, self._size)
            return False
        self._size += done
        return True

    def _make_room(self, needed: int, at: str) -> bool:
        """Give up the oldest lines after the beginning; False where that is not possible."""
        if not self._can_punch:
            return False
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return self._grow_hole(descriptor, needed, at)
        except OSError:
            self._can_punch = False
            return False
        finally:
            os.close(descriptor)

    def _grow_hole(self, descriptor: int, needed: int, at: str) -> bool:
        record = self._hole_start - RECORD_BYTES
        if not self._hole_end:
            record = _line_start(descriptor, min(self._head_bytes, self._size))
        begin = self._hole_end or record
        over = self._held(needed) - self._max_bytes
        end = _line_start(descriptor, min(self._size, begin + max(self._step_bytes, over)))
        if end - record <= RECORD_BYTES:
            return False
        lines = self._given_up + _newlines(descriptor, begin, end)
        hole_start = record + RECORD_BYTES
        # Tested before it is announced: what stands there is given up either way.
        if not self._hole_end and not _punch(descriptor, hole_start, min(end, hole_start + 1)):
            self._can_punch = False
            return False
        facts = {"start": hole_start, "end": end, "lines": lines}
        write_whole(self._path.with_name(LOG_HOLE_FILE), facts)
        os.pwrite(descriptor, self._record(lines, at), record)
        _punch(descriptor, hole_start, end)
        self._hole_start, self._hole_end, self._given_up = hole_start, end, lines
        return True

    def _record(self, lines: int, at: str) -> bytes:
        limit = f"the log has reached its limit of {self._max_bytes} bytes"
        text = f"dropped: {lines} lines, {limit}"
        line = format_line(at, "warning", "host", text)
        return line.ljust(RECORD_BYTES - 1).encode() + b"\n"


def _line_start(descriptor: int, offset: int) -> int:
    """Where the first line at or after `offset` begins."""
    if not offset:
        return 0
    offset -= 1
    while block := os.pread(descriptor, READ_BYTES, offset):
        if (newline := block.find(b"\n")) >= 0:
            return offset + newline + 1
        offset += len(block)
    return offset


def _newlines(descriptor: int, start: int, end: int) -> int:
    found = 0
    while start < end and (block := os.pread(descriptor, min(READ_BYTES, end - start), start)):
        found += block.count(b"\n")
        start += len(block)
    return found


def _punch(descriptor: int, start: int, end: int) -> bool:
    """Give a range back to the file system; it reads as zeros and the file keeps its length."""
    if sys.platform != "linux":
        return False
    mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
    begin, length = ctypes.c_int64(start), ctypes.c_int64(end - start)
    return bool(ctypes.CDLL(None).fallocate(descriptor, mode, begin, length) == 0)
