"""How Alembic reaches the database.

From the program: over the connection it hands in (`attributes["connection"]`), inside its
transaction. From the `alembic` command: over EASYTUNE_DATABASE_URL.
"""

import asyncio

from alembic import context
from sqlalchemy import Connection

from backend.database import Base, make_engine
from backend.schema import import_tables
from backend.settings import load

import_tables()


def run(connection: Connection) -> None:
    """Run the migrations over `connection`, all in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_alone() -> None:
    """Connect as the settings say."""
    url = load().database_url
    if url is None:
        raise SystemExit("Set EASYTUNE_DATABASE_URL to the database to work on.")
    engine = make_engine(url.get_secret_value())
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_alone())
