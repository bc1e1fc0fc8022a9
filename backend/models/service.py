"""What can be done with base models. What takes time runs as a job; refusals come before it."""

import asyncio
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import policy
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.errors import AppError, Conflict, Forbidden, Refused
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs import subjects
from backend.jobs.schemas import Slot
from backend.models import files, hub, program, queries
from backend.models.folder import ModelFacts, UnusableFolder, read_facts, require_usable
from backend.models.hub import HubModel
from backend.models.outcome import write_facts
from backend.models.program import Program
from backend.models.schemas import ModelCreate, ModelSource, ModelStatus
from backend.models.starters import STARTER, STARTERS
from backend.models.tables import ModelRow
from backend.settings import Settings

log = structlog.get_logger(__name__)

DOWNLOAD, CONVERT = "download_model", "convert_starter"
# Kept free for the database and for checkpoints of running tasks.
RESERVE_BYTES = 512 * 1024 * 1024


class SourceNotAvailable(Refused):
    """Models from {source} can not be added yet; use Hugging Face, the starter model or a local
    folder."""


class UnknownStarter(Refused):
    """No model called “{reference}” comes with EasyTune; there are: {known}."""


class StarterMissing(Refused):
    """The package of the starter model is not installed; run the set-up again."""


class NotEnoughDisk(AppError):
    """“{name}” needs {needed_gb} GB on disk and {free_gb} GB are free; free some and try again."""

    status = 507


class ModelInUse(Conflict):
    """{count} tasks that have not ended start from this model: {names}. Stop them first, or
    wait."""


class NothingToTrust(Conflict):
    """This model brings no program along that would have to be allowed."""


class ProgramChanged(Conflict):
    """The program files of this model are not those that were read; look at them again."""


class NothingToRetry(Conflict):
    """This model is {status}; only what failed can be tried again."""


async def prepare(settings: Settings, body: ModelCreate) -> "Wanted":
    """Find out everything that can be known before anything is written; no session is held."""
    if body.source == ModelSource.STARTER:
        return await asyncio.to_thread(_starter, settings, body.reference or STARTER)
    if body.source == ModelSource.HUGGINGFACE:
        found = await hub.look_up(settings, body.reference, body.revision)
        _require_space(settings, found)
        return Wanted(body.source, found.reference, found.reference, hub_model=found)
    if body.source == ModelSource.LOCAL:
        return await asyncio.to_thread(_local, settings, body.reference)
    raise SourceNotAvailable(params={"source": body.source.value})


class Wanted:
    """A model that may be added: facts of a folder that is there, or what is to be fetched.

    `needs`: a program that has to be allowed before the model can be used.
    """

    def __init__(
        self,
        source: ModelSource,
        reference: str,
        name: str,
        *,
        facts: ModelFacts | None = None,
        hub_model: HubModel | None = None,
        needs: Program | None = None,
    ) -> None:
        self.source, self.reference, self.name = source, reference, name
        self.facts, self.hub_model, self.needs = facts, hub_model, needs

    @property
    def revision(self) -> str | None:
        """The commit of a model of the hub."""
        return self.hub_model.revision if self.hub_model else None


def _starter(settings: Settings, reference: str) -> Wanted:
    """Converted once; what an earlier conversion left is used."""
    starter = STARTERS.get(reference)
    if starter is None:
        raise UnknownStarter(params={"reference": reference, "known": ", ".join(STARTERS)})
    folder = settings.models_dir / reference
    facts = None
    if folder.is_dir():
        try:
            require_usable(folder, folder)
            facts = read_facts(folder)
        except (UnusableFolder, OSError):
            facts = None  # converted again
    if facts is None and not starter.installed:
        raise StarterMissing
    return Wanted(ModelSource.STARTER, reference, starter.name, facts=facts)


