"""What every test may ask for: a real PostgreSQL with the real schema, an app, signed-in clients.

One server and one database for the whole test session, built by the migrations and copied from a
template. `session` is rolled back; what `sessions`, `app` and the clients commit is removed after
each test.
"""

import asyncio
import gc
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import hypothesis
import pytest
import structlog
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from backend import schema
from backend.accounts import sign_ins
from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.app import create_app
from backend.database import Base, SessionFactory, make_engine, make_sessions, transaction
from backend.embedded_postgres import EmbeddedPostgres
from backend.settings import Settings

# The tests' settings are their own, whatever the shell has set.
FOR_TESTS = {"EASYTUNE_TEST_DATABASE_URL", "EASYTUNE_CHROMIUM", "EASYTUNE_TORCH_INDEX"}
for _name in [n for n in os.environ if n.startswith("EASYTUNE_") and n not in FOR_TESTS]:
    del os.environ[_name]

# One plain line per event; the default draws every local variable of a traceback, for seconds.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
    ]
)

# `make test-long` asks for as many examples of every property as it was written for.
hypothesis.settings.register_profile("thorough")

BASE_URL = "http://localhost"
PASSWORD = "seven rusty anchors"
# argon2id of PASSWORD with cheap parameters, so that making a user costs no time.
PASSWORD_HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$ZWFzeXR1bmV0ZXN0cyEhIQ$og7wPl6Mgw2B6glsioFHEG5bZgdMyJkAbarHErHANb0"
)
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SignIn = Callable[[str, Role], Awaitable[httpx.AsyncClient]]


@pytest.fixture(scope="module", autouse=True)
def _what_lives_stays() -> None:
    """What earlier files left alive is not looked through again at every collection of garbage.

    Training runs collect several times each; through all that thousands of tests keep alive,
    libraries above all, one collection takes longer than the tiny run itself.
    """
    gc.collect()
    gc.freeze()


def _named(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a server where databases may be made: EASYTUNE_TEST_DATABASE_URL, or our own."""
    given = os.environ.get("EASYTUNE_TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="easytune-tests-"))
    folder.chmod(0o711)  # started by root, the server's own user must get through
    try:
        with EmbeddedPostgres(folder, FAST) as server:
            yield server.superuser_url
    finally:
        shutil.rmtree(folder)


async def _execute(url: str, *statements: str) -> None:
    engine = make_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture(scope="session")
async def template(postgres_url: str) -> AsyncIterator[str]:
    """Name of an empty database with the schema that the migrations make."""
    name = f"easytune_template_{secrets.token_hex(4)}"
    await _execute(postgres_url, f"CREATE DATABASE {name}")
    engine = make_engine(_named(postgres_url, name))
    try:
        await schema.upgrade(engine)
    finally:
        await engine.dispose()
    yield name
    await _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def fresh_database(postgres_url: str, template: str) -> AsyncIterator[str]:
    """Address of a database of this test alone; for tests with several processes."""
    name = f"easytune_test_{secrets.token_hex(4)}"
    await _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _named(postgres_url, name)
    await _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def database_url(postgres_url: str, template: str) -> AsyncIterator[str]:
    """Address of the database that tests share."""
    name = f"easytune_shared_{secrets.token_hex(4)}"
    await _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _named(postgres_url, name)
    await _execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Connections to the shared database."""
    engine = make_engine(database_url, pool_size=10)
    yield engine
    await engine.dispose()


@pytest.fixture
async def sessions(engine: AsyncEngine) -> AsyncIterator[SessionFactory]:
    """Real sessions that commit; every table is emptied after the test."""
    yield make_sessions(engine)
    # Few rows in small tables: ten times as quick as TRUNCATE, which makes every file anew.
    emptied = " ".join(
        f"DELETE FROM {table.name};" for table in reversed(Base.metadata.sorted_tables)
    )
    async with engine.begin() as connection:
        await connection.execute(text(f"DO $$ BEGIN {emptied} END $$"))


@pytest.fixture
async def session(sessions: SessionFactory) -> AsyncIterator[AsyncSession]:
    """One session, rolled back at the end; commit when the app must see its rows."""
    async with sessions() as session:
        yield session
        await session.rollback()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings with an empty data folder and the shared database."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    return Settings(
        _env_file=None,
        data_dir=data_dir,
        database_url=SecretStr(database_url),
        port=0,
        offline=True,
    )


@pytest.fixture
async def app(settings: Settings, sessions: SessionFactory) -> AsyncIterator[FastAPI]:
    """The application, started, without the work beside requests."""
    app = create_app(settings, background=False)
    async with app.router.lifespan_context(app):
        yield app


async def make_user(sessions: SessionFactory, username: str, role: Role) -> UserRow:
    """A user whose password is PASSWORD."""
    async with transaction(sessions) as session:
        user = UserRow(username=username, role=role, password_hash=PASSWORD_HASH)
        session.add(user)
        await session.flush()
        await session.refresh(user)
        return user


@pytest.fixture
async def administrator(sessions: SessionFactory) -> UserRow:
    """The first user, an administrator."""
    return await make_user(sessions, "admin", Role.ADMINISTRATOR)


@pytest.fixture
async def anonymous_client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is not signed in."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=BASE_URL
    ) as client:
        yield client


async def cookie_of(sessions: SessionFactory, user: UserRow) -> str:
    """The cookie of a fresh session of `user`."""
    async with transaction(sessions) as session:
        _, secret = await sign_ins.start(session, user, "tests")
        return secret


@pytest.fixture
async def client(
    app: FastAPI, sessions: SessionFactory, administrator: UserRow
) -> AsyncIterator[httpx.AsyncClient]:
    """A signed-in administrator, as the browser app calls: cookie and header."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=BASE_URL,
        cookies={"easytune": await cookie_of(sessions, administrator)},
        headers={"X-EasyTune": "1"},
    ) as client:
        yield client


@pytest.fixture
async def sign_in(app: FastAPI, sessions: SessionFactory) -> AsyncIterator[SignIn]:
    """Makes a user and a client signed in as them: `await sign_in("bob", Role.MEMBER)`."""
    async with AsyncExitStack() as stack:

        async def make(username: str, role: Role) -> httpx.AsyncClient:
            user = await make_user(sessions, username, role)
            return await stack.enter_async_context(
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(app, raise_app_exceptions=False),
                    base_url=BASE_URL,
                    cookies={"easytune": await cookie_of(sessions, user)},
                    headers={"X-EasyTune": "1"},
                )
            )

        yield make


@pytest.fixture
async def live_client(
    app: FastAPI, sessions: SessionFactory, administrator: UserRow
) -> AsyncIterator[httpx.AsyncClient]:
    """As `client`, over a real socket: for streams, which the other transport collects."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        cookies={"easytune": await cookie_of(sessions, administrator)},
        headers={"X-EasyTune": "1"},
        timeout=30,
    ) as client:
        yield client
    app.state.closing.set()
    server.should_exit = True
    await running
