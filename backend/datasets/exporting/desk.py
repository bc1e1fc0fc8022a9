"""Sends a version as a file: a child process writes it, and ends when nobody reads any more."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import structlog
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from backend.datasets.choice import NoSuchSplit
from backend.datasets.content_routes import Content
from backend.datasets.exporting.file_names import exported_name, saveable
from backend.datasets.exporting.verdicts import Verdicts
from backend.datasets.reading import frames
from backend.datasets.schemas import DatasetStatus
from backend.datasets.versions.names import FORMER_RECORDS_FILE, RECORDS_FILE
from backend.errors import Conflict, Refused, Unavailable
from backend.processes.spawn import environment, python_module

MODULE = "backend.datasets.exporting.child"
CHUNK_BYTES = 256 * 1024
MAX_EXPORTS = 4
# A look at every row comes before the first byte: of ten million rows that takes minutes.
FIRST_BYTE_S = 600.0
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}

log = structlog.get_logger(__name__)


class NotExportable(Conflict):
    """This version is {status}: there are no records to export. Finish its import first."""


class CanNotBeExpressed(Refused):
    """{format} has no place for {count} of these rows. Of {reason_count} of them: {reason}, for
    example rows {rows}. Choose another form; “jsonl” takes every row."""


class ExportFailed(Unavailable):
    """The version can not be exported at the moment. Try it again in a moment."""


class ExportsBusy(Unavailable):
    """There are as many exports under way as this machine may have. Try it again when one has
    ended."""


_running: set[Process] = set()
_verdicts = Verdicts()


class ExportedFile(StreamingResponse):
    """What the child writes; it ends with the answer, whatever becomes of that."""

    media_type = "application/octet-stream"

    def __init__(self, process: Process, filename: str, media_type: str) -> None:
        headers = {
            "Content-Disposition": disposition(filename),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        }
        super().__init__(_content(process), headers=headers, media_type=media_type)
        self._process = process

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await _end(self._process)


async def export(asked: Content, format: str, split: str | None) -> ExportedFile:
    """Start the child and wait for its verdict. Raises `CanNotBeExpressed` and others above."""
    facts = asked.facts
    file = _records_file(asked.folder)
    if facts.status == DatasetStatus.NEEDS_MAPPING or facts.record_type is None or file is None:
        raise NotExportable(params={"status": facts.status})
    # A number may be given again when its version is deleted: the file is then another one.
    key = (str(asked.folder), file.stat().st_mtime_ns, format, split)
    before = _verdicts.of(key)
    if before is not None and "refused" in before:
        raise CanNotBeExpressed(params={"format": format, **before["refused"]})
    if len(_running) >= MAX_EXPORTS:
        raise ExportsBusy(headers={"Retry-After": "10"})
    process = await _start()
    try:
        request = {
            "folder": str(asked.folder),
            "record_type": facts.record_type,
            "format": format,
            "split": split,
            **(before or {}),
        }
        found = await _verdict(process, request)
        if "no_split" in found:
            raise NoSuchSplit(params={"split": split})
        _verdicts.keep(key, found)
        if "refused" in found:
            raise CanNotBeExpressed(params={"format": format, **found["refused"]})
    except BaseException:
        await _end(process)
        raise
    filename = exported_name(asked.row.name, facts.version, split, format)
    return ExportedFile(process, filename, MEDIA_TYPES.get(format, "application/x-ndjson"))


def _records_file(folder: Path) -> Path | None:
    places = (folder / name for name in (RECORDS_FILE, FORMER_RECORDS_FILE))
    return next((place for place in places if place.is_file()), None)


async def _start() -> Process:
    process = await asyncio.create_subprocess_exec(
        *python_module(MODULE),
        stdin=PIPE,
        stdout=PIPE,
        env=environment(),
        limit=CHUNK_BYTES,
        start_new_session=True,
    )
    _running.add(process)
    return process


async def _verdict(process: Process, request: dict[str, Any]) -> dict[str, Any]:
    """The first message of the child: it can be done, or why not."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(FIRST_BYTE_S):
            process.stdin.write(orjson.dumps(request))
            process.stdin.write_eof()
            await process.stdin.drain()
            return await frames.receive(process.stdout)
    except (ConnectionError, asyncio.IncompleteReadError, TimeoutError) as error:
        log.error("export_failed", error=repr(error), **request)
        raise ExportFailed from error


async def _content(process: Process) -> AsyncIterator[bytes]:
    """What it writes; raises when it broke, so that nobody takes a part for the whole."""
    assert process.stdout is not None
    while block := await process.stdout.read(CHUNK_BYTES):
        yield block
    if code := await process.wait():
        raise ExportFailed(f"the export ended with code {code}")


async def _end(process: Process) -> None:
    _running.discard(process)
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()  # it writes nothing but to us
    await process.wait()


def disposition(filename: str) -> str:
    """`Content-Disposition` of a file to be saved (RFC 6266), whatever the name holds."""
    kept = saveable(filename)
    plain = "".join(c if c.isascii() and c not in "%;" else "_" for c in kept)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(kept, safe='')}"
