"""Fetches the files of one commit from the hub into a folder: resumable, verified, in order.

A file grows as `NAME.part` and gets its name when its hash is right, so that what has its name
need not be looked at again.
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

# Set before the hub's library reads them: one plain way over HTTP, which every mirror speaks.
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

import httpx2
from huggingface_hub import constants
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers

from backend.models.folder import ORIGIN_FILE

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


def fetch(spec: dict[str, Any], folder: Path, tick: Tick) -> None:
    """All files of `spec` into `folder`; raises what the hub's library raises, or `DamagedFile`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    here = {file["path"]: _arrived(folder / Path(file["path"]).name) for file in spec["files"]}
    for file in spec["files"]:
        target = folder / Path(file["path"]).name

        def told(size_bytes: int, path: str = file["path"]) -> None:
            here[path] = size_bytes
            tick(sum(here.values()), path)

        told(here[file["path"]])
        if not target.is_file():
            _fetch_one(spec, file, target, told)
        told(file["size_bytes"])
    # The folder is called after a row of the database: without one it says itself what it is.
    origin = {"reference": spec["repo"], "revision": spec["revision"]}
    (folder / ORIGIN_FILE).write_text(json.dumps(origin))


def _arrived(target: Path) -> int:
    """Bytes of a file that an earlier try left."""
    for path in (target, _part(target)):
        if path.is_file():
            return path.stat().st_size
    return 0


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _fetch_one(
    spec: dict[str, Any], file: dict[str, Any], target: Path, tick: Callable[[int], None]
) -> None:
    part = _part(target)
    for retry in (True, False):
        _resume(spec, file, part, tick)
        if _hash(part, file) == (file["sha256"] or file["git_sha1"] or ""):
            part.rename(target)
            return
        part.unlink()
        if not retry:
            raise DamagedFile(target.name)


def _resume(
    spec: dict[str, Any], file: dict[str, Any], part: Path, tick: Callable[[int], None]
) -> None:
    url = f"{spec['endpoint']}/{spec['repo']}/resolve/{spec['revision']}/{quote(file['path'])}"
    with part.open("ab") as stream:
        have = stream.tell()
        if have > file["size_bytes"]:
            stream.truncate(0)
            have = 0
        if have == file["size_bytes"]:
            return
        http_get(
            url,
            stream,
            resume_size=have,
            # Ask for the bytes as they are: a compressed answer can not be resumed or counted.
            headers={**build_hf_headers(token=False), "Accept-Encoding": "identity"},
            expected_size=file["size_bytes"],
            displayed_filename=file["path"],
            tqdm_class=_bar(tick),
        )
        stream.flush()
        os.fsync(stream.fileno())


def _bar(tick: Callable[[int], None]) -> Any:
    """What the hub's library takes for a progress bar."""

    class Bar:
        def __init__(self, *_args: Any, initial: int = 0, **_options: Any) -> None:
            self._have = initial

        def update(self, count: float = 1) -> None:
            tick(self._have)  # before the bytes are written: raising here loses none of them
            self._have += int(count)

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_error: object) -> None:
            tick(self._have)

    return Bar


def _hash(path: Path, file: dict[str, Any]) -> str:
    if file["sha256"]:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    if not file["git_sha1"]:
        return ""
    content = path.read_bytes()  # only small files stand in git itself
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
