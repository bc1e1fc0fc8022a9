"""A zip that is written while it is sent: nothing on disk, a chunk at a time in memory.

Members are stored, not compressed: weights do not shrink, and the length is then known before.
"""

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

CHUNK_BYTES = 1024 * 1024
# Below this the plain format does, whose overhead is known; above, zip64 records come in.
PLAIN_LIMIT_BYTES = 2**31 - 2**26
PLAIN_LIMIT_MEMBERS = 60_000
LOCAL_HEADER, DESCRIPTOR, CENTRAL_HEADER, END_RECORD = 30, 16, 46, 22
EARLIEST_YEAR = 1980


class MemberShrank(Exception):
    """A file became shorter while it was sent; the transfer is broken off."""


@dataclass(frozen=True)
class Member:
    """One file of the archive: `size` bytes that `chunks` gives out when it is sent."""

    name: str
    size: int
    chunks: Callable[[], Iterable[bytes]]

    @classmethod
    def of_bytes(cls, name: str, content: bytes) -> "Member":
        """A member made here."""
        return cls(name, len(content), lambda: [content])

    @classmethod
    def of_file(cls, name: str, path: Path, size: int) -> "Member":
        """The first `size` bytes of a file."""
        return cls(name, size, lambda: read_exactly(path, size))


def read_exactly(path: Path, size: int, start: int = 0) -> Iterator[bytes]:
    """`size` bytes of a regular file from `start` on, never of what a link points to.

    Raises `MemberShrank` when there are fewer, `OSError` for anything but a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path.name} is not a regular file")
        stream.seek(start)
        left = size
        while left:
            chunk = stream.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise MemberShrank(path.name)
            left -= len(chunk)
            yield chunk


def regular_files(folder: Path) -> list[tuple[str, Path, int]]:
    """Name below `folder`, path and size of every regular file, sorted; links are left out."""
    found = []
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        for name in names:
            path = Path(parent, name)
            facts = path.lstat()
            if stat.S_ISREG(facts.st_mode):
                found.append((path.relative_to(folder).as_posix(), path, facts.st_size))
    return sorted(found)


def length(members: Sequence[Member]) -> int | None:
    """Bytes of the whole zip; None when it needs zip64 records."""
    total = END_RECORD
    for member in members:
        name = len(member.name.encode())
        total += LOCAL_HEADER + DESCRIPTOR + CENTRAL_HEADER + 2 * name + member.size
    fits = total < PLAIN_LIMIT_BYTES and len(members) < PLAIN_LIMIT_MEMBERS
    return total if fits else None


class _Outlet(io.RawIOBase):
    """Takes what `zipfile` writes and hands it on; can not seek, like the network."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def stream(members: Sequence[Member], at: datetime) -> Iterator[bytes]:
    """The bytes of the zip. The same members and time give the same bytes."""
    outlet = _Outlet()
    date = (max(at.year, EARLIEST_YEAR), at.month, at.day, at.hour, at.minute, at.second)
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, date)
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.file_size = member.size
            with archive.open(info, "w") as target:
                for chunk in member.chunks():
                    target.write(chunk)
                    yield outlet.take()
    yield outlet.take()
