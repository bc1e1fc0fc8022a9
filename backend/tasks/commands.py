"""`easytune tasks`: see and stop tasks without the browser, straight in the database."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.database import transaction
from backend.errors import Conflict, NotFound
from backend.jobs import service as jobs
from backend.jobs.log_file import read_backward, read_forward, size_of
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import TERMINAL, JobStatus
from backend.own_database import database_of, sessions_of
from backend.settings import load
from backend.tasks import queries
from backend.tasks.log_line import parse
from backend.tasks.queries import Found
from backend.tasks.tables import TaskRow

T = TypeVar("T")
MAX_LISTED = 200
LOOK_EVERY_S = 0.5

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="List and stop tasks, read their logs."
)
TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="Its id, the end of its id, or its name")
]


class NoSuchTask(NotFound):
    """There is no task “{name}”; `easytune tasks list` shows all."""


class SeveralTasks(Conflict):
    """Several tasks are called “{name}”; use the id: {ids}"""


def _in_database(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    with database_of(load()) as settings:

        async def run() -> T:
            async with sessions_of(settings) as sessions, transaction(sessions) as session:
                return await work(session)

        return asyncio.run(run())


async def _find(session: AsyncSession, name: str) -> Found:
    """The one task that is meant; raises `NoSuchTask` or `SeveralTasks`."""
    id_text = cast(TaskRow.id, String)
    text = name.strip().lower()
    query = select(TaskRow.id).where(
        or_(
            id_text == text,
            func.lower(TaskRow.name) == text,
            func.lower(TaskRow.output_name) == text,
            id_text.endswith(text, autoescape=True) if len(text) >= 4 else id_text == text,
        )
    )
    ids = list(await session.scalars(query.limit(6)))
    if not ids:
        raise NoSuchTask(params={"name": name})
    if len(ids) > 1:
        shown = ", ".join(str(task_id) for task_id in ids)
        raise SeveralTasks(params={"name": name, "ids": shown})
    return (await queries.find_many(session, ids))[0]


@app.command("list")
def list_tasks(
    status: Annotated[
        list[JobStatus] | None, typer.Option(case_sensitive=False, help="Only these; repeatable")
    ] = None,
) -> None:
    """Tasks of all users, newest first."""

    async def work(session: AsyncSession) -> list[Found]:
        query = select(TaskRow.id).order_by(TaskRow.id.desc()).limit(MAX_LISTED)
        found = await queries.find_many(session, list(await session.scalars(query)))
        return sorted(found, key=lambda f: f.row.id, reverse=True)

    table = Table("id", "name", "status", "step", "progress", "owner", "created", box=None)
    for found in _in_database(work):
        if status and found.job.status not in status:
            continue
        table.add_row(*_cells(found))
    console = Console(highlight=False)
    console.print(table if table.row_count else "There is no such task.")


def _cells(found: Found) -> list[str]:
    row, job = found.row, found.job
    return [
        str(row.id)[-12:],
        row.name,
        job.status.value,
        f"{job.step}/{job.total_steps or '?'}",
        f"{job.progress:.0%}",
        found.owner,
        f"{row.created_at:%Y-%m-%d %H:%M}",
    ]


@app.command()
def logs(
    task: TaskName,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Last lines")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Until the run ends")] = False,
) -> None:
    """What the newest attempt of a task printed."""
    found = _in_database(lambda session: _find(session, task))
    folder = RunFolder.of(load().runs_dir, found.job.id, found.job.attempt)
    file = folder.log_file
    raws = read_backward(file, size_of(file), lines)
    offset = raws[-1].end if raws else 0
    while True:
        for raw in raws:
            line = parse(raw, folder.attempt, 0)
            typer.echo(f"{line.at:%H:%M:%S} {line.level:7} {line.text}")
        if not follow or (not raws and folder.exit_facts() is not None):
            return
        time.sleep(LOOK_EVERY_S)
        raws = read_forward(file, offset, 1000)
        offset = raws[-1].end if raws else offset


@app.command()
def stop(
    task: TaskName,
    discard: Annotated[
        bool, typer.Option("--discard", help="Do not save a checkpoint first")
    ] = False,
) -> None:
    """Ask a task to stop."""

    async def work(session: AsyncSession) -> tuple[UUID, JobStatus]:
        found = await _find(session, task)
        job = await jobs.request_stop(session, found.job.id, save=not discard)
        return found.row.id, job.status

    task_id, status = _in_database(work)
    done = "has ended" if status in TERMINAL else "is asked to stop"
    typer.echo(f"Task {str(task_id)[-12:]} {done} ({status.value}).")
