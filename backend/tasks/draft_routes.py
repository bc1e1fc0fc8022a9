"""HTTP for the wizard's drafts."""

from uuid import UUID

from fastapi import APIRouter

from backend.accounts import policy
from backend.accounts.dependencies import CurrentUser
from backend.accounts.policy import Action
from backend.database import SessionDep
from backend.tasks import drafts
from backend.tasks.draft_schemas import Draft, DraftSave

router = APIRouter(tags=["tasks"])


@router.get("/tasks/drafts")
async def list_drafts(session: SessionDep, user: CurrentUser) -> list[Draft]:
    """The user's own drafts, last changed first."""
    return await drafts.list_all(session, user.id)


@router.post("/tasks/drafts", status_code=201)
async def create_draft(session: SessionDep, user: CurrentUser, body: DraftSave) -> Draft:
    """Begin a draft."""
    policy.require(user, Action.CREATE, user.id)
    return await drafts.create(session, user.id, body)


@router.get("/tasks/drafts/{draft_id}")
async def get_draft(session: SessionDep, user: CurrentUser, draft_id: UUID) -> Draft:
    """One draft."""
    return await drafts.get(session, user.id, draft_id)


@router.put("/tasks/drafts/{draft_id}")
async def save_draft(
    session: SessionDep, user: CurrentUser, draft_id: UUID, body: DraftSave
) -> Draft:
    """Replace what a draft holds."""
    policy.require(user, Action.CREATE, user.id)
    return await drafts.save(session, user.id, draft_id, body)


@router.delete("/tasks/drafts/{draft_id}", status_code=204)
async def delete_draft(session: SessionDep, user: CurrentUser, draft_id: UUID) -> None:
    """Forget a draft."""
    await drafts.remove(session, user.id, draft_id)
