"""HTTP of notices: one's own for everybody, targets for administrators."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from backend import pagination
from backend.accounts import policy
from backend.accounts.dependencies import CurrentUser
from backend.accounts.policy import Action
from backend.accounts.tables import UserRow
from backend.database import SessionDep, transaction
from backend.notices import queries, service, targets
from backend.notices.schemas import (
    DeliveryError,
    MarkRead,
    NewNoticeTarget,
    NoticeDelivery,
    NoticePage,
    NoticePreferences,
    NoticeTarget,
    NoticeTargetCreate,
    NoticeTargetUpdate,
    TargetTested,
    UnreadCount,
)
from backend.pagination import Cursor, Limit, Page

router = APIRouter(prefix="/notices", tags=["notices"])


def _require_administrator(user: UserRow) -> None:
    policy.require(user, Action.ADMINISTER, None)


@router.get("")
async def list_notices(
    session: SessionDep,
    user: CurrentUser,
    limit: Limit = 20,
    cursor: Cursor = None,
    unread: Annotated[bool, Query(description="Only those that are unread")] = False,
) -> NoticePage:
    """The signed-in user's notices, newest first, and how many are unread."""
    rows = await queries.page(session, user, unread=unread, limit=limit, cursor=cursor)
    kept, last = pagination.cut(rows, limit)
    return NoticePage(
        items=[queries.notice_of(row) for row in kept],
        next_cursor=str(last.id) if last else None,
        unread=await queries.count_unread(session, user),
    )


@router.post("/read")
async def mark_notices_read(session: SessionDep, user: CurrentUser, body: MarkRead) -> UnreadCount:
    """Some or all of one's own notices have been read."""
    await service.mark_read(session, user, body)
    return UnreadCount(unread=await queries.count_unread(session, user))


@router.get("/preferences")
async def get_notice_preferences(session: SessionDep, user: CurrentUser) -> NoticePreferences:
    """The kinds that the signed-in user wants to see."""
    return await service.preferences(session, user)


@router.put("/preferences")
async def set_notice_preferences(
    session: SessionDep, user: CurrentUser, body: NoticePreferences
) -> NoticePreferences:
    """Choose the kinds that are shown from now on."""
    await service.prefer(session, user, body)
    return body


@router.get("/targets")
async def list_notice_targets(session: SessionDep, user: CurrentUser) -> list[NoticeTarget]:
    """Where messages are sent outside the app; administrators only."""
    _require_administrator(user)
    return await queries.targets(session)


@router.post("/targets", status_code=201)
async def create_notice_target(
    request: Request, user: CurrentUser, body: NoticeTargetCreate
) -> NewNoticeTarget:
    """Add a target. Its address, and what webhooks are signed with, are never shown again."""
    _require_administrator(user)
    state = request.app.state
    address = await targets.checked(body.url.get_secret_value(), state.settings.private_targets)
    async with transaction(state.sessions) as session:
        row, signing = await targets.create(session, state.seal, body, address)
        [view] = await queries.views_of(session, [row])
    return NewNoticeTarget(**view.model_dump(), signing_secret=signing)


@router.patch("/targets/{target_id}")
async def update_notice_target(
    request: Request, user: CurrentUser, target_id: UUID, body: NoticeTargetUpdate
) -> NewNoticeTarget:
    """Change a target; one that is switched off also loses what waits for it."""
    _require_administrator(user)
    state = request.app.state
    address = None
    if body.url is not None:
        address = await targets.checked(body.url.get_secret_value(), state.settings.private_targets)
    async with transaction(state.sessions) as session:
        row, signing = await targets.change(session, state.seal, target_id, body, address)
        [view] = await queries.views_of(session, [row])
    return NewNoticeTarget(**view.model_dump(), signing_secret=signing)


@router.delete("/targets/{target_id}", status_code=204)
async def delete_notice_target(session: SessionDep, user: CurrentUser, target_id: UUID) -> None:
    """Remove a target and its messages."""
    _require_administrator(user)
    await targets.remove(session, target_id)


@router.post("/targets/{target_id}/test")
async def test_notice_target(request: Request, user: CurrentUser, target_id: UUID) -> TargetTested:
    """Send a test message now and say what became of it."""
    _require_administrator(user)
    state = request.app.state
    async with transaction(state.sessions) as session:  # none is held while it is sent
        row = await queries.find_target(session, target_id)
        message = targets.test_message(row, state.seal, state.settings.public_url)
    outcome = await targets.test(message, state.settings.private_targets)
    error = DeliveryError(code=outcome.code, params=outcome.params) if not outcome.ok else None
    return TargetTested(ok=outcome.ok, error=error)


@router.get("/targets/{target_id}/deliveries")
async def list_notice_deliveries(
    session: SessionDep,
    user: CurrentUser,
    target_id: UUID,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Page[NoticeDelivery]:
    """Messages to a target, newest first, and how each went; administrators only."""
    _require_administrator(user)
    await queries.find_target(session, target_id)
    rows = await queries.deliveries(session, target_id, limit=limit, cursor=cursor)
    kept, last = pagination.cut(rows, limit)
    items = [queries.delivery_of(row, notice) for row, notice in kept]
    return Page(items=items, next_cursor=str(last[0].id) if last else None)
