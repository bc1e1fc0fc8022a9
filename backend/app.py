"""The application: everything is put together here, and only here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from backend import api_description, browser_app, errors, schema
from backend.accounts import routes as accounts
from backend.accounts import secret_key, service
from backend.accounts.dependencies import require_sign_in
from backend.accounts.gate import Gate
from backend.accounts.setup_token import LIFETIME_S, SetupToken
from backend.accounts.tokens import Tokens
from backend.database import (
    DatabaseUnavailable,
    make_engine,
    make_readers,
    make_sessions,
    transaction,
)
from backend.datasets import api as datasets
from backend.datasets.reading.desk import ReadingDesk
from backend.datasets.uploading import expiry
from backend.datasets.uploading.digests import Digests
from backend.datasets.uploading.resumable import Desk
from backend.errors import Problem
from backend.middleware.body_limits import BodyLimits
from backend.middleware.context import Context
from backend.middleware.hosts import HostCheck, known_hosts
from backend.middleware.security_headers import SecurityHeaders
from backend.models import routes as models
from backend.notices import routes as notices
from backend.notices.disk_watch import DiskWatch
from backend.notices.dispatcher import Dispatcher
from backend.notices.sealed import Seal
from backend.overview import overview, sees_paths, slots_source
from backend.runner.supervisor import Supervisor
from backend.serving import routes as serving
from backend.serving.playground import Playground
from backend.settings import Settings
from backend.storable import require_storable
from backend.system import routes as system
from backend.system.disk import DiskUse
from backend.system.gpus import GpuFacts
from backend.system.sources import Sources
from backend.tasks import routes as tasks
from backend.tasks.host_speed import HostSpeed
from backend.tasks.rendering.counts import LengthCounts
from backend.tasks.rendering.desk import TokenDesk
from backend.version import VERSION

log = structlog.get_logger(__name__)
SUPERVISOR_END_S = 5.0


def _ignore(_line: str) -> None:
    """Nobody listens to announcements."""


def create_app(
    settings: Settings,
    *,
    background: bool = True,
    announce: Callable[[str], None] = _ignore,
) -> FastAPI:
    """The platform for `settings`, whose `database_url` must be set.

    `background` runs what works beside requests (the run supervisor, renewal of the set-up
    token). `announce` is told lines that the person at the terminal must see.
    """
    app = FastAPI(
        title="EasyTune",
        version=VERSION,
        description="Fine-tune language models on your own hardware.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its page loads scripts from another host
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        dependencies=[Depends(require_sign_in), Depends(require_storable)],
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.background = background
    app.state.database_kind = "external"
    app.state.announce = announce
    app.state.closing = asyncio.Event()
    app.state.started_at = datetime.now(UTC)
    errors.install(app)
    # The last one added is the outermost.
    app.add_middleware(Gate)
    app.add_middleware(BodyLimits, max_upload_mb=settings.max_upload_mb)
    app.add_middleware(HostCheck, hosts=known_hosts(settings))
    app.add_middleware(Context)
    app.add_middleware(SecurityHeaders)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
    api = APIRouter(prefix="/api/v1", responses={"default": {"model": Problem}})
    for feature in (accounts, datasets, models, tasks, notices, serving, system):
        api.include_router(feature.router)
    app.include_router(api)
    app.include_router(system.health_router)
    browser_app.install(app)
    api_description.install(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def describe() -> dict[str, Any]:
    """The OpenAPI document; needs no database."""
    return create_app(Settings.model_construct(), background=False).openapi()


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Database, schema, keys; then the work beside requests; ended in reverse order."""
    settings: Settings = app.state.settings
    if settings.database_url is None:
        raise RuntimeError("settings.database_url is not set; `easytune up` starts a database")
    async with AsyncExitStack() as stack:
        engine = make_engine(settings.database_url.get_secret_value())
        stack.push_async_callback(engine.dispose)
        await schema.upgrade(engine)
        app.state.engine = engine
        app.state.sessions = make_sessions(engine)
        app.state.readers = make_readers(engine)
        key = secret_key.load_or_create(settings)
        app.state.tokens, app.state.seal = Tokens(key), Seal(key)
        app.state.setup_token = SetupToken(settings.data_dir)
        stack.callback(app.state.setup_token.drop)
        app.state.database_name = await _database_name(app)
        app.state.disk_use = DiskUse(settings.data_dir)
        stack.push_async_callback(app.state.disk_use.close)
        app.state.gpu_facts = GpuFacts()
        stack.callback(app.state.gpu_facts.close)
        app.state.reading_desk = ReadingDesk()
        stack.push_async_callback(app.state.reading_desk.close)
        app.state.token_desk = TokenDesk(settings.sockets_dir / "tokens")
        await app.state.token_desk.start()
        stack.push_async_callback(app.state.token_desk.close)
        app.state.length_counts = LengthCounts(app.state.token_desk)
        stack.push_async_callback(app.state.length_counts.close)
        app.state.upload_desk = Desk(settings, app.state.sessions, Digests())
        stack.push_async_callback(app.state.upload_desk.digests.close)
        app.state.host_speed = HostSpeed(settings.data_dir)
        app.state.playground = Playground(settings.sockets_dir)
        await app.state.playground.start()
        stack.push_async_callback(app.state.playground.close)
        supervisor = None
        if app.state.background:
            if await _offer_setup(app):  # before "ready" is said: whoever waits for that reads it
                await stack.enter_async_context(_running(_renew_setup(app), "set-up token"))
            keep_clean = expiry.keep_clean(app.state.upload_desk)
            await stack.enter_async_context(_running(keep_clean, "abandoned uploads"))
            find_out = app.state.host_speed.find_out()
            await stack.enter_async_context(_running(find_out, "speed of the host"))
            dispatcher = Dispatcher(
                app.state.sessions,
                app.state.seal,
                public_url=settings.public_url,
                private=settings.private_targets,
            )
            await stack.enter_async_context(_running(dispatcher.run(), "notices"))
            disk = DiskWatch(app.state.sessions, settings.data_dir)
            await stack.enter_async_context(_running(disk.run(), "disk"))
            supervisor = Supervisor(
                settings,
                app.state.sessions,
                before_training=app.state.playground.make_room,
            )
            await stack.enter_async_context(_supervising(supervisor, app.state.closing))
        app.state.sources = Sources(
            slots=slots_source(settings, supervisor),
            sees_paths=sees_paths,
            lent_bytes=app.state.playground.memory_bytes,
            overview=overview,
        )
        yield
        app.state.closing.set()


