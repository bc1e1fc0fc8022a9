"""The database that the settings mean: a given server, or the embedded one of the data folder.

For commands: they join the embedded server of a running platform, or run it themselves for as
long as they need it.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from backend import data_dir, schema
from backend.database import DatabaseUnavailable, SessionFactory, make_engine, make_sessions
from backend.embedded_postgres import EmbeddedPostgres, running_url
from backend.settings import Settings


class NoDatabase(Exception):
    """The database can not be used; the message is the line the user reads."""


@contextmanager
def database_of(settings: Settings) -> Iterator[Settings]:
    """`settings` with a `database_url` that answers; from the main thread."""
    if settings.database_url is not None:
        yield settings
        return
    url = running_url(settings.data_dir)
    if url is not None:
        yield settings.model_copy(update={"database_url": SecretStr(url)})
        return
    data_dir.prepare(settings.data_dir)
    with data_dir.locked(settings.data_dir), EmbeddedPostgres(settings.data_dir) as server:
        yield settings.model_copy(update={"database_url": SecretStr(server.url)})


@contextmanager
def understandable() -> Iterator[None]:
    """What goes wrong at the first contact, as a sentence: `NoDatabase`."""
    try:
        yield
    except (DatabaseUnavailable, asyncpg.PostgresError, SQLAlchemyError) as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise NoDatabase(
            f"The database does not answer: {reason}. Start it, or correct EASYTUNE_DATABASE_URL."
        ) from error


@asynccontextmanager
async def sessions_of(settings: Settings) -> AsyncIterator[SessionFactory]:
    """Sessions of the database in `settings.database_url`, its schema brought up to date."""
    assert settings.database_url is not None
    engine = make_engine(settings.database_url.get_secret_value(), pool_size=1)
    try:
        with understandable():
            await schema.upgrade(engine)
        yield make_sessions(engine)
    finally:
        await engine.dispose()
