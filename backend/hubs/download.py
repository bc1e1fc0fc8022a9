"""Fetches files of a hub into a folder: resumable, verified, in order.

A file grows as `NAME.part` and gets its name when its hash is right, so that what has its name
need not be looked at again.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Set before the hub's library reads them: one plain way over HTTP, which every mirror speaks.
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

import httpx2
from huggingface_hub import constants
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers

CHUNK_BYTES = 1 << 20
constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES  # cancelling and progress are looked at per chunk

# What the hub's library raises for a network or a hub that does not do its part.
NETWORK_ERRORS = (httpx2.HTTPError,)

# Told how many bytes of all files are there and which file is coming; may raise to end it.
Tick = Callable[[int, str], None]


class DamagedFile(Exception):
    """A file arrived with another content than the hub promised."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Wanted:
    """A file to fetch: its `name` for people, where it is, where it goes, what it must be.

    Of several `urls` the next one is asked when the one before does not know the file. Without
    any hash its size is all that can be verified.
    """

    name: str
    urls: Sequence[str]
    target: Path
    size_bytes: int
    sha256: str | None
    git_sha1: str | None


def fetch_all(files: Sequence[Wanted], tick: Tick) -> None:
    """All of `files`; raises what the hub's library raises, or `DamagedFile`."""
    here = {file.target: _arrived(file.target) for file in files}
    for file in files:

        def told(size_bytes: int, file: Wanted = file) -> None:
            here[file.target] = size_bytes
            tick(sum(here.values()), file.name)

        told(here[file.target])
        if not file.target.is_file():
            _fetch(file, told)
        told(file.size_bytes)


def status_of(error: Exception) -> int | None:
    """The status of the hub's answer, when `error` is about one."""
    response = getattr(error, "response", None)
    return getattr(response, "status_code", None)


def _arrived(target: Path) -> int:
    """Bytes of a file that an earlier try left."""
    for path in (target, _part(target)):
        if path.is_file():
            return path.stat().st_size
    return 0


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _fetch(file: Wanted, tick: Callable[[int], None]) -> None:
    part = _part(file.target)
    for retry in (True, False):
        whole = _resume(file, part, tick)
        if whole and _hash(part, file) == (file.sha256 or file.git_sha1 or ""):
            part.rename(file.target)
            return
        part.unlink()
        if not retry:
            raise DamagedFile(file.name)


class _OtherSize(Exception):
    """More bytes come, or fewer, than the file is said to have."""


def _resume(file: Wanted, part: Path, tick: Callable[[int], None]) -> bool:
    """Fetch what is missing; whether the size can be right."""
    with part.open("ab") as stream:
        have = stream.tell()
        if have > file.size_bytes:
            stream.truncate(0)
            have = 0
        if have == file.size_bytes:
            return True
        try:
            _get(file, stream, have, tick)
        except _OtherSize:
            return False
        stream.flush()
        os.fsync(stream.fileno())
    return True


def _get(file: Wanted, stream: Any, have: int, tick: Callable[[int], None]) -> None:
    for url in file.urls:
        try:
            http_get(
                url,
                stream,
                resume_size=have,
                # Ask for the bytes as they are: a compressed answer can not be resumed or counted.
                headers={**build_hf_headers(token=False), "Accept-Encoding": "identity"},
                expected_size=file.size_bytes,
                displayed_filename=file.name,
                tqdm_class=_bar(tick, file.size_bytes),
            )
            return
        except NETWORK_ERRORS as error:
            if have and status_of(error) == 416:  # it ends before what is here already
                raise _OtherSize from error
            if status_of(error) not in {400, 404} or url == file.urls[-1]:
                raise
        except OSError as error:
            if error.errno is None:  # the library's own: what came is not as long as was said
                raise _OtherSize from error
            raise


def _bar(tick: Callable[[int], None], size_bytes: int) -> Any:
    """What the hub's library takes for a progress bar."""

    class Bar:
        def __init__(self, *_args: Any, initial: int = 0, **_options: Any) -> None:
            self._have = initial

        def update(self, count: float = 1) -> None:
            tick(self._have)  # before the bytes are written: raising here loses none of them
            self._have += int(count)
            if self._have > size_bytes:  # an answer without end must not fill the disk
                raise _OtherSize

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_error: object) -> None:
            tick(min(self._have, size_bytes))

    return Bar


def _hash(path: Path, file: Wanted) -> str:
    if file.sha256:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    if not file.git_sha1:
        return ""
    content = path.read_bytes()  # only small files stand in git itself
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
