"""The supervisor's transactions: each checks the lease first, and an absent database is one error.

The body of a transaction may fail for reasons of its own; only what says that the database is
away becomes `DatabaseUnavailable`, which the loop waits out. Every write is a function of its own
under `again_on_conflict`: two transactions that met are not a reason to fail.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from backend.database import DatabaseUnavailable, SessionFactory, WriteConflict, is_conflict
from backend.jobs import lease as leases
from backend.jobs.lease import Lease


@asynccontextmanager
async def reaching(sessions: SessionFactory) -> AsyncIterator[AsyncSession]:
    """A transaction that commits at the end; raises `DatabaseUnavailable` or `WriteConflict`."""
    async with sessions() as session:
        try:
            await session.connection()
        except (OSError, DBAPIError, PoolTimeout) as error:
            raise DatabaseUnavailable from error
        try:
            yield session
            await session.commit()
        except DBAPIError as error:
            if is_conflict(error):
                raise WriteConflict from error
            away = error.connection_invalidated or isinstance(
                error, OperationalError | InterfaceError
            )
            if not away:
                raise
            raise DatabaseUnavailable from error


@asynccontextmanager
async def fenced(sessions: SessionFactory, lease: Lease) -> AsyncIterator[AsyncSession]:
    """As `reaching`, for the holder of `lease` only; raises `LostLease` before anything else."""
    async with reaching(sessions) as session:
        await leases.check(session, lease)
        yield session
