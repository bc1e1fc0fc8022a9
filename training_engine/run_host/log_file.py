"""Appends lines to `output.log` and never lets a full disk end the run."""

import os
from pathlib import Path

from training_engine.contract.failpoints import reach
from training_engine.contract.log_lines import format_line

MAX_LOG_BYTES = 4 * 1024**3


class LogFile:
    """An append-only log. What can not be written is counted, and said once there is room."""

    def __init__(self, path: Path, max_bytes: int = MAX_LOG_BYTES) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o640)
        self._size = os.fstat(self._descriptor).st_size
        self._max_bytes = max_bytes
        self._dropped = 0
        self._reason = ""

    def write(self, lines: list[str], at: str) -> None:
        """Append `lines` (each with its newline) or count them as dropped."""
        if not lines:
            return
        if self._dropped:
            text = f"dropped: {self._dropped} lines, {self._reason}"
            gap = [format_line(at, "warning", "host", text) + "\n"]
        else:
            gap = []
        content = "".join(gap + lines).encode()
        if self._size + len(content) > self._max_bytes:
            self._drop(lines, f"the log has reached its limit of {self._max_bytes} bytes")
        elif self._append(content):
            self._dropped = 0
        else:
            self._drop(lines, self._reason)

    def close(self, at: str) -> None:
        """Say what was dropped at the end, as far as there is room, and close."""
        if self._dropped:
            text = f"dropped: {self._dropped} lines, {self._reason}"
            self._append((format_line(at, "warning", "host", text) + "\n").encode())
        os.close(self._descriptor)

    def _drop(self, lines: list[str], reason: str) -> None:
        self._dropped += len(lines)
        self._reason = reason

    def _append(self, content: bytes) -> bool:
        """All of `content` or nothing: a torn line is cut off again (nobody has read it)."""
        done = 0
        try:
            reach("host.log_write")
            while done < len(content):
                done += os.write(self._descriptor, content[done:])
        except OSError as error:
            self._reason = f"they could not be written ({error.strerror})"
            if done:
                os.ftruncate(self._descriptor, self._size)
            return False
        self._size += done
        return True
