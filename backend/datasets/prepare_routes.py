"""HTTP of preparing: make a version by steps, try the steps out, give up."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request

from backend import idempotency
from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep, again_on_conflict, transaction
from backend.datasets import prepare_service, queries, view
from backend.datasets.prepare_schemas import PrepareRequest, PreviewRequest
from backend.datasets.preparing import outlook
from backend.datasets.preparing.asked import resolve
from backend.datasets.preview_schemas import PreparePreview
from backend.datasets.schemas import Dataset

router = APIRouter(prefix="/datasets/{dataset_id}/prepare", tags=["datasets"])

Key = Annotated[str | None, Header(alias="Idempotency-Key")]


@router.post("", status_code=202)
async def prepare_dataset(
    request: Request,
    user: CurrentUser,
    dataset_id: UUID,
    body: PrepareRequest,
    idempotency_key: Key = None,
) -> Dataset:
    """Make a new version by these steps, or with `name` a new data set. The data set stays usable
    meanwhile; `preparation` tells how far it is."""
    state = request.app.state
    await outlook.require_expressions(state.reading_desk, body.steps)

    @again_on_conflict
    async def prepare() -> Dataset:
        async with transaction(state.sessions) as session:

            async def act() -> Dataset:
                row = await prepare_service.prepare(session, user, state.settings, dataset_id, body)
                return await view.view_of(session, row)

            fingerprint = idempotency.fingerprint_of(f"prepare_dataset {dataset_id}", body)
            return await idempotency.once(
                session, user.id, idempotency_key, fingerprint, Dataset, act
            )

    return await prepare()


@router.post("/preview")
async def preview_preparation(
    request: Request, user: CurrentUser, dataset_id: UUID, body: PreviewRequest
) -> PreparePreview:
    """Try the steps out on some of the rows: how many each leaves, and what the first become."""
    state = request.app.state
    await outlook.require_expressions(state.reading_desk, body.steps)
    async with transaction(state.sessions) as session:
        row = await queries.find(session, user, dataset_id)
        asked = await resolve(session, state.settings, user, row, body)
    return await outlook.preview(state.reading_desk, asked)


@router.delete("")
async def give_up_preparation(session: SessionDep, user: CurrentUser, dataset_id: UUID) -> Dataset:
    """Stop the preparation that runs, or dismiss the one that has failed."""
    row = await prepare_service.give_up(session, user, dataset_id)
    return await view.view_of(session, row)
