"""What an export would read, and which formats can be had of it."""

import asyncio
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.tables import UserRow
from backend.jobs.run_folder import RunFolder
from backend.models.tables import ModelRow
from backend.settings import Settings
from backend.tasks import queries
from backend.tasks.artifact import ADAPTER_FILE, ArtifactGone, NoArtifact
from backend.tasks.export_schemas import ExportChoice, WhyNot
from backend.tasks.queries import Found
from training_engine.contract.choices import Objective, head_of
from training_engine.contract.exports import (
    BITS_PER_WEIGHT,
    ExportFormat,
    Unavailable,
    unavailable,
)
from training_engine.contract.model_folder import CONFIG_FILE, UnfitFolder, read_object


class Sources(NamedTuple):
    """What an export reads: the output of a run, and the base model when that is an adapter."""

    output: Path
    model: Path
    adapter: bool
    config: dict[str, Any]


async def sources_of(settings: Settings, found: Found) -> Sources:
    """Raises `NoArtifact` before there is a result, `ArtifactGone` when its files are missing."""
    if found.completed_attempt is None:
        raise NoArtifact
    output = RunFolder.of(settings.runs_dir, found.job.id, found.completed_attempt).output_dir
    base = Path(found.job.spec["model"]["path"])

    def look() -> Sources:
        adapter = (output / ADAPTER_FILE).is_file()
        model = base if adapter else output
        try:
            return Sources(output, model, adapter, read_object(model / CONFIG_FILE))
        except UnfitFolder as error:
            raise ArtifactGone(f"The result can not be exported: {error.message}") from error

    return await asyncio.to_thread(look)


async def choices(
    session: AsyncSession, settings: Settings, user: UserRow, task_id: UUID
) -> list[ExportChoice]:
    """Every format, with what stands against it."""
    found = await queries.find(session, user, task_id)
    sources = await sources_of(settings, found)
    model = await session.get(ModelRow, found.row.model_id)
    return [_choice(each, found, sources, model) for each in ExportFormat]


def _choice(
    format: ExportFormat, found: Found, sources: Sources, model: ModelRow | None
) -> ExportChoice:
    why_not = against_it(format, found, sources)
    return ExportChoice(
        format=format,
        size_bytes=size_of(format, model),
        unavailable=WhyNot.model_validate(why_not._asdict()) if why_not else None,
    )


def against_it(format: ExportFormat, found: Found, sources: Sources) -> Unavailable | None:
    """Why the result can not be had in this format; None when it can."""
    return unavailable(format, head_of(Objective(found.row.objective)), sources.config)


def size_of(format: ExportFormat, model: ModelRow | None) -> int | None:
    """About how many bytes it will have; None when the model does not say."""
    bits = BITS_PER_WEIGHT.get(format)
    if model is None:
        return None
    if bits is None:
        return model.size_bytes
    return int(model.num_parameters * bits / 8) if model.num_parameters else None
