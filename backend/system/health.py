"""Is it alive (no database asked), and is it ready: database, schema, disk, not closing."""

import asyncio
import shutil

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend import schema
from backend.errors import AppError
from backend.system.schemas import Health

MIN_FREE_BYTES = 100 * 1024**2
ASK_TIMEOUT_S = 5.0


async def readiness(app: FastAPI) -> Health:
    """Every check by name with `ok` or what is wrong; no details that strangers must not see."""
    checks = {"closing": "closing"} if app.state.closing.is_set() else {}
    checks["database"] = await _database(app)
    if checks["database"] == "ok":
        checks["schema"] = await _schema(app)
    free = shutil.disk_usage(app.state.settings.data_dir).free
    checks["disk"] = "ok" if free > MIN_FREE_BYTES else "full"
    good = all(result == "ok" for result in checks.values())
    return Health(status="ok" if good else "unavailable", checks=checks)


async def _database(app: FastAPI) -> str:
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S), app.state.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, AppError, TimeoutError):
        return "away"
    return "ok"


async def _schema(app: FastAPI) -> str:
    # Read once: it does not change under a running program, and a migration by a newer one
    # shows at the next start.
    if not getattr(app.state, "schema_is_current", False):
        try:
            app.state.schema_is_current = await schema.is_current(app.state.engine)
        except (SQLAlchemyError, AppError):
            return "unknown"
    return "ok" if app.state.schema_is_current else "outdated"
