"""Guessing passwords gets slower and slower: per account and per address, kept in the database.

A failure is booked before the password is looked at, in a transaction of its own, so that many
guesses at once count as many. The delay of an account stays short: nobody can lock another out for
long, and at one guess a minute twelve characters hold.
"""

import ipaddress
import math
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.tables import SignInLimitRow
from backend.errors import TooMany

FORGET_AFTER = timedelta(hours=1)


class TooManySignIns(TooMany):
    """Too many failed sign-ins; wait {seconds} seconds and try again."""


@dataclass(frozen=True)
class Limit:
    """`free` failures cost nothing, each further one doubles the delay up to `longest_s`."""

    subject: str
    free: int
    longest_s: int


def of_account(username: str) -> Limit:
    """The limit of one account, existing or not."""
    return Limit(f"account:{username}", free=5, longest_s=60)


def of_address(address: str) -> Limit:
    """The limit of one caller; IPv6 callers own a /64, so that is one caller."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return Limit(f"address:{address}", free=20, longest_s=900)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return Limit(f"address:{ipaddress.ip_network((ip, 64), strict=False)}", 20, 900)
    return Limit(f"address:{getattr(ip, 'ipv4_mapped', None) or ip}", free=20, longest_s=900)


async def book(session: AsyncSession, limit: Limit) -> None:
    """Count one attempt as failed; raises `TooManySignIns` (and counts nothing) while blocked."""
    await session.execute(
        insert(SignInLimitRow)
        .values(subject=limit.subject, failures=0, last_failure_at=func.now())
        .on_conflict_do_nothing()
    )
    # clock_timestamp, not now: while this waited for the row's lock, others may have failed.
    now = func.clock_timestamp()
    row, wait = (
        await session.execute(
            select(SignInLimitRow, func.extract("epoch", SignInLimitRow.blocked_until - now))
            .where(SignInLimitRow.subject == limit.subject)
            .with_for_update()
        )
    ).one()
    if wait is not None and wait > 0:
        seconds = math.ceil(wait)
        raise TooManySignIns(params={"seconds": seconds}, headers={"Retry-After": str(seconds)})
    await _add_failure(session, row, limit)


async def _add_failure(session: AsyncSession, row: SignInLimitRow, limit: Limit) -> None:
    now = await session.scalar(select(func.clock_timestamp()))
    assert now is not None
    fresh = row.last_failure_at < now - FORGET_AFTER
    row.failures = 1 if fresh else row.failures + 1
    row.last_failure_at = now
    over = row.failures - limit.free
    delay_s = min(2 ** min(over, 20), limit.longest_s) if over >= 0 else 0
    row.blocked_until = now + timedelta(seconds=delay_s) if delay_s else None
    await session.flush()


async def forgive(session: AsyncSession, account: Limit, address: Limit) -> None:
    """After success: the account starts afresh, the address gets this one attempt back."""
    await session.execute(delete(SignInLimitRow).where(SignInLimitRow.subject == account.subject))
    one_less = func.greatest(SignInLimitRow.failures - 1, 0)
    await session.execute(
        update(SignInLimitRow)
        .where(SignInLimitRow.subject == address.subject)
        .values(
            failures=one_less,
            blocked_until=case((one_less < address.free, None), else_=SignInLimitRow.blocked_until),
        )
    )
    await session.execute(
        delete(SignInLimitRow).where(SignInLimitRow.last_failure_at < func.now() - FORGET_AFTER)
    )
