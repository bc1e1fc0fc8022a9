"""HTTP of data sets."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response

from backend import pagination
from backend.accounts.dependencies import CurrentUser
from backend.database import ReadDep, SessionDep, again_on_conflict, transaction
from backend.datasets import examples, files, listing, queries, service, view
from backend.datasets.schemas import (
    Dataset,
    DatasetStatus,
    DatasetUpdate,
    Example,
    ExampleRequest,
)
from backend.datasets.uploading import requests
from backend.datasets.uploading.described import CREATION
from backend.fragments import fragments_of, page
from backend.jobs import run_folder, whole_folders
from backend.pagination import Cursor, Limit, Page

router = APIRouter(prefix="/datasets", tags=["datasets"])

Key = Annotated[str | None, Header(alias="Idempotency-Key")]


@router.post("", status_code=202, openapi_extra=CREATION)
async def create_dataset(
    request: Request, user: CurrentUser, idempotency_key: Key = None
) -> Dataset:
    """Import files that come with this request and go to disk meanwhile, or that were uploaded
    before, or fetch a data set from a hub."""
    return await requests.from_request(request, user, idempotency_key)


@router.get("/examples")
def list_examples(_user: CurrentUser) -> list[Example]:
    """Data sets that come with EasyTune."""
    return examples.all_examples()


@router.post("/examples", status_code=202)
async def add_example(
    request: Request, user: CurrentUser, body: ExampleRequest, idempotency_key: Key = None
) -> Dataset:
    """Add a copy of an example."""
    state = request.app.state
    return await requests.from_example(
        state.sessions, user, state.settings, body.example, idempotency_key
    )


@router.get("", response_model=Page[Dataset])
async def list_datasets(
    request: Request,
    session: ReadDep,
    user: CurrentUser,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    status: DatasetStatus | None = None,
) -> Response:
    """Data sets that the user may see, newest first; `q` looks in name, description, file name."""
    found = await queries.page(session, user, limit=limit, cursor=cursor, q=q, status=status)
    kept, last = pagination.cut(found, limit)
    if any(each.status == DatasetStatus.READY for each in kept):
        request.app.state.reading_desk.expect_questions()
    fragments = fragments_of(request.app, "datasets")
    texts = await listing.texts_of(session, fragments, kept)
    return page(texts, str(last.id) if last else None)


@router.get("/{dataset_id}")
async def get_dataset(
    request: Request, session: ReadDep, user: CurrentUser, dataset_id: UUID
) -> Dataset:
    """One data set."""
    row = await queries.find(session, user, dataset_id)
    if row.status == DatasetStatus.READY:  # while there are no rows, an import needs the processor
        state = request.app.state
        shown = files.version_dir(state.settings, row.id, row.version)
        state.reading_desk.expect_questions(shown)
    return await view.view_of(session, row)


@router.patch("/{dataset_id}")
async def update_dataset(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    dataset_id: UUID,
    body: DatasetUpdate,
) -> Dataset:
    """Rename, describe, allow dropped rows, or import again with a mapping."""
    settings = request.app.state.settings
    row = await service.update(session, user, settings, dataset_id, body)
    return await view.view_of(session, row)


@router.post("/{dataset_id}/stop")
async def stop_dataset(session: SessionDep, user: CurrentUser, dataset_id: UUID) -> Dataset:
    """Stop the import that is under way. The version before it is shown again; without one the
    data set has failed, and can be imported again."""
    return await view.view_of(session, await service.stop(session, user, dataset_id))


@router.delete("/{dataset_id}", status_code=204)
async def delete_dataset(request: Request, user: CurrentUser, dataset_id: UUID) -> None:
    """Delete a data set that no unfinished task uses, with its files."""
    state = request.app.state

    @again_on_conflict
    async def delete() -> list[UUID]:
        async with transaction(state.sessions) as session:
            return await service.delete(session, user, dataset_id)

    ended = await delete()
    # Only now, that nothing can bring the rows back.
    await asyncio.to_thread(whole_folders.remove, files.dataset_dir(state.settings, dataset_id))
    for job_id in ended:
        await asyncio.to_thread(run_folder.remove_all, state.settings.runs_dir, job_id)
