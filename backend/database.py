"""Engine, sessions and the declarative base.

One request is one transaction: the boundary here commits, services flush. Streaming routes take
no `SessionDep`.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from functools import wraps
from typing import Annotated, Any, ClassVar, ParamSpec, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import orjson
import structlog
from fastapi import Depends, Request
from sqlalchemy import CheckConstraint, DateTime, MetaData, Uuid, event, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import greenlet_spawn

from backend.errors import Unavailable
from backend.ids import new_id
from training_engine.contract.failpoints import reach

SERVER_SETTINGS = {
    "timezone": "UTC",
    # A process that is paused in a transaction holds its locks; the server ends it, so that
    # another supervisor can go on.
    "idle_in_transaction_session_timeout": "20s",
}
# The same for one that is paused in the middle of a query, which does not count as idle: no
# transaction of ours takes nearly as long. Servers before 17 have no such limit.
TRANSACTION_TIMEOUT = "60s"
HAS_TRANSACTION_TIMEOUT = (17,)

# What the driver raises when the server is away, or sends everybody away.
LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
IDEMPOTENCY_HEADER = "Idempotency-Key"
# serialization_failure, deadlock_detected
CONFLICT_STATES = frozenset({"40001", "40P01"})
MAX_TRIES = 5
PAUSE_S = 0.05

log = structlog.get_logger(__name__)

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class DatabaseUnavailable(Unavailable):
    """The database does not answer right now; nothing is lost, try again in a moment."""

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


class WriteConflict(Unavailable):
    """Two changes got in each other's way and this one was undone; nothing is lost, try again."""

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class Base(DeclarativeBase):
    """All tables; constraint names come from one convention."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: JSONB,
    }


class Keyed:
    """Rows with a UUIDv7 key and the time they were made, by the database's clock."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


def one_of(column: str, names: type[StrEnum]) -> CheckConstraint:
    """Text with a check instead of a PostgreSQL enum: a new name is then an ordinary migration."""
    allowed = ", ".join(f"'{name.value}'" for name in names)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


SessionFactory = async_sessionmaker[AsyncSession]


CONNECT_TIMEOUT_S = 5.0
# One that was used this shortly ago is not asked whether it still answers: a server that ended has
# closed it, which is known here without asking.
TRUSTED_S = 1.0


def make_engine(url: str, **options: Any) -> AsyncEngine:
    """A pool that notices dead connections and gives up on a missing server in seconds."""
    plain = urlsplit(url)._replace(scheme="postgresql").geturl()

    async def connect() -> Any:
        # The driver's own connect, because what it raises comes through it untranslated.
        try:
            connection = await asyncpg.connect(
                plain, timeout=CONNECT_TIMEOUT_S, server_settings=SERVER_SETTINGS
            )
            if connection.get_server_version() >= HAS_TRANSACTION_TIMEOUT:
                await connection.execute(f"SET transaction_timeout = '{TRANSACTION_TIMEOUT}'")
            return connection
        except (OSError, TimeoutError, asyncpg.PostgresConnectionError) as error:
            raise DatabaseUnavailable from error
        except (asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as error:
            raise DatabaseUnavailable from error

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        **{"pool_size": 5, "max_overflow": 10, "pool_timeout": 10, **options},
    )
    event.listen(engine.sync_engine, "checkin", _note_use)
    event.listen(engine.sync_engine, "checkout", _require_alive)
    return engine


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _require_alive(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """As the pool's own ping at every use, without its round trip where one knows without."""
    used_at = record.info.get("used_at")
    if used_at is None:  # made just now
        return
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
    if time.monotonic() - used_at > TRUSTED_S:
        try:
            connection.ping()
        except (OSError, connection.dbapi.Error) as error:
            raise InvalidatePoolError from error


def make_sessions(engine: AsyncEngine) -> SessionFactory:
    """Sessions whose objects stay readable after commit."""
    return async_sessionmaker(engine, expire_on_commit=False)


def make_readers(engine: AsyncEngine) -> SessionFactory:
    """Sessions that only read: no transaction, so each statement sees what is committed by then."""
    return make_sessions(engine.execution_options(isolation_level="AUTOCOMMIT"))


async def fetch_row(engine: AsyncEngine, query: str, *values: Any) -> asyncpg.Record | None:
    """The first row of a query (`$1`, `$2` …), in one round trip; for what every request asks.

    Raises `DatabaseUnavailable`.
    """
    connection = await engine.raw_connection()
    try:
        driver: asyncpg.Connection = connection.driver_connection
        return await driver.fetchrow(query, *values)
    except LOST as error:
        connection.invalidate()
        raise DatabaseUnavailable from error
    finally:
        # A connection beyond the pool's size is closed for good, which may have to wait.
        await greenlet_spawn(connection.close)


@asynccontextmanager
async def transaction(sessions: SessionFactory) -> AsyncIterator[AsyncSession]:
    """A transaction outside a request: commits at the end, rolls back on any error.

    Raises `WriteConflict` when it got in another one's way.
    """
    try:
        async with sessions() as session, session.begin():
            yield session
    except DBAPIError as error:
        if is_conflict(error):
            raise WriteConflict from error
        raise


def is_conflict(error: DBAPIError) -> bool:
    """Whether the server gave a transaction up so that another one can go on."""
    return getattr(error.orig, "sqlstate", None) in CONFLICT_STATES


P = ParamSpec("P")
T = TypeVar("T")


def again_on_conflict(unit: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """A unit of work that is done once more, as a whole, when it raised `WriteConflict`.

    It must do everything in one transaction of its own and nothing outside it that can not be
    done twice. After `MAX_TRIES` the conflict is the caller's.
    """

    @wraps(unit)
    async def tried(*args: P.args, **kwargs: P.kwargs) -> T:
        for number in range(1, MAX_TRIES):
            try:
                return await unit(*args, **kwargs)
            except WriteConflict as conflict:
                cause = getattr(conflict.__cause__, "orig", None)
                log.info("write_conflict", unit=unit.__qualname__, number=number, cause=str(cause))
            # Not both at the same moment again.
            await asyncio.sleep(random.uniform(0, PAUSE_S) * number)
        return await unit(*args, **kwargs)

    return tried


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The request's transaction."""
    acknowledged = IDEMPOTENCY_HEADER in request.headers
    async with transaction(request.app.state.sessions) as session:
        yield session
        if acknowledged:
            reach("request.before_commit")
    if acknowledged:
        reach("request.committed")


# scope="function": the default would commit after the answer is sent, and a failed commit would
# look like success.
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]


async def get_reader(request: Request) -> AsyncIterator[AsyncSession]:
    """A session that only reads, for what pages ask again and again."""
    async with request.app.state.readers() as session:
        yield session


ReadDep = Annotated[AsyncSession, Depends(get_reader, scope="function")]
