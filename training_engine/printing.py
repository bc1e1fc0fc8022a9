"""What the engine prints, so that nothing is lost when nobody reads it any more.

The run host reads it through two pipes. When it is killed they break, and the next line, be it of a
library, would end the run in the midst of a step instead of at the next checkpoint.
"""

import io
import os
import sys
from typing import Any


class _Outlasting(io.FileIO):
    """Writes to a descriptor; after its reader is gone, nowhere."""

    def write(self, content: Any, /) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            # The descriptor itself: libraries in C and processes that are started later use it too.
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(content)


def outlast_readers() -> None:
    """Have `sys.stdout` and `sys.stderr` write on, line by line, whatever becomes of readers."""
    sys.stdout, sys.stderr = _stream(1), _stream(2)


def _stream(descriptor: int) -> io.TextIOWrapper:
    raw = _Outlasting(descriptor, "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw), "utf-8", errors="backslashreplace", line_buffering=True
    )
