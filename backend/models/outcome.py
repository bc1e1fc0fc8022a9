"""How a download or a conversion ended, written into the model; in the job's last transaction."""

import asyncio
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs import subjects, whole_folders
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.models.folder import ModelFacts, UnusableFolder, read_facts, require_usable
from backend.models.schemas import ModelStatus
from backend.models.starters import STARTERS
from backend.models.tables import ModelRow
from backend.notices import service as notices
from backend.notices.kinds import NoticeKind, SubjectType

_STOPPED = {
    "code": "download_stopped",
    "message": "It was stopped before it had ended.",
    "hint": "Try it again, or delete the model.",
}


async def apply(session: AsyncSession, job: JobRow) -> None:
    """Take the facts from the folder that the job published, or say why there is none."""
    row = await session.get(ModelRow, job.subject_id, with_for_update=True)
    target = Path(job.spec["target"])
    if row is None:  # deleted meanwhile; the starter's folder is good for the next who adds it
        if target.name not in STARTERS:
            for folder in (Path(job.spec["partial"]), target):
                await asyncio.to_thread(whole_folders.remove, folder)
        return
    await _write(row, job, target)
    if job.status == JobStatus.STOPPED:  # whoever stopped it knows
        return
    await notices.announce_work(
        session,
        job,
        kind=NoticeKind.MODEL_FAILED if row.error else NoticeKind.MODEL_READY,
        subject_type=SubjectType.MODEL,
        subject_name=row.name,
        error=row.error,
    )


async def _write(row: ModelRow, job: JobRow, target: Path) -> None:
    if job.status != JobStatus.COMPLETED:
        row.status, row.error = ModelStatus.FAILED, subjects.trouble_of(job, _STOPPED)
        return
    try:
        write_facts(row, await asyncio.to_thread(_facts, target))
    except (UnusableFolder, OSError) as error:
        row.status = ModelStatus.FAILED
        row.error = {
            "code": "model_not_found",
            "message": f"The folder of the model can not be used: {error}",
            "hint": "Delete the model and add it again.",
            "params": {},
        }


def _facts(folder: Path) -> ModelFacts:
    require_usable(folder, folder)
    return read_facts(folder)


def write_facts(row: ModelRow, facts: ModelFacts) -> None:
    """The model can be used from now on."""
    row.status, row.error = ModelStatus.READY, None
    row.architecture = facts.architecture
    row.num_parameters = facts.num_parameters
    row.context_length = facts.context_length
    row.size_bytes = facts.size_bytes
    row.licence = facts.licence or row.licence
    row.has_chat_template = facts.has_chat_template
