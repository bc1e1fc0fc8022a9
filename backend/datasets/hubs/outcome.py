"""How fetching ended, written into the data set; called in the transaction that ends its job."""

import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import announcing, files
from backend.datasets.hubs.names import SOURCE_FILE, TROUBLE_FILE
from backend.datasets.importing import outcome as imported
from backend.datasets.schemas import DatasetStatus
from backend.datasets.tables import DatasetRow
from backend.datasets.uploading import storing
from backend.datasets.uploading.storing import NewFile
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
        await announcing.announce(session, job, row)
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
    """Write the facts of the source; what was fetched becomes the upload of the data set."""
    facts = orjson.loads((folder / f"v{version}" / SOURCE_FILE).read_bytes())
    row.source = _storable({**(row.source or {}), **facts})
    listed = [
        {
            "filename": PurePosixPath(each["path"]).name[-MAX_FILENAME:],
            "size_bytes": each["size_bytes"],
            "sha256": each["sha256"],
        }
        for each in facts["files"]
    ]
    row.filename = listed[0]["filename"]
    row.files = listed if len(listed) > 1 else []
    row.size_bytes = sum(each["size_bytes"] for each in listed)
    row.upload_sha256 = storing.sha256_of(
        [NewFile(path=folder, **each) for each in listed]  # only names and digests count
    )
    _take_over([folder / "fetched" / each["stored"] for each in facts["files"]], folder)


def _take_over(fetched: Sequence[Path], folder: Path) -> None:
    """Move the files to where an upload of one or several is; a second call finds them there."""
    if not all(file.is_file() for file in fetched):
        return
    one, several = folder / files.UPLOAD_FILE, folder / files.UPLOADS_FOLDER
    one.unlink(missing_ok=True)
    shutil.rmtree(several, ignore_errors=True)
    if len(fetched) == 1:
        fetched[0].replace(one)
    else:
        several.mkdir(mode=0o700)
        for number, file in enumerate(fetched):
            file.replace(several / str(number))
    shutil.rmtree(folder / "fetched", ignore_errors=True)


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    """Without NUL characters: no database keeps those."""
    cleaned: dict[str, Any] = orjson.loads(orjson.dumps(value).replace(rb"\u0000", rb"\ufffd"))
    return cleaned
