"""`easytune tasks`: list, read, stop from the terminal, over the same database."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from click.testing import Result
from typer.testing import CliRunner

from backend.jobs.schemas import JobStatus
from backend.settings import Settings
from backend.tasks.commands import NoSuchTask, SeveralTasks, app
from tests.backend.tasks.conftest import MakeRun

Call = Callable[..., Awaitable[Result]]


@pytest.fixture
def easytune(settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Call:
    """`await easytune("list")`, with the settings of the test."""
    monkeypatch.setenv("EASYTUNE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("EASYTUNE_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")

    async def call(*arguments: str) -> Result:
        # In a thread: the command makes an event loop of its own.
        return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))

    return call


async def test_list_logs_stop(easytune: Call, make_run: MakeRun) -> None:
    run = await make_run(name="lamp bot")
    await make_run(JobStatus.COMPLETED, name="old bot")
    run.log(*(f"line {i}" for i in range(5)))
    listed = await easytune("list")
    assert [line.split()[1] for line in listed.output.splitlines()[1:]] == ["old", "lamp"]
    running = (await easytune("list", "--status", "running")).output
    assert ("lamp bot" in running, "old bot" in running) == (True, False)
    last = (await easytune("logs", str(run.id)[-8:], "-n", "2")).output
    assert [line.split()[-1] for line in last.splitlines()] == ["3", "4"]
    stopped = await easytune("stop", "Lamp Bot")
    assert "is asked to stop (STOPPING)" in stopped.output
    assert "has ended (COMPLETED)" in (await easytune("stop", "old bot")).output


async def test_following_a_log_ends_with_the_run(easytune: Call, make_run: MakeRun) -> None:
    run = await make_run()
    run.log("first")
    following = asyncio.create_task(easytune("logs", "--follow", str(run.id)))
    await asyncio.sleep(1)
    run.log("second")
    run.folder().exit_file.write_text('{"exit_code": 0}')
    said = (await following).output
    assert [line.split()[-1] for line in said.splitlines()] == ["first", "second"]


async def test_names_that_mean_nothing_or_too_much(easytune: Call, make_run: MakeRun) -> None:
    await make_run(name="twin")
    await make_run(name="twin")
    assert isinstance((await easytune("stop", "nobody")).exception, NoSuchTask)
    assert isinstance((await easytune("stop", "twin")).exception, SeveralTasks)
    assert isinstance((await easytune("stop", "%")).exception, NoSuchTask)
