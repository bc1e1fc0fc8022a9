"""Receives a file: straight from the connection to its place on disk, hashed on the way.

Nothing is buffered beyond a megabyte and nothing is left behind when the transfer breaks.
"""

import asyncio
import hashlib
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from backend.errors import AppError, Refused, TooLarge
from backend.ids import new_id
from backend.settings import Settings

BLOCK_BYTES = 1 << 20
MAX_FIELDS = 16
MAX_FIELD_BYTES = 64 * 1024
MB = 1_000_000
# Kept free for the database and for checkpoints of running tasks.
RESERVE_BYTES = 512 * 1024 * 1024
ABANDONED_AFTER_S = 24 * 3600


class UploadExpected(Refused):
    """Send the data file as multipart/form-data in the field “file”; other sources can not be
    used yet."""


class BadUpload(Refused):
    """The upload is not complete or not in order: {reason}. Try it again."""


class FileTooLarge(TooLarge):
    """The file is larger than the {megabytes} MB that are allowed here."""


class DiskFull(AppError):
    """There is not enough space on the disk for this file; free some and try again."""

    status = 507


@dataclass
class Upload:
    """A file that has arrived; `fields` are the other parts of the form."""

    path: Path
    filename: str = ""
    size_bytes: int = 0
    sha256: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def require_space(settings: Settings, size_bytes: int) -> None:
    """Raise `DiskFull` when `size_bytes` more would eat into the reserve."""
    if shutil.disk_usage(settings.datasets_dir).free < size_bytes + RESERVE_BYTES:
        raise DiskFull


@asynccontextmanager
async def incoming(settings: Settings) -> AsyncIterator[Path]:
    """A file name in quarantine; whatever is still there at the end is removed."""
    folder = settings.datasets_dir / "incoming"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(folder)
    path = folder / str(new_id())
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Remove what a backend left that was killed in the middle of an upload."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - ABANDONED_AFTER_S:
                path.unlink()


async def receive(request: Request, settings: Settings, path: Path) -> Upload:
    """Write the field `file` of the form to `path`; raises `AppError` for what is wrong."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise UploadExpected
    declared = request.headers.get("content-length", "")
    require_space(settings, int(declared) if declared.isdecimal() and len(declared) < 19 else 0)
    receiver = _Receiver(path, settings.max_upload_mb * MB)
    try:
        parser = receiver.parser(boundary)
        async for chunk in request.stream():
            parser.write(chunk)
            if receiver.pending_bytes >= BLOCK_BYTES:
                await asyncio.to_thread(receiver.flush)
                require_space(settings, 0)
        parser.finalize()
        await asyncio.to_thread(receiver.flush)
    except FormParserError as error:
        raise BadUpload(params={"reason": str(error)}) from error
    except OSError as error:
        raise DiskFull from error
    finally:
        receiver.close()
    return receiver.finished()


class _Receiver:
    """Called by the parser, part by part; keeps file data until `flush`."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.upload = Upload(path)
        self.pending_bytes = 0
        self._pending: list[bytes] = []
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._complete = False
        self._headers: dict[bytes, bytes] = {}
        self._header: tuple[bytes, bytes] = (b"", b"")
        self._name = ""
        self._is_file = False
        self._value = b""

    def parser(self, boundary: bytes) -> MultipartParser:
        callbacks: Any = {
            "on_part_begin": self._begin,
            "on_header_field": lambda d, s, e: self._add_header(d[s:e], b""),
            "on_header_value": lambda d, s, e: self._add_header(b"", d[s:e]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._open_part,
            "on_part_data": self._data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }
        return MultipartParser(boundary, callbacks)

    def _begin(self) -> None:
        self._headers, self._value = {}, b""

    def _add_header(self, name: bytes, value: bytes) -> None:
        self._header = (self._header[0] + name, self._header[1] + value)

    def _end_header(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]
        self._header = (b"", b"")

    def _open_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._is_file = b"filename" in options
        if not self._is_file:
            if len(self.upload.fields) >= MAX_FIELDS:
                raise BadUpload(params={"reason": "too many fields"})
            return
        if self._name != "file" or self._file is not None:
            raise BadUpload(params={"reason": "one file in the field “file” is expected"})
        self.upload.filename = safe_name(options[b"filename"].decode("utf-8", "replace"))
        self._file = self.upload.path.open("xb", buffering=0)
        self.upload.path.chmod(0o600)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._value += data[start:end]
            if len(self._value) > MAX_FIELD_BYTES:
                raise BadUpload(params={"reason": f"the field “{self._name}” is too long"})
            return
        self.upload.size_bytes += end - start
        if self.upload.size_bytes > self._max_bytes:
            raise FileTooLarge(params={"megabytes": self._max_bytes // MB})
        self._pending.append(data[start:end])
        self.pending_bytes += end - start

    def _end_part(self) -> None:
        if not self._is_file:
            try:
                self.upload.fields[self._name] = self._value.decode()
            except UnicodeDecodeError:
                raise BadUpload(params={"reason": f"“{self._name}” is not UTF-8"}) from None

    def _end(self) -> None:
        self._complete = True

    def flush(self) -> None:
        """Hash and write what has come."""
        block = b"".join(self._pending)
        self._pending, self.pending_bytes = [], 0
        if self._file is not None:
            self._hash.update(block)
            self._file.write(block)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def finished(self) -> Upload:
        """The upload, when all of it came."""
        if not self._complete:
            raise BadUpload(params={"reason": "it ended in the middle"})
        if self._file is None:
            raise UploadExpected
        self.upload.sha256 = self._hash.hexdigest()
        return self.upload


def safe_name(name: str) -> str:
    """The last part of a file name as data to show: no folders, no control characters."""
    name = PurePosixPath(PureWindowsPath(name).name).name
    shown = "".join(c for c in name if c.isprintable())
    return shown[-255:] or "upload"
