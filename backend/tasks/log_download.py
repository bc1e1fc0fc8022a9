"""A log as a file: as it is now, even while the run goes on; secrets are painted over.

A secret is replaced by as many asterisks as it has bytes, so the length is known beforehand, unless
lines are filtered or the file is compressed.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence

from backend.jobs.log_file import size_of
from backend.jobs.log_hole import hole_of
from backend.jobs.run_folder import RunFolder
from backend.log import SECRET_VALUES
from backend.tasks.archive import read_exactly
from backend.tasks.log_filter import SECRET_HINT, Filter, Matcher
from backend.tasks.log_search import Search

# A line is at most 64 KB, so this is only a guard.
MAX_HELD_BYTES = 4 * 1024 * 1024
GZIP_WINDOW = 31  # zlib's word for a gzip header
GZIP_LEVEL = 4


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
    if SECRET_HINT.search(content) is None:
        return content
    return b"\n".join(map(_paint_line, content.split(b"\n")))


def _paint_line(line: bytes) -> bytes:
    """Every byte of what looks like a secret becomes an asterisk."""
    text = line.decode(errors="surrogateescape")
    covered = SECRET_VALUES.sub(
        lambda found: "*" * len(found[0].encode(errors="surrogateescape")), text
    )
    return covered.encode(errors="surrogateescape")


def text_of(folders: Sequence[RunFolder]) -> tuple[int, Iterator[bytes]]:
    """Length and content of the logs of these attempts, one after another."""
    parts = [(folder, _parts(folder)) for folder in folders]
    heads = [_head(folder) if len(parts) > 1 else b"" for folder, _ in parts]
    length = sum(end - start for _, ranges in parts for start, end in ranges)
    length += sum(map(len, heads))

    def content() -> Iterator[bytes]:
        for (folder, ranges), head in zip(parts, heads, strict=True):
            if head:
                yield head
            for start, end in ranges:
                # What a hole takes away meanwhile reads as zeros.
                chunks = read_exactly(folder.log_file, end - start, start)
                yield from painted(chunk.replace(b"\0", b" ") for chunk in chunks)

    return length, content()


def _parts(folder: RunFolder) -> list[tuple[int, int]]:
    """What a log holds, without its hole."""
    size, hole = size_of(folder.log_file), hole_of(folder.log_file)
    parts = [(0, min(hole.start, size)), (hole.end, size)]
    return [(start, end) for start, end in parts if start < end]


def _head(folder: RunFolder) -> bytes:
    return f"--- attempt {folder.attempt} ---\n".encode()


def lines_of(folder: RunFolder, wanted: Filter) -> Iterator[bytes]:
    """The lines of an attempt that are wanted, as they stand in the log. Raises `BadPattern`."""
    search = Search(folder.log_file, Matcher(wanted), wanted)

    def content() -> Iterator[bytes]:
        try:
            for block in range(search.blocks):
                if hits := search.hits(block):
                    yield _paint(b"".join([hit.raw.content + b"\n" for hit in hits]))
        finally:
            search.close()

    return content()


def gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same, compressed as it is sent."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
