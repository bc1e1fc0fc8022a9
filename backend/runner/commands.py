"""`easytune worker`: the supervisor alone, beside a platform that was started elsewhere."""

import asyncio
import signal

import typer
from pydantic import SecretStr

from backend import log as logs
from backend.embedded_postgres import running_url
from backend.own_database import NoDatabase, sessions_of
from backend.runner.supervisor import Supervisor
from backend.settings import Settings, load

worker = typer.Typer(add_completion=False, help="Run tasks for a platform started elsewhere.")


@worker.command()
def run() -> None:
    """Run tasks for a platform started elsewhere, with the same data folder and database."""
    settings = _with_database(load())
    logs.configure(settings.log_level)
    asyncio.run(_supervise(settings))


def _with_database(settings: Settings) -> Settings:
    if settings.database_url is not None:
        return settings
    url = running_url(settings.data_dir)
    if url is None:
        raise NoDatabase(
            f"No platform runs on {settings.data_dir}. Start one with `easytune up`, or set "
            "EASYTUNE_DATABASE_URL and EASYTUNE_DATA_DIR to those of a running one."
        )
    return settings.model_copy(update={"database_url": SecretStr(url)})


async def _supervise(settings: Settings) -> None:
    async with sessions_of(settings) as sessions:
        supervisor = Supervisor(settings, sessions)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, supervisor.stop)
        typer.echo("EasyTune's worker is ready.")
        await supervisor.run()
