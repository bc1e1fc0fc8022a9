"""The job `export`: the result of a run becomes a plain model folder or a GGUF file.

`python -m training_engine RUN_DIR --child training_engine.export.export` runs it under the run
host. What it makes is written beside `output/`, loaded again and compared with what was trained;
only then it becomes `output/`, in one rename.
"""

import errno
import json
import shutil
import sys
import traceback
from pathlib import Path

from pydantic import ValidationError

from training_engine import checkpoints
from training_engine.contract.exports import (
    BITS_PER_WEIGHT,
    REPORT_FILE,
    ExportChecks,
    ExportedFile,
    ExportReport,
    ExportSpec,
    unavailable,
)
from training_engine.contract.names import OUTPUT_DIR, SPEC_FILE, ExitCode, FailureCode
from training_engine.control import StopRequests
from training_engine.events import EventWriter, Reporter
from training_engine.export import source as sources
from training_engine.export.progress import Progress, Stopped
from training_engine.export.source import Source
from training_engine.failures import EngineFailure, explain
from training_engine.train import fail
from training_engine.versions import versions

PARTIAL_DIR = ".export"
PLAIN_DIR = ".plain"
SPACE_FACTOR = 1.05


def run(run_dir: Path, spec: ExportSpec, reporter: Reporter, stop: StopRequests) -> ExitCode:
    """The whole job; raises what `explain` knows how to tell."""
    from training_engine.export.make import make  # late: the spec is read before torch

    source = sources.find(spec)
    _require_available(spec, source)
    reason = "An export reads and writes files; the CPU is enough."
    reporter.events.write(
        "started", device="cpu", dtype="float32", device_reason=reason, versions=_versions()
    )
    partial, plain, final = (run_dir / name for name in (PARTIAL_DIR, PLAIN_DIR, OUTPUT_DIR))
    for folder in (partial, plain):
        shutil.rmtree(folder, ignore_errors=True)
    _require_space(run_dir, spec, source)
    partial.mkdir()
    try:
        checks, types = make(spec, source, partial, plain, Progress(reporter, stop))
        size = _publish(spec, partial, final, checks, types)
    except Stopped:
        reporter.events.write("stopped", step=0)
        return ExitCode.STOPPED
    finally:
        for folder in (partial, plain):
            shutil.rmtree(folder, ignore_errors=True)
    numbers = {k: v for k, v in checks.model_dump().items() if v is not None}
    numbers["size_bytes"] = size
    reporter.events.write("finished", step=0, metrics=numbers, output_bytes=size)
    reporter.say(_told(checks))
    return ExitCode.FINISHED


def _publish(
    spec: ExportSpec,
    partial: Path,
    final: Path,
    checks: ExportChecks,
    types: dict[str, int],
) -> int:
    """Say what it is, and make it appear in one rename; returns the bytes of all files."""
    files = [
        ExportedFile(
            name=path.relative_to(partial).as_posix(),
            size_bytes=path.stat().st_size,
            sha256=checkpoints.file_sha256(path),
        )
        for path in sorted(partial.rglob("*"))
        if path.is_file()
    ]
    report = ExportReport(
        format=spec.format,
        name=spec.name,
        files=files,
        checks=checks,
        tensor_types=types,
        versions=_versions(),
    )
    (partial / REPORT_FILE).write_text(report.model_dump_json(indent=1))
    for path in partial.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            checkpoints.sync(path)
    checkpoints.sync(partial)
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    checkpoints.sync(final.parent)
    return sum(file.size_bytes for file in files)


def _require_available(spec: ExportSpec, source: Source) -> None:
    if (reason := unavailable(spec.format, source.head, source.config())) is not None:
        hint = "Export the merged model instead; llama.cpp's own converter may know more families."
        raise EngineFailure(FailureCode.BAD_SPEC, reason.message, hint, dict(reason.params))


def _require_space(run_dir: Path, spec: ExportSpec, source: Source) -> None:
    """The export, and beside it the merged model where that has to be made first."""
    weights = source.weights_bytes()
    bits = BITS_PER_WEIGHT.get(spec.format)
    size = weights if bits is None else int(source.numbers() * bits / 8)
    needed = int((size + (weights if source.base is not None else 0)) * SPACE_FACTOR) + 50_000_000
    free = shutil.disk_usage(run_dir).free
    if free < needed:
        mb = 1_000_000
        text = f"The export needs {needed // mb} MB of free space and {free // mb} MB are free."
        raise OSError(errno.ENOSPC, text)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {**versions(), "gguf": version("gguf")}


def _told(checks: ExportChecks) -> str:
    same = f"{checks.same_answers} of {checks.answers} answers the same, " if checks.answers else ""
    return (
        f"checked with {checks.prompts} prompts: {same}the likeliest token the same at "
        f"{checks.top1_agreement:.1%} of {checks.positions} positions, scores off by "
        f"{checks.relative_error:.2%}"
    )


def read_spec(run_dir: Path) -> ExportSpec:
    """The job's spec; raises `EngineFailure` that names the first wrong field."""
    try:
        return ExportSpec.model_validate_json((run_dir / SPEC_FILE).read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or SPEC_FILE
        message = f"The export's description is not valid at {place}: {first['msg']}."
    except (OSError, json.JSONDecodeError) as error:
        message = f"{SPEC_FILE} can not be read: {error}."
    hint = "Correct what is named and export again."
    raise EngineFailure(FailureCode.BAD_SPEC, message, hint)


def main(arguments: list[str]) -> int:
    """Run the job in the folder named by the only argument; returns one of `ExitCode`."""
    run_dir = Path(arguments[0])
    stop = StopRequests(run_dir)
    stop.listen()
    with EventWriter(run_dir) as events:
        reporter = Reporter(events)
        try:
            return run(run_dir, read_spec(run_dir), reporter, stop)
        except Exception as error:  # noqa: BLE001 - the entry of a child: it says how it ended
            traceback.print_exc()
            failure = explain(error)
            if failure.code == FailureCode.DISK_FULL:
                failure.hint = "Free disk space, then export again."
            return fail(reporter, failure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