def _local(settings: Settings, reference: str) -> Wanted:
    folder, root = files.located(settings, reference)
    needed = None
    try:
        try:
            require_usable(folder, root)
        except UnusableFolder as unusable:
            needed = program.program_of(folder) if unusable.reason == program.NEEDS_CODE else None
            if needed is None:
                raise
        facts = read_facts(folder)
    except (UnusableFolder, OSError) as error:
        params = {"reference": reference, "reason": str(error)}
        raise files.BadReference(params=params) from error
    name = reference.rstrip("/")
    return Wanted(ModelSource.LOCAL, name, folder.name, facts=facts, needs=needed)


def _require_space(settings: Settings, found: HubModel) -> None:
    place: Path = settings.models_dir
    place.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(place).free - RESERVE_BYTES
    if found.size_bytes > free:
        raise NotEnoughDisk(
            params={
                "name": found.reference,
                "needed_gb": round(found.size_bytes / 1e9, 1),
                "free_gb": round(max(0, free) / 1e9, 1),
            }
        )


async def create(
    session: AsyncSession,
    user: UserRow,
    settings: Settings,
    wanted: Wanted,
    model_id: UUID | None = None,
) -> ModelRow:
    """Add the model, or return the one that is this already (tried again when it had failed).

    `model_id` is given when its files are in place under that id.
    """
    policy.require(user, Action.CREATE, user.id)
    try:
        async with session.begin_nested():
            row = await queries.same(session, wanted.source, wanted.reference, wanted.revision)
            if row is None:
                return await _add(session, user, settings, wanted, model_id or new_id())
    except IntegrityError:  # somebody adds it at this very moment
        row = await queries.same(session, wanted.source, wanted.reference, wanted.revision)
        if row is None:
            raise
    if row.status == ModelStatus.FAILED:
        await _begin(session, settings, row, wanted)
    return row


async def existing(session: AsyncSession, wanted: Wanted) -> ModelRow | None:
    """The model that is this already, unless it failed."""
    row = await queries.same(session, wanted.source, wanted.reference, wanted.revision)
    return row if row is not None and row.status != ModelStatus.FAILED else None


async def _add(
    session: AsyncSession, user: UserRow, settings: Settings, wanted: Wanted, model_id: UUID
) -> ModelRow:
    row = ModelRow(
        id=model_id,
        added_by=user.id,
        name=wanted.name,
        source=wanted.source,
        reference=wanted.reference,
        revision=wanted.revision,
        status=ModelStatus.READY,
        licence=wanted.hub_model.licence if wanted.hub_model else None,
    )
    session.add(row)
    await session.flush()
    await _begin(session, settings, row, wanted)
    return row


async def _begin(session: AsyncSession, settings: Settings, row: ModelRow, wanted: Wanted) -> None:
    """Ready at once when the folder is there, else a job."""
    row.error = None
    if wanted.facts is not None:
        write_facts(row, wanted.facts)
        if wanted.needs is not None and wanted.needs.sha256 != row.trusted_code_sha256:
            row.status, row.error = ModelStatus.FAILED, program.refusal(wanted.needs)
    elif wanted.hub_model is not None:
        row.status = ModelStatus.DOWNLOADING
        row.size_bytes = wanted.hub_model.size_bytes
        await _enqueue(session, row, DOWNLOAD, download_spec(settings, row, wanted.hub_model))
    else:
        row.status = ModelStatus.CONVERTING
        target = files.own_dir(settings, row.source, row.reference, row.id)
        spec = {"target": str(target), "starter": row.reference or STARTER}
        await _enqueue(session, row, CONVERT, spec)
    await session.flush()


def download_spec(settings: Settings, row: ModelRow, found: HubModel) -> dict[str, Any]:
    """All that a download depends on."""
    return {
        **hub_spec(settings, found),
        "partial": str(files.partial_dir(settings, row.id)),
        "target": str(files.own_dir(settings, row.source, row.reference, row.id)),
    }


