"""HTTP of base models."""

import asyncio
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from backend import pagination
from backend.accounts import policy
from backend.accounts.dependencies import CurrentUser
from backend.accounts.policy import Action
from backend.database import ReadDep, SessionDep, again_on_conflict, transaction
from backend.jobs import run_folder, whole_folders
from backend.models import catalog, files, queries, service, view
from backend.models.schemas import (
    CatalogEntry,
    LocalFolders,
    Model,
    ModelCreate,
    ModelStatus,
    ModelTrust,
)
from backend.pagination import Cursor, Limit, Page

router = APIRouter(prefix="/models", tags=["models"])


@router.get("/catalog")
async def list_catalog(
    request: Request, session: SessionDep, _user: CurrentUser
) -> list[CatalogEntry]:
    """Models worth knowing, with what training them needs on this machine."""
    state = request.app.state
    return await catalog.entries(session, state.settings, state.gpu_facts)


@router.get("/local-folders")
def list_local_folders(request: Request, _user: CurrentUser) -> LocalFolders:
    """Folders below the configured roots that look like models."""
    return files.list_local(request.app.state.settings)


@router.post("", status_code=202)
async def create_model(request: Request, user: CurrentUser, body: ModelCreate) -> Model:
    """Add a base model; the same one twice is the same model."""
    state = request.app.state
    policy.require(user, Action.CREATE, user.id)
    wanted = await service.prepare(state.settings, body)
    async with transaction(state.sessions) as session:
        row = await service.create(session, user, state.settings, wanted)
        return await view.view_of(session, state.settings, row)


@router.get("")
async def list_models(
    request: Request,
    session: ReadDep,
    _user: CurrentUser,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    status: ModelStatus | None = None,
) -> Page[Model]:
    """Base models of this installation, newest first; `q` looks in the name."""
    rows = await queries.page(session, limit=limit, cursor=cursor, q=q, status=status)
    kept, last = pagination.cut(rows, limit)
    items = await view.views_of(session, request.app.state.settings, kept)
    return Page(items=items, next_cursor=str(last.id) if last else None)


@router.get("/{model_id}")
async def get_model(
    request: Request, session: ReadDep, _user: CurrentUser, model_id: UUID
) -> Model:
    """One model."""
    row = await queries.find(session, model_id)
    return await view.view_of(session, request.app.state.settings, row)


@router.post("/{model_id}/retry", status_code=202)
async def retry_model(
    request: Request, session: SessionDep, user: CurrentUser, model_id: UUID
) -> Model:
    """Try a failed download or conversion again."""
    row = await service.retry(session, user, model_id)
    return await view.view_of(session, request.app.state.settings, row)


@router.post("/{model_id}/trust")
async def trust_model(
    request: Request, session: SessionDep, user: CurrentUser, model_id: UUID, body: ModelTrust
) -> Model:
    """Allow the model's own program files, with this hash, to be executed; administrators only."""
    settings = request.app.state.settings
    row = await service.trust(session, user, settings, model_id, body.sha256)
    return await view.view_of(session, settings, row)


@router.delete("/{model_id}", status_code=204)
async def delete_model(request: Request, user: CurrentUser, model_id: UUID) -> None:
    """Delete a model that no unfinished task uses; a local folder stays on disk."""
    state = request.app.state

    @again_on_conflict
    async def delete() -> tuple[list[Path], list[UUID]]:
        async with transaction(state.sessions) as session:
            return await service.delete(session, user, state.settings, model_id)

    folders, ended = await delete()
    # Only now, that nothing can bring the rows back.
    for folder in folders:
        await asyncio.to_thread(whole_folders.remove, folder)
    for job_id in ended:
        await asyncio.to_thread(run_folder.remove_all, state.settings.runs_dir, job_id)
