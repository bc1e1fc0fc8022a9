"""`easytune models`: list and fetch base models without the browser."""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import transaction
from backend.errors import NotFound, Unavailable
from backend.ids import new_id
from backend.jobs import whole_folders
from backend.jobs.event_file import last_event
from backend.jobs.run_folder import RunFolder
from backend.models import files, service
from backend.models.folder import read_facts, require_usable
from backend.models.schemas import ModelCreate, ModelSource
from backend.models.service import Wanted
from backend.models.starters import STARTERS
from backend.models.tables import ModelRow
from backend.own_database import database_of, sessions_of
from backend.processes.spawn import environment, python_module
from backend.settings import Settings, load
from training_engine.contract.events import Failed

CONVERT_MODULE = "training_engine.export.convert_starter"

app = typer.Typer(add_completion=False, no_args_is_help=True, help="List and fetch base models.")


class NoAdministrator(NotFound):
    """There is no administrator yet; start `easytune up` and set it up first."""


class PullFailed(Unavailable):
    """{message} {hint}"""


@app.command("list")
def list_models() -> None:
    """Id, state, parameters, source and name of every base model."""
    with database_of(load()) as settings:

        async def run() -> list[ModelRow]:
            async with sessions_of(settings) as sessions, transaction(sessions) as session:
                return list(await session.scalars(select(ModelRow).order_by(ModelRow.id)))

        rows = asyncio.run(run())
    if not rows:
        typer.echo("There is no model yet: easytune models pull starter")
    for row in rows:
        millions = f"{row.num_parameters / 1e6:,.0f} M" if row.num_parameters else "-"
        typer.echo(f"{row.id}  {row.status:11}  {millions:>9}  {row.source:11}  {row.name}")


@app.command()
def pull(
    reference: Annotated[
        str, typer.Argument(help="`starter`, `starter-encoder`, or owner/name on the hub")
    ],
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit")] = None,
) -> None:
    """Fetch a base model now; a download that broke off goes on where it was."""
    source = ModelSource.STARTER if reference in STARTERS else ModelSource.HUGGINGFACE
    body = ModelCreate(source=source, reference=reference, revision=revision)
    with database_of(load()) as settings:
        row, added = asyncio.run(_pull(settings, body))
    if added:
        typer.echo(f"{row.name} is ready ({row.id}).")
    else:
        typer.echo(f"{row.name} is here already: {row.status} ({row.id}).")


async def _pull(settings: Settings, body: ModelCreate) -> tuple[ModelRow, bool]:
    async with sessions_of(settings) as sessions:
        async with transaction(sessions) as session:
            user = await _administrator(session)
        wanted = await service.prepare(settings, body)
        async with transaction(sessions) as session:
            found = await service.existing(session, wanted)
        if found is not None:
            return found, False
        model_id = new_id()
        target = files.own_dir(settings, wanted.source, wanted.reference, model_id)
        if wanted.hub_model is not None:
            await asyncio.to_thread(_download, settings, wanted, target)
        elif wanted.facts is None:
            await asyncio.to_thread(_convert, settings, wanted.reference, target)
        require_usable(target, target)
        wanted.facts = read_facts(target)
        async with transaction(sessions) as session:
            row = await service.create(session, user, settings, wanted, model_id)
        if row.id != model_id and wanted.hub_model is not None:  # somebody else was quicker
            whole_folders.remove(target)
        return row, row.id == model_id


async def _administrator(session: AsyncSession) -> UserRow:
    query = select(UserRow).where(UserRow.role == Role.ADMINISTRATOR, UserRow.disabled_at.is_(None))
    user = await session.scalar(query.order_by(UserRow.id).limit(1))
    if user is None:
        raise NoAdministrator
    return user


def _download(settings: Settings, wanted: Wanted, target: Path) -> None:
    # Late: `list` does not need the hub's library.
    from backend.hubs.download import NETWORK_ERRORS, DamagedFile
    from backend.models import fetch

    assert wanted.hub_model is not None
    # By content, so that the next try finds what this one leaves.
    partial = files.partial_dir(settings, UUID(wanted.hub_model.revision[:32]))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=Console(stderr=True)) as progress:
        bar = progress.add_task(wanted.name, total=wanted.hub_model.size_bytes)
        try:
            fetch.fetch(
                service.hub_spec(settings, wanted.hub_model),
                partial,
                lambda done, name: progress.update(bar, completed=done, description=name),
            )
        except (*NETWORK_ERRORS, DamagedFile) as error:
            message = f"The download broke off: {str(error).splitlines()[0]}."
            hint = "Try it again: what has arrived is kept."
            raise PullFailed(params={"message": message, "hint": hint}) from error
    require_usable(partial, partial)
    whole_folders.publish(partial, target)


def _convert(settings: Settings, starter: str, target: Path) -> None:
    typer.echo("Preparing the starter model; this happens once and takes up to half a minute.")
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".starter-", dir=settings.models_dir) as place:
        folder = RunFolder(Path(place) / "1", 1)
        spec = {"kind": "convert_starter", "run_id": str(new_id()), "starter": starter}
        folder.create({**spec, "target": str(target)})
        done = subprocess.run(
            python_module(CONVERT_MODULE, str(folder.path)),
            env=environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            sys.stderr.buffer.write(done.stderr)
            last = last_event(folder.events_file)
            message, hint = "The conversion ended unexpectedly.", "See above for the reason."
            if isinstance(last, Failed):
                message, hint = last.message, last.hint
            raise PullFailed(params={"message": message, "hint": hint})
