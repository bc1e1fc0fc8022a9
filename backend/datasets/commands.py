"""`easytune datasets`: list and add data sets without the browser, straight in the database."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets import files, import_queue, service, version_service, view
from backend.datasets.hubs import queue as hub_queue
from backend.datasets.hubs.fetch_command import fetch_here
from backend.datasets.hubs.outcome import keep_files
from backend.datasets.hubs.queue import HubChoice
from backend.datasets.hubs.schemas import HubSource
from backend.datasets.hygiene import service as examinations
from backend.datasets.importing import outcome
from backend.datasets.schemas import DatasetStatus, Mapping
from backend.datasets.service import DatasetForm
from backend.datasets.tables import DatasetRow
from backend.datasets.uploading import quarantine, requests
from backend.datasets.versions.names import REPORT_FILE
from backend.errors import NotFound, Refused
from backend.jobs import whole_folders
from backend.own_database import database_of, sessions_of
from backend.settings import Settings, load

MAX_LISTED = 200
SHOWN_ITEMS = 10

app = typer.Typer(add_completion=False, no_args_is_help=True, help="List and add data sets.")


class NoSuchUser(NotFound):
    """There is no user to own the data set; `easytune user add NAME` makes one."""


class BadOption(Refused):
    """{option}: {reason}"""


@app.command("list")
def list_datasets() -> None:
    """Id, state, rows, kind and name of the newest data sets."""

    async def work(session: AsyncSession) -> list[DatasetRow]:
        query = select(DatasetRow).order_by(DatasetRow.id.desc()).limit(MAX_LISTED)
        return list(await session.scalars(query))

    with database_of(load()) as settings:

        async def run() -> list[DatasetRow]:
            async with sessions_of(settings) as sessions, transaction(sessions) as session:
                return await work(session)

        rows = asyncio.run(run())
    if not rows:
        typer.echo("There is no data set yet: easytune datasets add FILE")
    for row in rows:
        count = "-" if row.num_rows is None else str(row.num_rows)
        typer.echo(
            f"{row.id}  {row.status:13}  {count:>9}  {row.record_type or '-':20}  {row.name}"
        )


@app.command()
def add(
    file: Annotated[str, typer.Argument(help="A file, or with --from the id owner/name")],
    name: Annotated[str | None, typer.Option(help="Default: the file's name")] = None,
    mapping: Annotated[
        str | None,
        typer.Option(help='JSON: {"record_type": …, "columns": {"prompt": "COLUMN", …}}'),
    ] = None,
    max_dropped_rows: Annotated[int, typer.Option(min=0)] = 0,
    hub: Annotated[
        HubSource | None, typer.Option("--from", help="Fetch it from this hub instead")
    ] = None,
    subset: Annotated[str | None, typer.Option(help="With --from: which subset")] = None,
    split: Annotated[str | None, typer.Option(help="With --from: which split")] = None,
    revision: Annotated[str | None, typer.Option(help="With --from: branch, tag or commit")] = None,
    owner: Annotated[
        str | None, typer.Option(help="User name; default: the first administrator")
    ] = None,
) -> None:
    """Import a file, or a data set of a hub; says what became of its rows."""
    form = DatasetForm(name=name, mapping=_mapping(mapping), max_dropped_rows=max_dropped_rows)
    path = None if hub else _file(file)
    if hub is None and (subset or split or revision):
        raise BadOption(params={"option": "--from", "reason": "say which hub it is to come from."})
    with database_of(load()) as settings:

        async def run() -> tuple[DatasetRow, list[str]]:
            async with sessions_of(settings) as sessions:
                if path is not None:
                    return await add_file(sessions, settings, path, form, owner)
                assert hub is not None
                choice = HubChoice(hub, file, subset, split, revision)
                return await add_from_hub(sessions, settings, choice, form, owner)

        row, report = asyncio.run(run())
    counts = row.counts
    typer.echo(f"{row.name}: {row.status}, {row.record_type or 'unknown records'} ({row.id})")
    typer.echo(
        f"  {counts['kept']} rows kept, {counts['repaired']} repaired, {counts['dropped']} dropped"
    )
    for line in report:
        typer.echo(f"  {line}")
    if row.status == DatasetStatus.READY:
        return
    error = view.error_of(row)
    if error is not None:
        typer.echo(f"✖ {error['message']} {error['hint']}", err=True)
    else:
        columns = ", ".join(row.columns)
        typer.echo(f"✖ Say with --mapping which column is what: {columns}", err=True)
    raise typer.Exit(1)


def _file(name: str) -> Path:
    path = Path(name).resolve()
    if not path.is_file():
        reason = f"{name} is not there, or is not a file; a data set of a hub needs --from."
        raise BadOption(params={"option": "FILE", "reason": reason})
    return path


def _mapping(text: str | None) -> Mapping | None:
    try:
        return Mapping.model_validate_json(text) if text else None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        params = {"option": "--mapping", "reason": f"{place} {first['msg']}".strip()}
        raise BadOption(params=params) from error


async def add_file(
    sessions: SessionFactory,
    settings: Settings,
    file: Path,
    form: DatasetForm,
    owner: str | None,
) -> tuple[DatasetRow, list[str]]:
    """Copy, import here and now, then write; returns the row and the first lines of the report."""
    from backend.datasets.importing.run import import_file  # with the libraries that it needs

    settings.datasets_dir.mkdir(parents=True, exist_ok=True)
    quarantine.require_space(settings, 2 * file.stat().st_size)
    async with transaction(sessions) as session:
        user = await _owner(session, owner)
    async with quarantine.incoming(settings) as path:
        copied = await asyncio.to_thread(requests.copy, file, path)
        staged = path.with_name(f"{path.name}.import")
        staged.mkdir()
        try:
            await asyncio.to_thread(
                import_file,
                path,
                copied.filename,
                staged,
                mapping=form.mapping.model_dump(mode="json") if form.mapping else None,
                max_dropped_rows=form.max_dropped_rows,
            )
            report = _first_items(staged, file)
            async with transaction(sessions) as session:
                row = await service.create(session, user, settings, [copied], form, queue=False)
                summary = outcome.read_summary(staged)
                await version_service.publish(session, row, 1, summary, made_by=user.id)
                await _examine(session, settings, row)
                whole_folders.publish(staged, files.version_dir(settings, row.id, 1))
        finally:
            files.clear(staged)
    return row, report


async def add_from_hub(
    sessions: SessionFactory,
    settings: Settings,
    choice: HubChoice,
    form: DatasetForm,
    owner: str | None,
) -> tuple[DatasetRow, list[str]]:
    """Fetch and import here and now, then write; what has arrived stays for the next try."""
    choice = hub_queue.required(settings, choice)
    async with transaction(sessions) as session:
        user = await _owner(session, owner)
    row = service.new_from_hub(user, choice, form)
    folder = files.dataset_dir(settings, row.id)
    # By what was asked for, so that the next try finds what this one leaves.
    asked = orjson.dumps(choice.source, option=orjson.OPT_SORT_KEYS)
    fetched = settings.datasets_dir / "fetching" / f"{hashlib.sha256(asked).hexdigest()[:24]}"
    staged = files.staging_dir(settings, row.id)
    staged.mkdir(parents=True, mode=0o700)
    try:
        spec = hub_queue.fetch_spec(settings, row, import_queue.import_spec(settings, row, 1))
        await asyncio.to_thread(fetch_here, {**spec, "fetched": str(fetched)}, staged)
        report = _first_items(staged, Path(choice.reference))
        summary = outcome.read_summary(staged)
        whole_folders.publish(staged, files.version_dir(settings, row.id, 1))
        fetched.replace(hub_queue.fetched_dir(settings, row.id))
        keep_files(row, folder, 1)
        async with transaction(sessions) as session:
            session.add(row)
            await session.flush()
            await version_service.publish(session, row, 1, summary, made_by=user.id)
            await _examine(session, settings, row)
    except BaseException:
        whole_folders.remove(folder)
        raise
    return row, report


async def _examine(session: AsyncSession, settings: Settings, row: DatasetRow) -> None:
    """What the rows hide is looked for when the platform runs."""
    if row.status in version_service.USABLE:
        await examinations.enqueue(session, settings, row, 1)


async def _owner(session: AsyncSession, name: str | None) -> UserRow:
    query = select(UserRow).where(UserRow.disabled_at.is_(None)).order_by(UserRow.id)
    if name is not None:
        query = query.where(UserRow.username == name.lower())
    else:
        query = query.where(UserRow.role == Role.ADMINISTRATOR)
    user = await session.scalar(query.limit(1))
    if user is None:
        raise NoSuchUser
    return user


def _first_items(folder: Path, file: Path) -> list[str]:
    lines: list[str] = []
    with (folder / REPORT_FILE).open("rb") as report:
        for line in report:
            if len(lines) == SHOWN_ITEMS:
                return [*lines, "…"]
            item: dict[str, Any] = json.loads(line)
            lines.append(f"{file}:{item['line']}: {item['action']}: {item['message']}")
    return lines
