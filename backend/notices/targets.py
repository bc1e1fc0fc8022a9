"""What administrators do with targets: add, change, test, remove. No address is given back."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Conflict, Refused, TooMany
from backend.ids import new_id
from backend.notices import addresses, delivery, queries, sender, texts
from backend.notices.addresses import WEBHOOK, Address, UnreadableAddress
from backend.notices.kinds import Language
from backend.notices.schemas import NoticeTargetCreate, NoticeTargetUpdate
from backend.notices.sealed import Seal, Unreadable
from backend.notices.sender import Message, Outcome
from backend.notices.tables import NoticeTargetRow

MAX_TARGETS = 50
MAX_AT_ONCE = 2
CHECK_LIMIT_S = 20.0

log = structlog.get_logger(__name__)
_working = asyncio.Semaphore(MAX_AT_ONCE)


class TooManyTargets(Conflict):
    """There are {count} targets already, as many as there may be. Remove one first."""


class TargetChecksBusy(TooMany):
    """Other targets are being tested at the moment. Try it again in a few seconds."""


class AddressNotUnderstood(Refused):
    """The service does not understand this address: a part is missing or has the wrong form.
    Compare it with what the service shows."""


class AddressUnreadable(Conflict):
    """The address was stored with another secret key and can not be read. Enter it again."""


async def checked(url: str, private: Sequence[str]) -> Address:
    """The address, understood by whoever will send; raises why not. Nothing is sent."""
    address = addresses.read(url, private)
    if address.service == WEBHOOK:
        return address
    message = Message("check", address.service, address.url, address.shown, only_check=True)
    outcome = await _have_sent(message, private)
    if outcome.code == "bad_address":
        raise AddressNotUnderstood
    if not outcome.ok:
        raise UnreadableAddress
    return address


async def create(
    session: AsyncSession, seal: Seal, asked: NoticeTargetCreate, address: Address
) -> tuple[NoticeTargetRow, str | None]:
    """The target and, of a webhook, what its messages are signed with."""
    count = await session.scalar(select(func.count()).select_from(NoticeTargetRow)) or 0
    if count >= MAX_TARGETS:
        raise TooManyTargets(params={"count": count})
    row = NoticeTargetRow(
        id=new_id(),
        name=asked.name,
        kinds=sorted(asked.kinds),
        language=asked.language,
        enabled=asked.enabled,
    )
    signing = _put(row, seal, address)
    session.add(row)
    await session.flush()
    await session.refresh(row)
    log.info("notice_target_added", target=f"{row.id}", service=row.service)
    return row, signing


async def change(
    session: AsyncSession,
    seal: Seal,
    target_id: UUID,
    asked: NoticeTargetUpdate,
    address: Address | None,
) -> tuple[NoticeTargetRow, str | None]:
    """The target and, when a webhook's address is another one, its new signing secret."""
    row = await queries.find_target(session, target_id, lock=True)
    signing = _put(row, seal, address) if address is not None else None
    for name, value in asked.model_dump(exclude={"url"}, exclude_none=True).items():
        setattr(row, name, sorted(value) if name == "kinds" else value)
    if not row.enabled:
        await delivery.give_up_waiting(session, row.id)
    await session.flush()
    log.info("notice_target_changed", target=f"{row.id}", service=row.service)
    return row, signing


async def remove(session: AsyncSession, target_id: UUID) -> None:
    """Forget the target and its messages."""
    row = await queries.find_target(session, target_id, lock=True)
    await session.delete(row)
    await session.flush()
    log.info("notice_target_removed", target=f"{target_id}")


def test_message(row: NoticeTargetRow, seal: Seal, public_url: str | None) -> Message:
    """What a target is tested with; raises `AddressUnreadable`."""
    text = texts.test_text(Language(row.language), public_url)
    try:
        return delivery.message_to(row, seal, new_id(), text, "test", {}, datetime.now(UTC))
    except Unreadable:
        raise AddressUnreadable from None


async def test(message: Message, private: Sequence[str]) -> Outcome:
    """Send it now and say what became of it."""
    return await _have_sent(message, private)


async def _have_sent(message: Message, private: Sequence[str]) -> Outcome:
    if _working.locked():
        raise TargetChecksBusy(headers={"Retry-After": "5"})
    async with _working:
        return (await sender.send([message], private, CHECK_LIMIT_S))[message.id]


def _put(row: NoticeTargetRow, seal: Seal, address: Address) -> str | None:
    """Write the address, sealed; returns a webhook's new signing secret."""
    signing = delivery.new_signing_secret() if address.service == WEBHOOK else None
    row.service, row.address_shown = address.service, address.shown
    row.address_sealed = seal.seal(address.url, f"{row.id}")
    row.signing_sealed = seal.seal(signing, f"{row.id}:signing") if signing else None
    return signing
