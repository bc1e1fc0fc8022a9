"""HTTP of hygiene: what a version's rows hide, and what two versions share."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from backend.accounts.dependencies import CurrentUser
from backend.accounts.policy import Action
from backend.database import SessionDep, again_on_conflict, transaction
from backend.datasets import queries
from backend.datasets.hygiene import service
from backend.datasets.hygiene_schemas import DatasetHygiene, DatasetOverlap
from backend.datasets.reading.desk import ReadingDesk

router = APIRouter(prefix="/datasets", tags=["datasets"])

Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Default: the newest")]


@router.get("/{dataset_id}/hygiene")
async def get_dataset_hygiene(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    dataset_id: UUID,
    version: Version = None,
) -> DatasetHygiene:
    """Duplicates, personal data, secrets, poor answers and labels, languages: what the examination
    after the import found, or how far it is."""
    row = await queries.find(session, user, dataset_id)
    chosen = version or row.version
    job = await service.job_of(session, row, chosen)
    return await service.hygiene(request.app.state.settings, row, chosen, job)


@router.post("/{dataset_id}/hygiene", status_code=202)
async def examine_dataset(
    request: Request, user: CurrentUser, dataset_id: UUID, version: Version = None
) -> DatasetHygiene:
    """Examine a version, or examine it again; nothing happens while that is under way."""
    state = request.app.state

    @again_on_conflict
    async def start() -> DatasetHygiene:
        async with transaction(state.sessions) as session:
            row = await queries.find(session, user, dataset_id, Action.CHANGE, lock=True)
            chosen = version or row.version
            await service.start(session, state.settings, row, chosen)
            job = await service.job_of(session, row, chosen)
            return await service.hygiene(state.settings, row, chosen, job)

    return await start()


@router.get("/{dataset_id}/overlap")
async def get_dataset_overlap(
    request: Request,
    user: CurrentUser,
    dataset_id: UUID,
    with_dataset_id: UUID,
    version: Version = None,
    with_version: Version = None,
) -> DatasetOverlap:
    """How many of the rows another version has, too: of a validation set, those that the training
    set gives away."""
    state = request.app.state
    async with transaction(state.sessions) as session:
        ours = await queries.find(session, user, dataset_id)
        theirs = await queries.find(session, user, with_dataset_id)
    desk: ReadingDesk = state.reading_desk
    return await service.overlap(
        desk,
        state.settings,
        (ours, version or ours.version),
        (theirs, with_version or theirs.version),
    )