async def _database_name(app: FastAPI) -> str:
    async with app.state.engine.connect() as connection:
        version = await connection.scalar(text("SHOW server_version"))
    return f"PostgreSQL {version} ({app.state.database_kind})"


@asynccontextmanager
async def _supervising(supervisor: Supervisor, closing: asyncio.Event) -> AsyncIterator[None]:
    """Run it; from the moment the platform closes it starts nothing more."""

    async def stop_when_closing() -> None:
        await closing.wait()
        supervisor.stop()

    run = asyncio.create_task(supervisor.run(), name="supervisor")
    try:
        async with _running(stop_when_closing(), "supervisor's end"):
            yield
    finally:
        supervisor.stop()
        await asyncio.wait([run], timeout=SUPERVISOR_END_S)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_tell_why_it_ended)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _tell_why_it_ended(task: asyncio.Task[None]) -> None:
    """Nobody waits for such work: an error in it would only be seen by what no longer happens."""
    if not task.cancelled() and task.exception() is not None:
        log.error("background_work_failed", work=task.get_name(), exc_info=task.exception())


async def _offer_setup(app: FastAPI) -> bool:
    """While there is no user: a fresh set-up token. Whether there is none."""
    token: SetupToken = app.state.setup_token
    async with transaction(app.state.sessions) as session:
        needed = await service.needs_setup(session)
    if needed:
        app.state.announce(f"Setup token: {token.renew()}")
    else:
        token.drop()
    return needed


async def _renew_setup(app: FastAPI) -> None:
    """Every hour, until somebody is there."""
    needed = True
    while needed:
        await asyncio.sleep(LIFETIME_S)
        try:
            needed = await _offer_setup(app)
        except (DatabaseUnavailable, SQLAlchemyError) as error:
            log.warning("set-up token not renewed", error=type(error).__name__)
