"""HTTP of exports: what there is to choose, ask for one, see how it goes, fetch it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import anyio
from fastapi import APIRouter, BackgroundTasks, Header, Request
from fastapi.responses import FileResponse, Response

from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep
from backend.idempotency import fingerprint_of, once
from backend.jobs.run_folder import RunFolder, remove_all
from backend.jobs.schemas import JobStatus
from backend.tasks import archive, attachment, export_choices, exports
from backend.tasks.export_schemas import Export, ExportChoice, ExportCreate, ExportList
from training_engine.contract.exports import ExportFormat

router = APIRouter(tags=["tasks"])

Key = Annotated[str | None, Header(alias="Idempotency-Key")]
DOWNLOAD: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "application/zip": {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


@router.get("/tasks/{task_id}/exports/formats")
async def list_export_formats(
    request: Request, session: SessionDep, user: CurrentUser, task_id: UUID
) -> list[ExportChoice]:
    """Every format: how large the result will be about, and why one can not be had."""
    return await export_choices.choices(session, request.app.state.settings, user, task_id)


@router.post("/tasks/{task_id}/exports", status_code=202)
async def create_export(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    body: ExportCreate,
    idempotency_key: Key = None,
) -> Export:
    """Export the result of a completed task. It is checked by loading it before it counts."""

    async def act() -> Export:
        return await exports.create(session, request.app.state.settings, user, task_id, body)

    fingerprint = fingerprint_of(f"create_export {task_id}", body)
    return await once(session, user.id, idempotency_key, fingerprint, Export, act)


@router.get("/tasks/{task_id}/exports")
async def list_exports(session: SessionDep, user: CurrentUser, task_id: UUID) -> ExportList:
    """All exports of a task, newest first."""
    return ExportList(items=await exports.list_all(session, user, task_id))


@router.get("/tasks/{task_id}/exports/{export_id}")
async def get_export(
    session: SessionDep, user: CurrentUser, task_id: UUID, export_id: UUID
) -> Export:
    """One export."""
    return exports.view(*await exports.find(session, user, task_id, export_id))


@router.delete("/tasks/{task_id}/exports/{export_id}", status_code=204)
async def delete_export(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    export_id: UUID,
    later: BackgroundTasks,
) -> None:
    """Delete an export with its files; one that runs is stopped."""
    for job_id in await exports.delete(session, user, task_id, export_id):
        later.add_task(remove_all, request.app.state.settings.runs_dir, job_id)


@router.get(
    "/tasks/{task_id}/exports/{export_id}/download", response_class=Response, responses=DOWNLOAD
)
async def download_export(
    request: Request, session: SessionDep, user: CurrentUser, task_id: UUID, export_id: UUID
) -> Response:
    """The GGUF file, or a zip of the model folder made while it is sent."""
    found, row, job = await exports.find(session, user, task_id, export_id)
    if job.status is not JobStatus.COMPLETED:
        raise exports.ExportNotReady(params={"status": job.status})
    folder = RunFolder.of(request.app.state.settings.runs_dir, job.id, job.attempt).output_dir
    files = await anyio.to_thread.run_sync(_files, folder)
    name = exports.filename(found, row.format)
    if row.format != ExportFormat.MERGED:
        file = next((path for _, path, _ in files if path.suffix == ".gguf"), None)
        if file is None:
            raise exports.ExportGone
        return FileResponse(
            file, media_type="application/octet-stream", headers=attachment.headers(name)
        )
    if not files:
        raise exports.ExportGone
    top = name.removesuffix(".zip")
    members = [archive.Member.of_file(f"{top}/{at}", path, size) for at, path, size in files]
    return attachment.Zip(
        archive.stream(members, job.finished_at or datetime.now(UTC)),
        headers=attachment.headers(name, archive.length(members)),
    )


def _files(folder: Path) -> list[tuple[str, Path, int]]:
    return archive.regular_files(folder) if folder.is_dir() else []
