"""Queues examinations, and says what they found and what two versions share.

One examination of a data set runs at a time; versions that come meanwhile wait in its `then`.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import files, job_trouble
from backend.datasets.choice import ChosenRows, NoSuchSplit
from backend.datasets.hygiene_schemas import DatasetHygiene, DatasetOverlap, HygieneStatus
from backend.datasets.job_trouble import Work
from backend.datasets.reading.desk import ReadingDesk
from backend.datasets.schemas import DatasetStatus
from backend.datasets.tables import DatasetRow
from backend.datasets.versions.names import FORMER_RECORDS_FILE, HYGIENE_FILE, RECORDS_FILE
from backend.errors import Conflict, NotFound
from backend.jobs import service as jobs
from backend.jobs import subjects
from backend.jobs.schemas import TERMINAL, JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.settings import Settings

EXAMINE = "examine_dataset"
_RECENT_JOBS = 50
_STOPPED = {
    "code": "examination_stopped",
    "message": "The examination was stopped before it had ended.",
    "hint": "Start it again. The data set can be used as it is.",
}
_NOT_EXAMINED = {
    "code": "not_examined",
    "message": "This version has not been examined yet.",
    "hint": "Start the examination.",
    "params": {},
}


class NothingToExamine(NotFound):
    """Version {version} of this data set has no rows that could be examined."""


class NotExaminedYet(Conflict):
    """Version {version} of “{name}” has not been examined yet. Wait until it is, or start the
    examination on its page."""


async def enqueue(session: AsyncSession, settings: Settings, row: DatasetRow, version: int) -> None:
    """Queue the examination of a version that is new, or new again under the same number.

    While another examination of the data set lives, it waits for the end of that one.
    """
    await queue(session, row, files.dataset_dir(settings, row.id), [version])


async def queue(
    session: AsyncSession, row: DatasetRow, folder: Path, versions: Sequence[int]
) -> None:
    """Queue versions of the data set in `folder`, of which at least one is given."""
    job = await jobs.newest_of(session, row.id, EXAMINE)
    if job is not None and job.status not in TERMINAL:
        job = await jobs.get(session, job.id, lock=True)
    if job is not None and job.status not in TERMINAL:
        begun = [] if job.status != JobStatus.PENDING else [job.spec["version"]]
        known = [*begun, *job.spec["then"]]
        more = [version for version in versions if version not in known]
        job.spec = {**job.spec, "then": [*job.spec["then"], *more]}
        await session.flush()
        return
    first, *rest = dict.fromkeys(versions)
    await jobs.enqueue(
        session,
        kind=EXAMINE,
        spec={"folder": str(folder / f"v{first}"), "version": first, "then": rest},
        slot=Slot.BACKGROUND,
        owner_id=row.owner_id,
        subject_id=row.id,
    )


async def start(session: AsyncSession, settings: Settings, row: DatasetRow, version: int) -> None:
    """Examine a version (again), unless that is under way; raises `NothingToExamine`."""
    raw = row.status in {DatasetStatus.NEEDS_MAPPING, DatasetStatus.FAILED}
    folder = files.version_dir(settings, row.id, version)
    there = await asyncio.to_thread(_has_rows, folder)
    if not there or (raw and version == row.version):
        raise NothingToExamine(params={"version": version})
    job = await job_of(session, row, version)
    if job is None or job.status in TERMINAL:
        await enqueue(session, settings, row, version)


async def job_of(session: AsyncSession, row: DatasetRow, version: int) -> JobRow | None:
    """The newest job that examines, examined or will examine a version."""
    query = (
        select(JobRow)
        .where(JobRow.subject_id == row.id, JobRow.kind == EXAMINE)
        .order_by(JobRow.id.desc())
        .limit(_RECENT_JOBS)
    )
    for job in await session.scalars(query):
        waits = job.status not in TERMINAL and version in job.spec["then"]
        if job.spec["version"] == version or waits:
            return job
    return None


async def hygiene(
    settings: Settings, row: DatasetRow, version: int, job: JobRow | None
) -> DatasetHygiene:
    """What is known of a version, given its newest `job`; raises `NothingToExamine`."""
    folder = files.version_dir(settings, row.id, version)
    there = await asyncio.to_thread(_has_rows, folder)
    on_its_way = {DatasetStatus.IMPORTING, DatasetStatus.NEEDS_MAPPING}
    coming = row.status in on_its_way and version >= row.version
    if not there and not coming:
        raise NothingToExamine(params={"version": version})
    found = await asyncio.to_thread(_read, folder / HYGIENE_FILE)
    facts = {"examined_rows": 0, "findings": [], "languages": [], **(found or {})}
    state = _state(version, job, found is not None, coming)
    return DatasetHygiene.model_validate({**facts, "version": version, **state})


def _state(version: int, job: JobRow | None, found: bool, coming: bool) -> dict[str, Any]:
    state: dict[str, Any] = {"progress": None, "eta_s": None, "error": None}
    if job is not None and job.status not in TERMINAL:
        if job.spec["version"] != version or job.status == JobStatus.PENDING:
            return {**state, "status": HygieneStatus.WAITING}
        running = {"status": HygieneStatus.RUNNING, "progress": job.progress, "eta_s": job.eta_s}
        return {**state, **running}
    if job is not None and job.status != JobStatus.COMPLETED:
        error = job_trouble.told(subjects.trouble_of(job, _STOPPED), Work.EXAMINATION)
        return {**state, "status": HygieneStatus.FAILED, "error": error}
    if found:
        return {**state, "status": HygieneStatus.READY}
    if coming:
        return {**state, "status": HygieneStatus.WAITING}
    return {**state, "status": HygieneStatus.FAILED, "error": _NOT_EXAMINED}


def _has_rows(folder: Path) -> bool:
    return any((folder / name).exists() for name in (RECORDS_FILE, FORMER_RECORDS_FILE))


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    return found


async def overlap(
    desk: ReadingDesk, settings: Settings, ours: ChosenRows, theirs: ChosenRows
) -> DatasetOverlap:
    """How many of our rows are among theirs, too.

    Raises `NoSuchSplit`, `NothingToExamine`, `NotExaminedYet` and what the desk raises.
    """
    folders = []
    for rows in (ours, theirs):
        if rows.missing == "split":
            raise NoSuchSplit(params={"split": rows.split})
        folder = files.version_dir(settings, rows.id, rows.version)
        if rows.missing is not None or not await asyncio.to_thread(_has_rows, folder):
            raise NothingToExamine(params={"version": rows.version})
        if not await asyncio.to_thread((folder / HYGIENE_FILE).exists):
            raise NotExaminedYet(params={"version": rows.version, "name": rows.name})
        folders.append(folder)
    here, there = folders
    found = await desk.overlap(here, there, ours.split, theirs.split)
    if found is None:  # examined by an older EasyTune
        raise NotExaminedYet(params={"version": ours.version, "name": ours.name})
    return DatasetOverlap(
        dataset_id=ours.id,
        version=ours.version,
        split=ours.split,
        with_dataset_id=theirs.id,
        with_version=theirs.version,
        with_split=theirs.split,
        **found,
    )
