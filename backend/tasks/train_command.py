"""`easytune train`: a run from a YAML file, in the foreground, without server or database."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from backend.jobs.run_folder import RunFolder
from backend.models.starters import STARTERS
from backend.settings import Settings, load
from backend.tasks import local_inputs, local_models, train_file
from backend.tasks.foreground import Ending, ForegroundRun
from backend.tasks.train_display import Display
from backend.tasks.train_file import TrainFile
from backend.version import VERSION
from training_engine.contract.events import Stopped
from training_engine.contract.names import MANIFEST_FILE, SPEC_FILE, ExitCode
from training_engine.contract.spec import DatasetReference, RunSpec

DATA_DIR = "data"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(add_completion=False)


class NothingToResume(Exception):
    """This folder holds no run that can be continued; the message says why."""


@app.command()
def train(
    spec: Annotated[
        Path | None, typer.Argument(metavar="SPEC.yaml", help="The run, as in examples/*.yaml")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the run; ./runs/NAME-TIME when not given")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Continue the run in this folder from its last checkpoint")
    ] = None,
    micro_batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="With --resume: compute so many samples at once from now on"),
    ] = None,
    gradient_checkpointing: Annotated[
        bool | None,
        typer.Option(help="With --resume: compute activations twice; slower, less memory"),
    ] = None,
) -> None:
    """Train from a run file. Ctrl-C saves a checkpoint and stops.

    Ends with 0 when it finished, 1 when it failed or its rows did not pass the checks before the
    first step, 2 when file, model or data were refused, 3 when it was stopped.
    """
    console = Console(highlight=False)
    if (spec is None) == (resume is None):
        console.print("✖ Name a run file, or a run folder with --resume.", style="red")
        raise typer.Exit(ExitCode.SPEC_REFUSED)
    changes = {
        name: value
        for name, value in (
            ("micro_batch_size", micro_batch_size),
            ("gradient_checkpointing", gradient_checkpointing),
        )
        if value is not None
    }
    try:
        if resume:
            folder = _continued(resume, output, changes)
        elif changes:
            raise NothingToResume(f"Without --resume, {' and '.join(changes)} belong in the file.")
        else:
            folder = _prepared(spec, output, console)
    except train_file.BadTrainFile as bad:
        raise _refused(console, bad.errors) from bad
    except local_inputs.BadInput as bad:
        raise _refused(console, bad.lines) from bad
    except (NothingToResume, OSError) as bad:
        raise _refused(console, [_sentence(bad)]) from bad
    raise typer.Exit(_run(folder, console))


def _refused(console: Console, lines: Any) -> typer.Exit:
    for line in lines:
        console.print(f"✖ {line}", style="red", markup=False, soft_wrap=True)
    return typer.Exit(ExitCode.SPEC_REFUSED)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'file'}: {error.strerror or error}"
    return str(error)


def _prepared(spec: Path | None, output: Path | None, console: Console) -> RunFolder:
    """A new run folder with its data and its spec; raises what `train` knows."""
    assert spec is not None
    settings = load()
    asked = _read(spec, settings)
    place = output or Path("runs") / f"{asked.output_name}-{time.strftime('%Y%m%d-%H%M%S')}"
    place = place.resolve()
    if (place / SPEC_FILE).exists():
        raise NothingToResume(
            f"{place} already holds a run. Name another folder, or continue it with --resume."
        )
    parts = _parts(asked, spec.resolve().parent, place / DATA_DIR, settings)
    folder = RunFolder(place, 1)
    try:
        if asked.model in STARTERS:
            local_models.prepare_starter(asked.model, settings, console.print)
        run_spec = _spec(asked, **parts)
        folder.create(run_spec.model_dump(mode="json"))
    except BaseException:
        shutil.rmtree(place / DATA_DIR, ignore_errors=True)  # the next try begins anew
        raise
    what = f"{run_spec.dataset.num_rows} rows, {run_spec.model.name}, {asked.method.value}"
    console.print(f"{asked.name}: {what}")
    return folder


def _read(spec: Path, settings: Settings) -> TrainFile:
    """The run file; raises `BadTrainFile` with its errors, and what is wrong with its model."""
    try:
        return train_file.read(spec)
    except train_file.BadTrainFile as bad:
        if bad.model is None:
            raise
        try:
            local_models.find_model(bad.model, spec.resolve().parent, settings)
        except local_inputs.BadInput as unfit:
            raise train_file.BadTrainFile([*bad.errors, *unfit.lines]) from bad
        raise


def _parts(asked: TrainFile, base: Path, data: Path, settings: Settings) -> dict[str, Any]:
    """Model and data of a run; raises `BadInput` with what is wrong with any of them."""
    looks: dict[str, Callable[[], Any]] = {
        "model": lambda: local_models.find_model(asked.wish, base, settings),
        "dataset": lambda: local_inputs.import_data(asked.dataset, data / "train", asked.objective),
    }
    if (validation := asked.validation) is not None:
        looks["validation_dataset"] = lambda: local_inputs.import_data(
            validation, data / "validation", asked.objective
        )
    found: dict[str, Any] = {}
    problems: list[str] = []
    for name, look in looks.items():
        try:
            found[name] = look()
        except local_inputs.BadInput as bad:
            problems += bad.lines
    if problems:
        shutil.rmtree(data, ignore_errors=True)  # the next try begins anew
        raise local_inputs.BadInput(*problems)
    return found


def _spec(asked: TrainFile, **parts: DatasetReference | Any) -> RunSpec:
    return RunSpec(
        run_id=asked.output_name,
        name=asked.name,
        objective=asked.objective,
        method=asked.method,
        hyperparameters=asked.hyperparameters,
        distributed=asked.distributed,
        output_name=asked.output_name,
        chat_template=asked.chat_template,
        device=asked.device,
        precision=asked.precision,
        deterministic=asked.deterministic,
        code_version=VERSION,
        **parts,
    )


def _continued(before: Path, output: Path | None, changes: Mapping[str, Any]) -> RunFolder:
    """A new folder beside the old one, whose run begins at the newest checkpoint there.

    `changes`: hyperparameters that say how it is computed, which do not change the result.
    """
    before = before.resolve()
    try:
        spec = RunSpec.model_validate(orjson.loads((before / SPEC_FILE).read_bytes()))
    except (OSError, ValueError) as error:
        raise NothingToResume(f"{before} holds no run ({SPEC_FILE} can not be read).") from error
    old = RunFolder(before, spec.attempt)
    if old.is_locked():
        raise NothingToResume(f"{before}: this run is still going on.")
    names = [path.parent.name for path in old.checkpoints_dir.glob(f"step-*/{MANIFEST_FILE}")]
    if not names:
        raise NothingToResume(f"{before} has no checkpoint. Start again from the run file.")
    newest = max(names, key=lambda name: int(name.removeprefix("step-")))
    attempt = spec.attempt + 1
    place = output or before.with_name(f"{before.name.removesuffix(f'+{spec.attempt}')}+{attempt}")
    folder = RunFolder(place.resolve(), attempt)
    most = spec.hyperparameters.batch_size
    if changes.get("micro_batch_size", 1) > most:
        raise NothingToResume(f"micro_batch_size: at most the batch size ({most}) fits a step.")
    values = {
        "attempt": attempt,
        "resume_from": str(old.checkpoints_dir / newest),
        "hyperparameters": spec.hyperparameters.model_copy(update=dict(changes)),
    }
    folder.create(spec.model_copy(update=values).model_dump(mode="json"))
    return folder


def _run(folder: RunFolder, console: Console) -> int:
    """Run it, show how it goes, say what became of it; returns the exit code."""
    pending: list[int] = []
    before = {number: signal.signal(number, lambda n, _: pending.append(n)) for number in SIGNALS}
    try:
        run = ForegroundRun(folder)

        def look() -> None:
            while pending:
                pending.pop()
                console.print(run.interrupt(), style="yellow")

        run.start()
        with Display(console) as display:
            ending = run.follow(display.tell, look)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    _conclude(folder, ending, console)
    return ending.code


def _conclude(folder: RunFolder, ending: Ending, console: Console) -> None:
    place = os.path.relpath(folder.path)
    if ending.code is ExitCode.FINISHED:
        console.print(f"✔ The model is in {place}/output", style="green")
        console.print(
            "  README.md there says how to load it; it is a standard Hugging Face folder."
        )
    elif isinstance(ending.last, Stopped):
        console.print(f"Stopped at step {ending.last.step}.", style="yellow")
        if ending.last.checkpoint:
            console.print(f"  Go on with: easytune train --resume {place}")
    else:
        console.print(f"✖ {ending.message}", style="red", markup=False)
        console.print(f"  {ending.hint}", markup=False)
        console.print(f"  Log: {place}/output.log")
