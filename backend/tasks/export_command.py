"""`easytune export`: the result of a run as a model folder or a GGUF file, without server."""

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from backend.jobs.run_folder import RunFolder
from backend.tasks.artifact import ADAPTER_FILE
from backend.tasks.foreground import Ending, ForegroundRun
from backend.tasks.train_display import Display
from training_engine.contract.events import Finished
from training_engine.contract.exports import (
    DEFAULT_SHARD_BYTES,
    SMALLEST_SHARD_BYTES,
    ExportFormat,
    ExportSpec,
)
from training_engine.contract.model_folder import CONFIG_FILE
from training_engine.contract.names import OUTPUT_DIR, SPEC_FILE, ExitCode
from training_engine.contract.spec import ModelReference

CHILD = "training_engine.export.export"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(add_completion=False)


class CanNotExport(Exception):
    """What was named can not be exported; the message says why."""


@app.command()
def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run folder, or the output folder of one")
    ],
    format: Annotated[ExportFormat, typer.Option(help="What it becomes")] = ExportFormat.MERGED,
    out: Annotated[
        Path | None, typer.Option(help="The file or folder to write; beside RUN when not given")
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="Folder of the base model, where the run does not say")
    ] = None,
    max_shard_bytes: Annotated[
        int, typer.Option(min=SMALLEST_SHARD_BYTES, help="Largest file of a model folder")
    ] = DEFAULT_SHARD_BYTES,
) -> None:
    """Export the result of a run, and check the export by loading it again.

    Ends with 0 when it is whole and checked, 1 when it failed, 2 when it was refused, 3 when it was
    stopped.
    """
    console = Console(highlight=False)
    try:
        output, spec = _spec(run.resolve(), format, base, max_shard_bytes)
        target = _target(out, output, spec)
    except CanNotExport as bad:
        console.print(f"✖ {bad}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(ExitCode.SPEC_REFUSED) from bad
    # Beside the target: one rename on one disk makes the result appear whole.
    place = Path(tempfile.mkdtemp(prefix=".export-", dir=target.parent))
    try:
        folder = RunFolder(place / "1", 1)
        folder.create(spec.model_dump(mode="json"))
        ending = _run(folder, console)
        if ending.code is ExitCode.FINISHED:
            _take(folder.output_dir, target, spec.format)
        _conclude(ending, target, console)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    raise typer.Exit(ending.code)


def _spec(
    run: Path, format: ExportFormat, base: Path | None, shards: int
) -> tuple[Path, ExportSpec]:
    """The output folder and what is to be made of it; raises `CanNotExport`."""
    inside = run / OUTPUT_DIR
    output = inside if inside.is_dir() else run
    adapter = (output / ADAPTER_FILE).is_file()
    if not adapter and not (output / CONFIG_FILE).is_file():
        raise CanNotExport(f"{run} is no run folder with a result, and no model folder.")
    told = _told(output.parent / SPEC_FILE)
    model: dict[str, Any] = dict(told.get("model") or {})
    if base is not None:
        model = {**model, "name": model.get("name") or base.name, "path": str(base.resolve())}
    if adapter and not Path(model.get("path") or "").is_dir():
        raise CanNotExport("This result is an adapter: name the folder of its model with --base.")
    return output, ExportSpec(
        run_id="export",
        name=str(told.get("output_name") or run.name),
        source=str(output),
        base=ModelReference.model_validate(model) if model.get("path") else None,
        format=format,
        max_shard_bytes=shards,
    )


def _told(file: Path) -> dict[str, Any]:
    """The spec of the run around an output folder; empty when there is none."""
    with suppress(OSError, orjson.JSONDecodeError):
        found = orjson.loads(file.read_bytes())
        if isinstance(found, dict):
            return found
    return {}


def _target(out: Path | None, output: Path, spec: ExportSpec) -> Path:
    """Where the result goes; raises `CanNotExport` when something is there already."""
    ending = spec.format.value.removeprefix("gguf_").upper()
    merged = spec.format is ExportFormat.MERGED
    name = f"{spec.name}-merged" if merged else f"{spec.name}-{ending}.gguf"
    target = (out or output.parent / name).absolute()
    if target.is_dir() and not merged:
        target = target / name
    if target.exists():
        raise CanNotExport(f"{target} is there already. Name another place with --out.")
    if not target.parent.is_dir():
        raise CanNotExport(f"There is no folder {target.parent}.")
    return target


def _run(folder: RunFolder, console: Console) -> Ending:
    """Run it in the foreground; an interruption stops it."""
    pending: list[int] = []
    before = {number: signal.signal(number, lambda n, _: pending.append(n)) for number in SIGNALS}
    try:
        run = ForegroundRun(folder, CHILD)

        def look() -> None:
            while pending:
                pending.pop()
                run.interrupt()
                console.print("Stopping; nothing is kept.", style="yellow")

        run.start()
        with Display(console) as display:
            return run.follow(display.tell, look)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _take(output: Path, target: Path, format: ExportFormat) -> None:
    if format is ExportFormat.MERGED:
        output.rename(target)
    else:
        next(output.glob("*.gguf")).rename(target)


def _conclude(ending: Ending, target: Path, console: Console) -> None:
    if isinstance(ending.last, Finished):
        figures = ending.last.metrics
        console.print(f"✔ {os.path.relpath(target)}", style="green", markup=False)
        console.print(
            f"  Loaded again and compared: the likeliest token is the same at "
            f"{figures.get('top1_agreement') or 0:.1%} of {int(figures.get('positions') or 0)} "
            f"positions, scores are off by {figures.get('relative_error') or 0:.2%}."
        )
    elif ending.code is ExitCode.STOPPED:
        console.print("Stopped; nothing was kept.", style="yellow")
    else:
        console.print(f"✖ {ending.message}", style="red", markup=False, soft_wrap=True)
        console.print(f"  {ending.hint}", markup=False, soft_wrap=True)
