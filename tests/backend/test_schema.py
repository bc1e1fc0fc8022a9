"""The schema at start: complete, safe to interrupt, and clear about what it can not do."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from backend import schema
from backend.database import Base, make_engine
from backend.schema import BadSchema
from backend.settings import PROJECT_ROOT


@pytest.fixture
async def own(fresh_database: str) -> AsyncIterator[AsyncEngine]:
    """A database of this test alone."""
    engine = make_engine(fresh_database)
    yield engine
    await engine.dispose()


async def execute(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def empty(engine: AsyncEngine) -> None:
    await execute(engine, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")


async def test_migrations_make_what_the_tables_say(own: AsyncEngine) -> None:
    schema.import_tables()
    async with own.connect() as connection:
        differences = await connection.run_sync(
            lambda c: compare_metadata(
                MigrationContext.configure(
                    c, opts={"compare_type": True, "compare_server_default": True}
                ),
                Base.metadata,
            )
        )
    assert differences == []


async def test_upgrading_twice_changes_nothing(own: AsyncEngine) -> None:
    await schema.upgrade(own)
    assert await schema.is_current(own)


async def test_two_processes_at_once(own: AsyncEngine) -> None:
    await empty(own)
    await asyncio.gather(*(schema.upgrade(own) for _ in range(4)))
    assert await schema.is_current(own)


async def test_a_newer_schema_is_refused(own: AsyncEngine) -> None:
    await execute(own, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(BadSchema, match=r"schema 9999.*newer EasyTune"):
        await schema.upgrade(own)
    assert not await schema.is_current(own)


async def test_tables_without_a_version_are_refused(own: AsyncEngine) -> None:
    await execute(own, "DROP TABLE alembic_version")
    with pytest.raises(BadSchema, match="half migrated"):
        await schema.upgrade(own)


async def test_a_missing_column_is_named(own: AsyncEngine) -> None:
    await execute(own, "ALTER TABLE users DROP COLUMN disabled_at")
    with pytest.raises(BadSchema, match=r"users\.disabled_at missing"):
        await schema.upgrade(own)


KILLED = """
import asyncio, os, signal, sys
from alembic.operations import ops
from backend import schema
from backend.database import make_engine
from alembic import op
real, left = op.create_table, [int(sys.argv[2])]
def create_table(*args, **kwargs):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(*args, **kwargs)
op.create_table = create_table
asyncio.run(schema.upgrade(make_engine(sys.argv[1])))
"""


@pytest.mark.parametrize("tables", [1, 4])
async def test_a_killed_migration_starts_again(
    own: AsyncEngine, fresh_database: str, tables: int
) -> None:
    await empty(own)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, fresh_database, str(tables)],
        cwd=PROJECT_ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT_ROOT)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    await schema.upgrade(own)
    assert await schema.is_current(own)