def hub_spec(settings: Settings, found: HubModel) -> dict[str, Any]:
    """What to fetch, and from where."""
    return {
        "endpoint": settings.hf_endpoint.rstrip("/"),
        "repo": found.reference,
        "revision": found.revision,
        "files": [asdict(file) for file in found.files],
    }


async def _enqueue(session: AsyncSession, row: ModelRow, kind: str, spec: dict[str, Any]) -> None:
    await jobs.enqueue(
        session,
        kind=kind,
        spec=spec,
        slot=Slot.LIGHT,
        owner_id=row.added_by,
        subject_id=row.id,
    )


async def retry(session: AsyncSession, user: UserRow, model_id: UUID) -> ModelRow:
    """Try a failed download or conversion again; a download goes on where it was."""
    row = await _changeable(session, user, model_id, Action.RUN)
    if row.status != ModelStatus.FAILED:
        raise NothingToRetry(params={"status": row.status})
    job = await jobs.newest_of(session, row.id)
    if job is None:
        raise NothingToRetry(params={"status": row.status})
    row.error = None
    row.status = ModelStatus.DOWNLOADING if job.kind == DOWNLOAD else ModelStatus.CONVERTING
    await _enqueue(session, row, job.kind, job.spec)
    await session.flush()
    return row


async def trust(
    session: AsyncSession, user: UserRow, settings: Settings, model_id: UUID, sha256: str
) -> ModelRow:
    """Allow the program of a model to be executed: exactly the files with this hash.

    Raises `Forbidden`, `NothingToTrust`, `ProgramChanged`.
    """
    policy.require(user, Action.ADMINISTER, None)
    row = await queries.find(session, model_id, lock=True)
    if not program.is_asked_for(row):
        raise NothingToTrust
    folder, root = files.located(settings, row.reference)
    found = await asyncio.to_thread(program.program_of, folder)
    if found is None or found.sha256 != sha256:
        raise ProgramChanged
    try:
        await asyncio.to_thread(program.require_usable, folder, root, sha256)
        facts = await asyncio.to_thread(read_facts, folder)
    except (UnusableFolder, OSError) as error:
        params = {"reference": row.reference, "reason": str(error)}
        raise files.BadReference(params=params) from error
    row.trusted_code_sha256 = sha256
    write_facts(row, facts)
    await session.flush()
    log.warning(
        "model_program_allowed",
        model=row.name,
        model_id=str(row.id),
        sha256=sha256,
        files=list(found.files),
        user=user.username,
    )
    return row


async def _changeable(
    session: AsyncSession, user: UserRow, model_id: UUID, action: Action
) -> ModelRow:
    """Everybody sees a model; administrators and who brought it may change it."""
    row = await queries.find(session, model_id, lock=True)
    _require(user, action, row)
    return row


def _require(user: UserRow, action: Action, row: ModelRow) -> None:
    if not policy.may(user, action, row.added_by):
        raise Forbidden


async def delete(
    session: AsyncSession, user: UserRow, settings: Settings, model_id: UUID
) -> tuple[list[Path], list[UUID]]:
    """Delete the rows; returns folders and jobs whose files may go once this is committed.

    A download that still runs is stopped. A local model's folder is not ours and stays. Raises
    `ModelInUse`.
    """
    _require(user, Action.DELETE, await queries.find(session, model_id))
    # The jobs are locked before the row, as by whoever writes how a download ended.
    ended = await jobs.forget(session, model_id)
    row = await _changeable(session, user, model_id, Action.DELETE)
    users = subjects.live((await queries.uses(session, [row.id])).get(row.id, []))
    if users:
        raise ModelInUse(**subjects.in_use(users))
    folders = []
    if row.source != ModelSource.LOCAL:
        own = files.own_dir(settings, row.source, row.reference, row.id)
        folders = [own, files.partial_dir(settings, row.id)]
    await session.delete(row)
    await session.flush()
    return folders, ended
