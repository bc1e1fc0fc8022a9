"""What can be done with notices: announce, read, choose which kinds are shown."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.tables import UserRow
from backend.ids import new_id
from backend.jobs.tables import JobRow
from backend.notices.kinds import LEVELS, NoticeKind, SubjectType
from backend.notices.schemas import MarkRead, NoticePreferences
from backend.notices.tables import (
    NoticeDeliveryRow,
    NoticePreferenceRow,
    NoticeRow,
    NoticeTargetRow,
)

# Whoever waits for shorter work is still looking at its page.
LONG_WORK_S = 15.0


async def announce(
    session: AsyncSession,
    *,
    kind: NoticeKind,
    owner_id: UUID | None,
    subject_type: SubjectType,
    subject_id: UUID,
    subject_name: str,
    params: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> None:
    """Write a notice and its messages to the outside, in the caller's transaction.

    With `key` it is written once, however often it is announced. `owner_id` may be of a user who
    is gone. Nothing is sent here: that is the dispatcher's work after the commit.
    """
    owner = None
    if owner_id is not None:
        # A lock as a foreign key takes it: the user can not be deleted before our commit.
        query = select(UserRow.id).where(UserRow.id == owner_id)
        owner = await session.scalar(query.with_for_update(read=True, key_share=True))
    notice_id = await session.scalar(
        insert(NoticeRow)
        .values(
            id=new_id(),
            owner_id=owner,
            kind=kind,
            level=LEVELS[kind],
            subject_type=subject_type,
            subject_id=subject_id,
            subject_name=subject_name,
            params=dict(params or {}),
            key=key,
            in_app=owner is not None and kind not in await _muted(session, owner),
        )
        .on_conflict_do_nothing(index_elements=[NoticeRow.key])
        .returning(NoticeRow.id)
    )
    if notice_id is None:  # announced before
        return
    targets = await session.scalars(
        select(NoticeTargetRow.id)
        .where(NoticeTargetRow.enabled, NoticeTargetRow.kinds.contains([kind.value]))
        .with_for_update(read=True, key_share=True)
    )
    session.add_all(
        NoticeDeliveryRow(notice_id=notice_id, target_id=target_id) for target_id in targets
    )
    await session.flush()


async def announce_work(
    session: AsyncSession,
    job: JobRow,
    *,
    kind: NoticeKind,
    subject_type: SubjectType,
    subject_name: str,
    error: Mapping[str, Any] | None = None,
) -> None:
    """The end of a job on a data set or a model, for its owner: only when it took long.

    For the outcome that is written in the transaction which ends `job`.
    """
    await session.flush()
    took = func.extract("epoch", JobRow.finished_at - JobRow.started_at)
    seconds = await session.scalar(select(took).where(JobRow.id == job.id))
    if seconds is None or seconds < LONG_WORK_S:
        return
    await announce(
        session,
        kind=kind,
        owner_id=job.owner_id,
        subject_type=subject_type,
        subject_id=job.subject_id,
        subject_name=subject_name,
        params={"duration_s": float(seconds), **({"error": told(error)} if error else {})},
        key=f"{job.id}:{job.attempt}:end",
    )


def told(error: Mapping[str, Any]) -> dict[str, Any]:
    """What a notice keeps of an error: {code, message, hint, params}."""
    return {
        "code": error["code"],
        "message": error["message"],
        "hint": error.get("hint") or "",
        "params": error.get("params") or {},
    }


async def mark_read(session: AsyncSession, user: UserRow, asked: MarkRead) -> None:
    """These of the user's own notices are read; what is not theirs is passed over."""
    rows = NoticeRow
    change = update(rows).where(rows.owner_id == user.id, rows.in_app, rows.read_at.is_(None))
    if asked.ids is not None:
        change = change.where(rows.id.in_(asked.ids))
    await session.execute(change.values(read_at=func.now()))


async def preferences(session: AsyncSession, user: UserRow) -> NoticePreferences:
    """The kinds that `user` wants to see; kinds of a later version are among them."""
    return NoticePreferences(kinds=set(NoticeKind) - await _muted(session, user.id))


async def prefer(session: AsyncSession, user: UserRow, wanted: NoticePreferences) -> None:
    """Remember the kinds that `user` wants to see from now on."""
    muted = sorted(set(NoticeKind) - wanted.kinds)
    if not muted:
        await session.execute(
            delete(NoticePreferenceRow).where(NoticePreferenceRow.user_id == user.id)
        )
        return
    statement = insert(NoticePreferenceRow).values(user_id=user.id, muted=muted)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[NoticePreferenceRow.user_id], set_={"muted": muted}
        )
    )


async def _muted(session: AsyncSession, user_id: UUID) -> set[str]:
    found = await session.scalar(
        select(NoticePreferenceRow.muted).where(NoticePreferenceRow.user_id == user_id)
    )
    return set(found or ())
