"""Messages on their way: which are due, what is sent, what became of it.

At least once: a message counts as sent when the receiver has taken it and that is written. When
the platform dies in between it is sent again, under the same id.
"""

import base64
import hmac
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.notices import texts
from backend.notices.addresses import WEBHOOK
from backend.notices.kinds import DeliveryState, Language
from backend.notices.sealed import Seal, Unreadable
from backend.notices.sender import Message, Outcome
from backend.notices.tables import NoticeDeliveryRow, NoticeRow, NoticeTargetRow

AT_ONCE = 8
# Longer than a sender may work on them: until then no other process takes them.
LEASE = timedelta(seconds=90)
# Between the tries; after the last one it is given up. Ten hours altogether.
BACKOFF_S: Sequence[float] = (15, 60, 300, 900, 3600, 10_800, 21_600)
KEPT = timedelta(days=90)
SECRET_PREFIX = "whsec_"  # noqa: S105 (what Standard Webhooks begins its keys with)


@dataclass(frozen=True)
class Due:
    """A message that this process has taken; `message` is None when the address is unreadable."""

    id: UUID
    attempt: int
    message: Message | None


async def take(session: AsyncSession, seal: Seal, public_url: str | None, tries: int) -> list[Due]:
    """Those that are due, taken for as long as the lease; other processes pass them over.

    One that was taken `tries` times without a word is given up: whatever it is, it ends senders.
    """
    rows = NoticeDeliveryRow
    due = (
        select(rows.id)
        .where(rows.state == DeliveryState.WAITING, rows.due_at <= func.now())
        .order_by(rows.due_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    ids = list(await session.scalars(due))
    if not ids:
        return []
    await session.execute(
        update(rows)
        .where(rows.id.in_(ids), rows.attempts >= tries)
        .values(state=DeliveryState.FAILED, error={"code": "sender_failed", "params": {}})
    )
    taken = await session.execute(
        update(rows)
        .where(rows.id.in_(ids), rows.attempts < tries)
        .values(attempts=rows.attempts + 1, due_at=func.now() + LEASE, tried_at=func.now())
        .returning(rows.id, rows.attempts, rows.notice_id, rows.target_id)
    )
    found = []
    for id_, attempt, notice_id, target_id in taken.all():
        notice = await session.get_one(NoticeRow, notice_id)
        target = await session.get_one(NoticeTargetRow, target_id)
        found.append(Due(id_, attempt, _message(seal, id_, notice, target, public_url)))
    return found


async def settle(
    session: AsyncSession, due: Due, outcome: Outcome, backoff_s: Sequence[float]
) -> None:
    """Write what became of a message: sent, to be tried again later, or given up.

    Nothing happens when another process has taken it since.
    """
    rows = NoticeDeliveryRow
    change = update(rows).where(
        rows.id == due.id, rows.attempts == due.attempt, rows.state == DeliveryState.WAITING
    )
    values: dict[str, Any]
    if outcome.ok:
        values = {"state": DeliveryState.SENT, "error": None}
    elif due.message is None or due.attempt > len(backoff_s):
        values = {"state": DeliveryState.FAILED, "error": outcome.error}
    else:
        # Not all in the same moment again.
        pause_s = backoff_s[due.attempt - 1] * random.uniform(0.9, 1.1)
        values = {"due_at": func.now() + timedelta(seconds=pause_s), "error": outcome.error}
    await session.execute(change.values(values))


async def forget_old(session: AsyncSession) -> None:
    """Remove notices, with their messages, that are older than three months."""
    await session.execute(delete(NoticeRow).where(NoticeRow.created_at < func.now() - KEPT))


async def give_up_waiting(session: AsyncSession, target_id: UUID) -> None:
    """The target takes nothing any more: what waits for it is not sent later."""
    rows = NoticeDeliveryRow
    await session.execute(
        update(rows)
        .where(rows.target_id == target_id, rows.state == DeliveryState.WAITING)
        .values(state=DeliveryState.FAILED, error={"code": "switched_off", "params": {}})
    )


def new_signing_secret() -> str:
    """A key for the signatures of one webhook, as Standard Webhooks writes keys."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def message_to(
    target: NoticeTargetRow,
    seal: Seal,
    id_: UUID,
    text: texts.Text,
    event: str,
    data: dict[str, object],
    at: datetime,
) -> Message:
    """What is sent to `target`; raises `Unreadable`. `data` holds ids and names, never records."""
    url = seal.open(target.address_sealed, f"{target.id}")
    told = Message(f"{id_}", target.service, url, target.address_shown, text.title, text.body)
    if target.service != WEBHOOK:
        return told
    assert target.signing_sealed is not None
    signing = seal.open(target.signing_sealed, f"{target.id}:signing")
    payload = orjson.dumps(
        {
            "id": f"{id_}",
            "type": event,
            "timestamp": at.isoformat(),
            "data": {**data, "title": text.title, "text": text.body, "link": text.link},
        }
    ).decode()
    return replace(told, payload=payload, headers=signed(signing, f"{id_}", payload))


def signed(secret: str, id_: str, payload: str) -> dict[str, str]:
    """Headers of a webhook: who sent it and when (https://www.standardwebhooks.com)."""
    stamp = str(int(datetime.now(UTC).timestamp()))
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.digest(key, f"{id_}.{stamp}.{payload}".encode(), "sha256")
    return {
        "Content-Type": "application/json",
        "User-Agent": "EasyTune",
        "webhook-id": id_,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def _message(
    seal: Seal,
    id_: UUID,
    notice: NoticeRow,
    target: NoticeTargetRow,
    public_url: str | None,
) -> Message | None:
    data: dict[str, object] = {
        "notice_id": f"{notice.id}",
        "kind": notice.kind,
        "level": notice.level,
        "subject": {
            "type": notice.subject_type,
            "id": f"{notice.subject_id}",
            "name": notice.subject_name,
        },
        "error_code": (notice.params.get("error") or {}).get("code"),
    }
    text = texts.text_of(notice, Language(target.language), public_url)
    try:
        return message_to(target, seal, id_, text, notice.kind, data, notice.created_at)
    except Unreadable:
        return None
