"""Receives a form with files: straight from the connection to their place on disk, hashed on the
way.

Nothing is buffered beyond a megabyte and nothing is left behind when the transfer breaks.
"""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from backend.datasets.uploading.parts import to_the_end
from backend.datasets.uploading.quarantine import (
    MB,
    DiskFull,
    FileTooLarge,
    require_space,
    safe_name,
)
from backend.errors import Refused
from backend.settings import Settings

BLOCK_BYTES = 1 << 20
MAX_FIELDS = 16
MAX_FIELD_BYTES = 64 * 1024
MAX_FILES = 100


class BadUpload(Refused):
    """The upload is not complete or not in order: {reason}. Try it again."""


@dataclass
class ReceivedFile:
    """One file of the form."""

    path: Path
    filename: str
    size_bytes: int = 0
    sha256: str = ""


@dataclass
class Upload:
    """A form that has arrived; `fields` are its other parts."""

    files: list[ReceivedFile] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)


def is_form(request: Request) -> bool:
    """Whether the request says that it brings a form with files."""
    return (
        parse_options_header(request.headers.get("content-type", ""))[0] == b"multipart/form-data"
    )


def declared_bytes(request: Request) -> int:
    """The length that the request announces; 0 when it does not."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdecimal() and len(declared) < 19 else 0


async def receive(request: Request, settings: Settings, path: Path) -> Upload:
    """Write each field `file` of the form to `PATH.0`, `PATH.1`, …; raises `AppError` for what is
    wrong."""
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if not boundary:
        raise BadUpload(params={"reason": "the form has no boundary"})
    receiver = _Receiver(path, settings.max_upload_mb * MB)
    try:
        parser = receiver.parser(boundary)
        async for chunk in request.stream():
            parser.write(chunk)
            if receiver.pending_bytes >= BLOCK_BYTES:
                await to_the_end(receiver.flush)
                require_space(settings, 0)
        parser.finalize()
        await to_the_end(receiver.flush, whole=True)
    except ClientDisconnect as error:
        raise BadUpload(params={"reason": "it ended in the middle"}) from error
    except FormParserError as error:
        raise BadUpload(params={"reason": str(error)}) from error
    except OSError as error:
        raise DiskFull from error
    finally:
        receiver.close()
    return receiver.finished()


class _OpenFile:
    """A file of the form while it comes in."""

    def __init__(self, received: ReceivedFile, file: BinaryIO) -> None:
        self.received, self.file = received, file
        self._hash = hashlib.sha256()
        self._pending: list[bytes] = []

    def take(self, data: bytes) -> None:
        self._pending.append(data)
        self.received.size_bytes += len(data)

    def flush(self) -> None:
        block = memoryview(b"".join(self._pending))
        self._pending = []
        self._hash.update(block)
        while block:  # a disk that fills up takes a part first
            block = block[self.file.write(block) :]

    def finish(self) -> None:
        os.fsync(self.file.fileno())
        self.received.sha256 = self._hash.hexdigest()
        self.file.close()


class _Receiver:
    """Called by the parser, part by part; keeps file data until `flush`."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.upload = Upload()
        self._path = path
        self.pending_bytes = 0
        self._max_bytes = max_bytes
        self._total_bytes = 0
        self._open: list[_OpenFile] = []
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
        if self._name != "file":
            raise BadUpload(params={"reason": "files are expected in the field “file”"})
        number = len(self.upload.files)
        if number >= MAX_FILES:
            raise BadUpload(params={"reason": f"more than {MAX_FILES} files"})
        filename = safe_name(options[b"filename"].decode("utf-8", "replace"))
        path = self._path.with_name(f"{self._path.name}.{number}")
        received = ReceivedFile(path, filename)
        self._open.append(_OpenFile(received, path.open("xb", buffering=0)))
        path.chmod(0o600)
        self.upload.files.append(received)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._value += data[start:end]
            if len(self._value) > MAX_FIELD_BYTES:
                raise BadUpload(params={"reason": f"the field “{self._name}” is too long"})
            return
        self._open[-1].take(data[start:end])
        self._total_bytes += end - start
        if self._total_bytes > self._max_bytes:
            raise FileTooLarge(params={"megabytes": self._max_bytes // MB})
        self.pending_bytes += end - start

    def _end_part(self) -> None:
        if not self._is_file:
            try:
                self.upload.fields[self._name] = self._value.decode()
            except UnicodeDecodeError:
                raise BadUpload(params={"reason": f"“{self._name}” is not UTF-8"}) from None

    def _end(self) -> None:
        self._complete = True

    def flush(self, *, whole: bool = False) -> None:
        """Hash and write what has come; files that came whole are on the disk before anybody
        hears of them. `whole`: so is the last one."""
        self.pending_bytes = 0
        for each in self._open:
            each.flush()
        while len(self._open) > (0 if whole else 1):
            self._open.pop(0).finish()

    def close(self) -> None:
        for each in self._open:
            each.file.close()

    def finished(self) -> Upload:
        """The upload, when all of it came."""
        if not self._complete:
            raise BadUpload(params={"reason": "it ended in the middle"})
        if not self.upload.files:
            raise BadUpload(params={"reason": "there is no field “file” in it"})
        return self.upload
