"""The application: everything is put together here, and only here."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute

from backend import browser_app, errors, schema
from backend.accounts import secret_key, service
from backend.accounts.dependencies import require_sign_in
from backend.accounts.gate import Gate
from backend.accounts.setup_token import LIFETIME_S, SetupToken
from backend.accounts.tokens import Tokens
from backend.database import make_engine, make_sessions, transaction
from backend.errors import Problem
from backend.middleware.body_limits import BodyLimits
from backend.middleware.context import Context
from backend.middleware.hosts import HostCheck, known_hosts
from backend.middleware.security_headers import SecurityHeaders
from backend.settings import Settings
from backend.version import VERSION

FEATURES = ("accounts", "datasets", "models", "tasks", "serving", "system")


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
        dependencies=[Depends(require_sign_in)],
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.background = background
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
    api = APIRouter(prefix="/api/v1", responses={"default": {"model": Problem}})
    for feature in FEATURES:
        if find_spec(f"backend.{feature}.routes"):
            api.include_router(import_module(f"backend.{feature}.routes").router)
    app.include_router(api)
    browser_app.install(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def describe() -> dict[str, Any]:
    """The OpenAPI document; needs no database."""
    return create_app(Settings(), background=False).openapi()


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
        app.state.tokens = Tokens(secret_key.load_or_create(settings))
        app.state.setup_token = SetupToken(settings.data_dir)
        if app.state.background:
            await stack.enter_async_context(_running(_offer_setup(app)))
        yield
        app.state.closing.set()


@asynccontextmanager
async def _running(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _offer_setup(app: FastAPI) -> None:
    """While there is no user: a fresh set-up token now and every hour."""
    token: SetupToken = app.state.setup_token
    while True:
        async with transaction(app.state.sessions) as session:
            needed = await service.needs_setup(session)
        if not needed:
            token.drop()
            return
        app.state.announce(f"Setup token: {token.renew()}")
        await asyncio.sleep(LIFETIME_S)
