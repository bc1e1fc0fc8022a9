"""`easytune up`: check the machine, start the database, serve until told to stop."""

import asyncio
import errno
import gc
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager

import structlog
import typer
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from backend import data_dir
from backend import log as logs
from backend.app import create_app
from backend.commands import preflight
from backend.commands.checks import Level
from backend.commands.failures import CommandError
from backend.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from backend.own_database import understandable
from backend.processes.spawn import own_oom_score, set_oom_score
from backend.settings import LOOPBACK_HOSTS, Settings, load

log = structlog.get_logger(__name__)
app = typer.Typer(add_completion=False, help="Start the platform and print its address.")
NOTICE_S = 0.5  # for those who watch readiness
GRACE_S = 12  # for answers in progress; the whole end takes less than 20 seconds
WATCH_S = 1.0
OOM_SCORE_ABOVE_DATABASE = 50


@app.command()
def up() -> None:
    """Start the platform and print its address."""
    settings = load()
    logs.configure(settings.log_level)
    preflight.raise_open_files()
    with ExitStack() as stack:
        data_dir.prepare(settings.data_dir)
        _say_what_is_wrong(settings)
        stack.enter_context(data_dir.locked(settings.data_dir))
        listener = stack.enter_context(_listen(settings))
        database = None
        if settings.database_url is None:
            database = stack.enter_context(EmbeddedPostgres(settings.data_dir))
            settings.database_url = SecretStr(database.url)
        database_score = own_oom_score()
        # When memory runs out the kernel takes engines first, then us, and the database last.
        set_oom_score(os.getpid(), database_score + OOM_SCORE_ABOVE_DATABASE)
        application = create_app(settings, announce=typer.echo)
        application.state.database_kind = "external" if database is None else "embedded"
        _warn_about_exposure(settings)
        server = Server(application, database, database_score)
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(server.serve_until_told(listener))


@contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    """The socket, bound before anything else starts; the connection queue begins with `serve`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise CommandError(f"EASYTUNE_HOST: {settings.host} is not an address here.") from error
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise CommandError(_why_not_listening(settings, error)) from error
        listener.setblocking(False)
        yield listener


def _why_not_listening(settings: Settings, error: OSError) -> str:
    place = f"Port {settings.port} on {settings.host}"
    if error.errno == errno.EADDRINUSE:
        return f"{place} is taken by another program; stop it, or set EASYTUNE_PORT to a free port."
    if error.errno == errno.EACCES:
        return f"{place} needs more rights; set EASYTUNE_PORT to a port above 1023."
    return f"{place} can not be listened on: {error.strerror}. Set EASYTUNE_HOST or EASYTUNE_PORT."


def _say_what_is_wrong(settings: Settings) -> None:
    """Warnings go to stderr; the first error ends the start."""
    for check in preflight.preflight(settings):
        if check.level is Level.ERROR:
            raise CommandError(f"{check.name}: {check.detail}. {check.fix}")
        typer.echo(f"Warning: {check.name}: {check.detail}. {check.fix}", err=True)


def _warn_about_exposure(settings: Settings) -> None:
    if settings.host in LOOPBACK_HOSTS:
        return
    how = (
        "sign-in works over plain HTTP (EASYTUNE_INSECURE_HTTP): passwords can be read on the way"
        if settings.insecure_http
        else "sign-in from there is refused without HTTPS"
    )
    typer.echo(f"Warning: {settings.host} can be reached from other machines; {how}.", err=True)


class Server(uvicorn.Server):
    """uvicorn, with our order of ending and a look at the database now and then."""

    def __init__(
        self, application: FastAPI, database: EmbeddedPostgres | None, database_score: int
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self.application, self.database = application, database
        self.database_score = database_score

    async def serve_until_told(self, listener: socket.socket) -> None:
        """Serve until SIGINT or SIGTERM."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        watch = asyncio.create_task(self._watch()) if self.database else None
        try:
            async with AsyncExitStack() as stack:
                with understandable():
                    # Here and not by uvicorn, which would tell failures as tracebacks.
                    context = self.application.router.lifespan_context(self.application)
                    await stack.enter_async_context(context)
                await self.serve(sockets=[listener])
        finally:
            if watch is not None:
                watch.cancel()

    def _end(self) -> None:
        closing: asyncio.Event = self.application.state.closing
        if closing.is_set():  # told twice: at once
            self.force_exit = self.should_exit = True
            return
        # Readiness turns red and streams say good-bye; a moment later no connection is taken.
        closing.set()
        asyncio.get_running_loop().call_later(NOTICE_S, setattr, self, "should_exit", True)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ours are set above; uvicorn's would end the process before the database is down."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that it is ready once requests are answered."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            gc.freeze()  # what is loaded now stays; collecting skips it
            typer.echo(f"EasyTune is ready at http://{shown}:{port}")

    async def _watch(self) -> None:
        """Start the embedded database again should it have ended by itself."""
        assert self.database is not None
        while not self.should_exit:
            await asyncio.sleep(WATCH_S)
            if self.database.has_ended and not self.should_exit:
                log.warning("the embedded database ended by itself; starting it again")
                try:
                    await self.database.start_again()
                    set_oom_score(self.database.pid, self.database_score)
                except EmbeddedPostgresError as error:
                    log.error("the embedded database does not start", reason=str(error))
