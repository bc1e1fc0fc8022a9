"""How fetching ended, written into the data set; called in the transaction that ends its job."""

import hashlib
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import files
from backend.datasets.hubs.names import SOURCE_FILE, TROUBLE_FILE
from backend.datasets.importing import outcome as imported
from backend.datasets.schemas import DatasetStatus
from backend.datasets.tables import DatasetRow
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow

MAX_FILENAME = 255


async def apply(session: AsyncSession, job: JobRow) -> None:
    """Say why there is nothing, or publish the version as an import does and keep its files."""
    row = await session.get(DatasetRow, job.subject_id, with_for_update=True)
    staging = Path(job.spec["staging"])
    trouble = staging / str(job.attempt) / TROUBLE_FILE
    if row is not None and job.status == JobStatus.COMPLETED and trouble.is_file():
        write_trouble(row, orjson.loads(trouble.read_bytes()))
        return  # the folder stays for a second call, after a lost commit; the next try clears it
    await imported.apply(session, job)
    if row is not None and job.status == JobStatus.COMPLETED:
        keep_files(row, staging.parent, job.spec["version"])


def write_trouble(row: DatasetRow, said: dict[str, Any]) -> None:
    """The data set can not be had like this; what can be chosen stands beside it."""
    choices = [{"name": name, "splits": splits} for name, splits in said["choices"].items()]
    row.status, row.error = DatasetStatus.FAILED, _storable(said["error"])
    row.source = _storable({**(row.source or {}), "choices": choices})


def keep_files(row: DatasetRow, folder: Path, version: int) -> None:
    """Write the facts of the source; a single file becomes the upload, several stay together."""
    facts = orjson.loads((folder / f"v{version}" / SOURCE_FILE).read_bytes())
    row.source = _storable({**(row.source or {}), **facts})
    listed = facts["files"]
    row.filename = PurePosixPath(listed[0]["path"]).name[-MAX_FILENAME:]
    row.size_bytes = sum(each["size_bytes"] for each in listed)
    fetched = folder / "fetched"
    if len(listed) == 1:
        row.upload_sha256 = listed[0]["sha256"]
        place = fetched / listed[0]["stored"]
        if place.is_file():  # else this is a second call
            place.replace(folder / files.UPLOAD_FILE)
        shutil.rmtree(fetched, ignore_errors=True)
        return
    row.upload_sha256 = hashlib.sha256("".join(e["sha256"] for e in listed).encode()).hexdigest()
    (folder / files.UPLOAD_FILE).unlink(missing_ok=True)
    _sweep(fetched, {each["stored"] for each in listed})


def _sweep(fetched: Path, kept: set[str]) -> None:
    """Remove what other choices and commits have left."""
    for file in fetched.rglob("*"):
        if file.is_file() and file.relative_to(fetched).as_posix() not in kept:
            file.unlink()


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    """Without NUL characters: no database keeps those."""
    cleaned: dict[str, Any] = orjson.loads(orjson.dumps(value).replace(rb"\u0000", rb"\ufffd"))
    return cleaned
