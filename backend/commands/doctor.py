"""`easytune doctor`: what works on this machine, what is missing, and how to put it right.

Needs no running platform and changes nothing.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from backend.commands import checks, preflight
from backend.commands.checks import Check, Level
from backend.commands.devices import device_checks
from backend.settings import BadSettings, Settings, load

app = typer.Typer(add_completion=False, help="Say what works on this machine and what is missing.")
MARKS = {Level.OK: "✔", Level.NOTE: "•", Level.WARNING: "!", Level.ERROR: "✖"}


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Check settings, versions, devices, disk, port, database and isolation; exit 1 on errors."""
    found: list[Check] = []
    for check in _all():
        found.append(check)
        if not as_json:
            _show(check)
    errors = sum(check.level is Level.ERROR for check in found)
    if as_json:
        answer = {"ok": errors == 0, "checks": [asdict(check) for check in found]}
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo("Everything needed is here." if not errors else f"{errors} to put right.")
    if errors:
        raise typer.Exit(1)


def _all() -> Iterable[Check]:
    try:
        settings = load()
    except BadSettings as bad:
        yield Check("settings", Level.ERROR, str(bad).replace("\n", "; "), "Correct them.")
        settings = Settings.model_construct()  # the defaults, whatever the environment says
    else:
        yield Check("settings", Level.OK, f"data folder {settings.data_dir}")
    yield from checks.versions()
    yield from device_checks()
    yield from checks.memory()
    yield from checks.disk(settings)
    preflight.raise_open_files()
    wrong = list(preflight.preflight(settings))
    yield from wrong
    if not wrong:
        yield Check("surroundings", Level.OK, "open files, temporary files, shared memory, clock")
    yield checks.port(settings)
    yield from asyncio.run(checks.database(settings))
    yield from checks.isolated()
    yield checks.browser_app()


def _show(check: Check) -> None:
    typer.echo(f"{MARKS[check.level]} {check.name}: {check.detail}")
    if check.fix and check.level is not Level.OK:
        typer.echo(f"    → {check.fix}")
