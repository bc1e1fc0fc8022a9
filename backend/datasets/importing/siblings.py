"""The other data sets that a `dataset_info.json` makes of one upload; written with its outcome."""

from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import queries
from backend.datasets.schemas import DatasetStatus
from backend.datasets.tables import DatasetRow
from backend.datasets.uploading import storing
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs.schemas import Slot
from backend.jobs.tables import JobRow

MAX_NAME = 200
_TAKEN_OVER = (
    *("owner_id", "description", "filename", "files", "size_bytes", "upload_sha256", "options"),
    "max_dropped_rows",
)


async def settle(
    session: AsyncSession, row: DatasetRow, job: JobRow, summary: dict[str, Any]
) -> None:
    """Note which entry `row` is; the first one of an upload makes data sets of the others.

    Their files are the same ones on the disk. Entries that can not be imported stay listed with
    the reason.
    """
    entries = summary.get("entries")
    if not entries:
        return
    first = job.spec.get("entry") is None and row.entry is None
    row.entry = summary["entry"][:MAX_NAME]
    if not first:
        return
    if row.name == PurePosixPath(row.filename or "").stem[:MAX_NAME]:  # nobody has named it
        row.name = row.entry
    row.entries = [
        {
            "name": each["name"],
            "refusal": each["refusal"],
            "warnings": each["warnings"],
            "dataset_id": await _dataset_of(session, row, job, each),
        }
        for each in entries
    ]


async def _dataset_of(
    session: AsyncSession, row: DatasetRow, job: JobRow, entry: dict[str, Any]
) -> str | None:
    if entry["refusal"] is not None:
        return None
    if entry["name"][:MAX_NAME] == row.entry:
        return str(row.id)
    values = {name: getattr(row, name) for name in _TAKEN_OVER}
    sibling = DatasetRow(
        id=new_id(),
        name=entry["name"][:MAX_NAME],
        entry=entry["name"][:MAX_NAME],
        status=DatasetStatus.IMPORTING,
        **values,
    )
    session.add(sibling)
    await session.flush()
    spec = _spec(job.spec, Path(job.spec["staging"]).parent, str(sibling.id), entry["name"])
    await jobs.enqueue(
        session,
        kind=queries.IMPORT,
        spec=spec,
        slot=Slot.LIGHT,
        owner_id=row.owner_id,
        subject_id=sibling.id,
    )
    return str(sibling.id)


def _spec(spec: dict[str, Any], folder: Path, sibling: str, entry: str) -> dict[str, Any]:
    """The same import of the same files in another folder, where they are linked to."""
    other = folder.with_name(sibling)

    def moved(path: str) -> str:
        return str(other / Path(path).relative_to(folder))

    listed = [{**each, "path": moved(each["path"])} for each in spec["files"]]
    for here, there in zip(spec["files"], listed, strict=True):
        Path(there["path"]).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        storing.link(Path(here["path"]), Path(there["path"]))
    paths = {"upload": moved(spec["upload"]), "staging": moved(spec["staging"]), "files": listed}
    return {**spec, **paths, "version": 1, "entry": entry, "mapping": None}
