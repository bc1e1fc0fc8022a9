"""A log as a file: as it is now, even while the run goes on; secrets are painted over.

A secret is replaced by as many asterisks as it has bytes, so the length is known beforehand.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from backend.jobs.log_file import size_of
from backend.jobs.run_folder import RunFolder
from backend.log import SECRET_VALUES
from backend.tasks.archive import read_exactly

SECRET_BYTES = re.compile(SECRET_VALUES.pattern.encode(), re.IGNORECASE & SECRET_VALUES.flags)
# A line is at most 64 KB, so this is only a guard.
MAX_HELD_BYTES = 4 * 1024 * 1024


def painted(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes with secrets painted over; looks at whole lines only."""
    held = b""
    for chunk in chunks:
        held += chunk
        whole = len(held) if len(held) > MAX_HELD_BYTES else held.rfind(b"\n") + 1
        if whole:
            yield _paint(held[:whole])
            held = held[whole:]
    if held:
        yield _paint(held)


def _paint(content: bytes) -> bytes:
    return SECRET_BYTES.sub(lambda found: b"*" * len(found[0]), content)


def text_of(folders: Sequence[RunFolder]) -> tuple[int, Iterator[bytes]]:
    """Length and content of the logs of these attempts, one after another."""
    parts = [(folder, size_of(folder.log_file)) for folder in folders]
    heads = [_head(folder) if len(parts) > 1 else b"" for folder, _ in parts]
    length = sum(size for _, size in parts) + sum(len(head) for head in heads)

    def content() -> Iterator[bytes]:
        for (folder, size), head in zip(parts, heads, strict=True):
            if head:
                yield head
            if size:
                yield from painted(read_exactly(folder.log_file, size))

    return length, content()


def _head(folder: RunFolder) -> bytes:
    return f"--- attempt {folder.attempt} ---\n".encode()
