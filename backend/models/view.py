"""From rows of the database to what the API shows."""

import asyncio
from collections.abc import Sequence

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs import subjects
from backend.jobs.subjects import NO_USES
from backend.models import files, program, queries
from backend.models.abilities import objectives_of
from backend.models.program import Program
from backend.models.schemas import (
    Model,
    ModelError,
    ModelProgram,
    ModelSource,
    ModelStatus,
    ModelUse,
)
from backend.models.tables import ModelRow
from backend.settings import Settings
from training_engine.contract.choices import Method, Objective

USES = TypeAdapter(list[ModelUse])
_UNDER_WAY = frozenset({ModelStatus.DOWNLOADING, ModelStatus.CONVERTING})


async def view_of(session: AsyncSession, settings: Settings, row: ModelRow) -> Model:
    """One model."""
    return (await views_of(session, settings, [row]))[0]


async def views_of(
    session: AsyncSession, settings: Settings, rows: Sequence[ModelRow]
) -> list[Model]:
    """Models with their uses and progress, in four queries for all."""
    ids = [row.id for row in rows]
    uses = await queries.newest_uses(session, ids) if ids else {}
    under_way = [row.id for row in rows if row.status in _UNDER_WAY]
    progress = await subjects.progress(session, under_way) if under_way else {}
    programs = {
        row.id: await asyncio.to_thread(_program, settings, row)
        for row in rows
        if program.is_asked_for(row)
    }
    return [
        _with_program(
            Model(
                id=row.id,
                name=row.name,
                source=ModelSource(row.source),
                reference=row.reference,
                revision=row.revision,
                status=ModelStatus(row.status),
                progress=progress.get(row.id, 0.0) if row.id in under_way else None,
                error=ModelError.model_validate(row.error) if row.error else None,
                architecture=row.architecture,
                num_parameters=row.num_parameters,
                context_length=row.context_length,
                size_bytes=row.size_bytes,
                licence=row.licence,
                has_chat_template=row.has_chat_template,
                program=None,
                objectives=objectives(row),
                methods=list(Method) if objectives(row) else [],
                used_by=USES.validate_json(uses.get(row.id, NO_USES).json),
                used_by_count=uses.get(row.id, NO_USES).total,
                created_at=row.created_at,
            ),
            programs.get(row.id),
            row,
        )
        for row in rows
    ]


def _program(settings: Settings, row: ModelRow) -> Program | None:
    """The program files as they are now."""
    try:
        return program.program_of(files.located(settings, row.reference)[0])
    except (files.BadReference, OSError):
        return None


def _with_program(model: Model, found: Program | None, row: ModelRow) -> Model:
    """The model with its program; one whose files were changed is not ready any more."""
    if found is None:
        return model
    trusted = found.sha256 == row.trusted_code_sha256
    told = ModelProgram(sha256=found.sha256, files=list(found.files), trusted=trusted)
    if trusted:
        return model.model_copy(update={"program": told})
    error = ModelError.model_validate(program.refusal(found))
    waiting = {"status": ModelStatus.FAILED, "error": error, "objectives": [], "methods": []}
    return model.model_copy(update={"program": told, **waiting})


def objectives(row: ModelRow) -> list[Objective]:
    """What the model can be trained for; nothing before it is ready."""
    return objectives_of(row.architecture) if row.status == ModelStatus.READY else []
