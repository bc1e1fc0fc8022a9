"""What can be done with notices: announce, read, choose which kinds are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.schemas import Role
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
    told = _Told(kind, subject_type, subject_id, subject_name, dict(params or {}))
    notice_id = await _write(session, told, owner_id, key)
    if notice_id is not None:
        await _send(session, notice_id, kind)


async def announce_to_administrators(
    session: AsyncSession,
    *,
    kind: NoticeKind,
    subject_type: SubjectType,
    subject_id: UUID,
    subject_name: str,
    params: Mapping[str, Any],
    key: str,
) -> bool:
    """A notice for each administrator and one message to the outside, as `announce` does it.

    Whoever becomes one later gets it when it is announced again. Returns whether it was the first
    time under this `key`.
    """
    told = _Told(kind, subject_type, subject_id, subject_name, dict(params))
    first = await _write(session, told, None, key)
    if first is not None:
        await _send(session, first, kind)
    query = select(UserRow.id).where(
        UserRow.role == Role.ADMINISTRATOR, UserRow.disabled_at.is_(None)
    )
    for owner_id in list(await session.scalars(query.order_by(UserRow.id))):
        await _write(session, told, owner_id, f"{key}:{owner_id}")
    return first is not None


async def take_back(session: AsyncSession, key: str) -> int:
    """What was announced to administrators under `key` is over: it counts as read, and may be
    announced anew. Returns how many notices that were."""
    rows = NoticeRow
    done = await session.scalars(
        update(rows)
        .where((rows.key == key) | rows.key.startswith(f"{key}:", autoescape=True))
        .values(
            key=None,
            read_at=func.coalesce(rows.read_at, func.now()),
            params=rows.params.op("||")({"over": True}),
        )
        .returning(rows.id)
    )
    return len(done.all())


@dataclass(frozen=True)
class _Told:
    """What a notice says, whoever it is for."""

    kind: NoticeKind
    subject_type: SubjectType
    subject_id: UUID
    subject_name: str
    params: dict[str, Any]


async def _write(
    session: AsyncSession, told: _Told, owner_id: UUID | None, key: str | None
) -> UUID | None:
    """The notice's id; None when it was written before."""
    owner = None
    if owner_id is not None:
        # A lock as a foreign key takes it: the user can not be deleted before our commit.
        query = select(UserRow.id).where(UserRow.id == owner_id)
        owner = await session.scalar(query.with_for_update(read=True, key_share=True))
    return await session.scalar(
        insert(NoticeRow)
        .values(
            id=new_id(),
            owner_id=owner,
            level=LEVELS[told.kind],
            key=key,
            in_app=owner is not None and told.kind not in await _muted(session, owner),
            **vars(told),
        )
        .on_conflict_do_nothing(index_elements=[NoticeRow.key])
        .returning(NoticeRow.id)
    )


async def _send(session: AsyncSession, notice_id: UUID, kind: NoticeKind) -> None:
    """Have it sent to every target that wants its kind."""
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
