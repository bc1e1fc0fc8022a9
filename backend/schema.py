"""The database schema at start: bring it up to date, or say in one line why that can not be.

Every migration runs in one transaction together with the version mark, so an interruption leaves
the schema as it was. A lock of that transaction keeps a second process waiting.
"""

from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from backend.database import HAS_TRANSACTION_TIMEOUT, Base

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
# By name, because this room lies below them all.
TABLE_MODULES = (
    "backend.accounts.tables",
    "backend.jobs.tables",
    "backend.idempotency",
    "backend.notices.tables",
    "backend.datasets.tables",
    "backend.datasets.uploading.tables",
    "backend.models.tables",
    "backend.tasks.tables",
)
_LOCK = 0x65_61_73_79  # "easy"; any number that nobody else uses


class BadSchema(Exception):
    """The database can not be used as it is; the message says what to do."""


def import_tables() -> None:
    """Make every table known to `Base.metadata`."""
    for module in TABLE_MODULES:
        import_module(module)


def config() -> Config:
    """Alembic's configuration, without the file that its own command reads."""
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    return settings


async def upgrade(engine: AsyncEngine) -> None:
    """Bring the schema to this program's; raises `BadSchema`."""
    import_tables()
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the schema is the one that this program was written for."""
    async with engine.connect() as connection:
        return await connection.run_sync(lambda c: _present(c) == _scripts().get_current_head())


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(config())


def _present(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    if (connection.dialect.server_version_info or ()) >= HAS_TRANSACTION_TIMEOUT:
        # As long as it takes: large tables, or another program that upgrades them just now.
        connection.execute(text("SET LOCAL transaction_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    scripts, present = _scripts(), _present(connection)
    if present != scripts.get_current_head():
        _require_known(connection, scripts, present)
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
    _require_complete(connection)


def _require_known(connection: Connection, scripts: ScriptDirectory, present: str | None) -> None:
    if present is None:
        ours = set(Base.metadata.tables) & set(inspect(connection).get_table_names())
        if ours:
            raise BadSchema(
                f"The database has tables ({', '.join(sorted(ours))}) but no schema version: it is "
                "half migrated or not EasyTune's. Restore a backup or use an empty database."
            )
        return
    try:
        scripts.get_revision(present)
    except CommandError as error:
        raise BadSchema(
            f"The database has schema {present}, which this version does not know: it was written "
            "by a newer EasyTune. Update the program, or restore a backup."
        ) from error


def _require_complete(connection: Connection) -> None:
    present = inspect(connection).get_multi_columns()
    columns = {key[1]: {c["name"] for c in found} for key, found in present.items()}
    missing = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name not in columns.get(table.name, set())
    ]
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        raise BadSchema(
            f"The database schema is incomplete ({shown} missing): a migration was interrupted or "
            "a table was changed by hand. Restore a backup, or use an empty database."
        )
