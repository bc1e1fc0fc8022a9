"""Which models can be asked, and where their files are: always from rows, never from a request."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import policy
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.errors import Conflict, Refused
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.models import queries as models
from backend.models.schemas import ModelStatus
from backend.models.tables import ModelRow
from backend.serving import purposes
from backend.serving.schemas import PlaygroundTarget
from backend.settings import Settings
from backend.tasks import queries
from backend.tasks.run_spec import model_folder
from backend.tasks.tables import TaskRow

ADAPTER_FILE = "adapter_config.json"
MAX_TUNED = 200
MAX_RECORD_BYTES = 1024 * 1024


class OneTarget(Refused):
    """Name a model_id or a task_id, one of the two."""


class ModelNotReady(Conflict):
    """This model is not ready yet; wait until its files are here."""


class NotTuned(Conflict):
    """This task has no tuned model; it has one when it is COMPLETED."""


class BaseModelGone(Conflict):
    """The base model {name} was deleted; add it again to ask the model tuned from it."""


@dataclass(frozen=True)
class ServedModel:
    """The files that answer: a model folder, and for a LoRA run its adapter folder on top.

    `trusted_code_sha256`: of the program in the model folder that may be executed.
    """

    name: str
    path: str
    adapter_path: str | None = None
    trusted_code_sha256: str | None = None


@dataclass(frozen=True)
class _Tuned:
    task: TaskRow
    job: JobRow

    def output(self, settings: Settings) -> Path:
        return RunFolder.of(settings.runs_dir, self.job.id, self.job.attempt).output_dir


async def listing(
    session: AsyncSession, user: UserRow, settings: Settings
) -> list[PlaygroundTarget]:
    """Ready base models by name, then the tuned models that `user` may see, newest first.

    Base models that answer nothing until they were trained, such as encoders, are not listed.
    """
    ready = select(ModelRow).where(ModelRow.status == ModelStatus.READY).order_by(ModelRow.name)
    base = list(await session.scalars(ready))
    tuned = await _tuned_models(session, user)
    names = {row.id: row.name for row in base}
    prompts = await asyncio.to_thread(lambda: [_system_prompt(found.job) for found in tuned])
    return [
        *(
            PlaygroundTarget(
                kind="base",
                id=row.id,
                name=row.name,
                purpose=purpose,
                base_id=None,
                base_name=None,
                system_prompt=None,
            )
            for row in base
            if (purpose := purposes.of_architecture(row.architecture)) is not None
        ),
        *(
            PlaygroundTarget(
                kind="tuned",
                id=found.task.id,
                name=found.task.output_name,
                purpose=purposes.of_objective(found.task.objective),
                base_id=found.task.model_id if found.task.model_id in names else None,
                base_name=found.task.model_name,
                system_prompt=prompt,
            )
            for found, prompt in zip(tuned, prompts, strict=True)
        ),
    ]


async def _tuned_models(session: AsyncSession, user: UserRow) -> list[_Tuned]:
    query = (
        select(TaskRow, JobRow)
        .join(JobRow, JobRow.id == TaskRow.job_id)
        .where(JobRow.status == JobStatus.COMPLETED)
        .order_by(TaskRow.id.desc())
        .limit(MAX_TUNED)
    )
    lines = await session.execute(policy.visible(query, user, TaskRow.owner_id))
    return [_Tuned(line[0], line[1]) for line in lines]


def _system_prompt(job: JobRow) -> str | None:
    """What the data set's first conversation begins with, when that is a system message."""
    try:
        with Path(job.spec["dataset"]["path"]).open("rb") as file:
            record = orjson.loads(file.readline(MAX_RECORD_BYTES))
        first = (record.get("messages") or record.get("prompt") or [{}])[0]
        content = first.get("content") if first.get("role") == "system" else None
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None  # a data set that is gone, or of another kind
    return content if isinstance(content, str) else None


async def resolve(
    session: AsyncSession,
    user: UserRow,
    settings: Settings,
    model_id: UUID | None,
    task_id: UUID | None,
) -> ServedModel:
    """The files behind an id, when `user` may run them."""
    if (model_id is None) == (task_id is None):
        raise OneTarget
    if model_id is not None:
        policy.require(user, Action.RUN, None)
        row = await session.get(ModelRow, model_id)
        if row is None:
            raise models.ModelNotFound
        if row.status != ModelStatus.READY:
            raise ModelNotReady
        path = str(model_folder(settings, row))
        return ServedModel(row.name, path, trusted_code_sha256=row.trusted_code_sha256)
    assert task_id is not None
    found = await queries.find(session, user, task_id, Action.RUN)
    if found.job.status != JobStatus.COMPLETED:
        raise NotTuned
    return await _tuned(session, settings, _Tuned(found.row, found.job))


async def _tuned(session: AsyncSession, settings: Settings, found: _Tuned) -> ServedModel:
    output, name = found.output(settings), found.task.output_name
    if not output.is_dir():
        raise NotTuned
    if not (output / ADAPTER_FILE).is_file():
        # A whole model keeps the program of the one that it came from, if that has one.
        trusted = (found.job.spec.get("model") or {}).get("trusted_code_sha256")
        return ServedModel(name, str(output), trusted_code_sha256=trusted)
    base = await session.get(ModelRow, found.task.model_id)
    if base is None or base.status != ModelStatus.READY:
        raise BaseModelGone(params={"name": found.task.model_name})
    folder = model_folder(settings, base)
    return ServedModel(name, str(folder), str(output), base.trusted_code_sha256)
