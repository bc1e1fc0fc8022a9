"""The child of a training run: spec → data → model → loop → save. Reads from top to bottom.

`python -m training_engine.train RUN_DIR`, normally started by the run host. Whatever goes wrong
ends in one `failed` event with a closed code, a plain sentence and the next action.
"""

import os
import sys
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import ValidationError

from training_engine import launch
from training_engine.contract.choices import ADAPTED
from training_engine.contract.events import Scalar
from training_engine.contract.names import OUTPUT_DIR, SPEC_FILE, ExitCode, FailureCode, Phase
from training_engine.contract.spec import RunSpec
from training_engine.control import StopRequests
from training_engine.events import EventWriter, Reporter, Unheard
from training_engine.failures import EngineFailure, explain
from training_engine.tuning import return_freed_memory

PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "liger_kernel")


def main(argv: list[str]) -> int:
    """Run the spec of a run folder; returns one of `ExitCode`.

    A run of several processes starts them: each comes here again, as a member.
    """
    run_dir = Path(argv[0])
    stop = StopRequests(run_dir)
    stop.listen()
    member = launch.is_member()
    with Unheard() if member and os.environ["RANK"] != "0" else EventWriter(run_dir) as events:
        reporter = Reporter(events)
        try:
            spec = read_spec(run_dir)
            if spec.distributed.processes > 1 and not member:
                return share(run_dir, spec, reporter, stop)
            return run(run_dir, spec, reporter, stop)
        except Exception as error:  # noqa: BLE001 - the one place where every failure is caught
            place = f"In process {int(os.environ['RANK']) + 1}:\n" if member else ""
            sys.stderr.write(place + traceback.format_exc())
            failure = explain(error)
            return ExitCode.FAILED if member and launch.tell(failure) else fail(reporter, failure)


def share(run_dir: Path, spec: RunSpec, reporter: Reporter, stop: StopRequests) -> int:
    """Run the spec in several processes; the first of them writes what the run says."""
    code, failure = launch.run_members(run_dir, spec.distributed.processes, stop)
    reporter.events.catch_up()
    if failure is not None and not reporter.events.ended:
        return fail(reporter, failure)
    return code


def fail(reporter: Reporter, failure: EngineFailure) -> ExitCode:
    """Say why the run ends here."""
    events = reporter.events
    if not events.seq:
        reason = "Nothing was computed: the run ended before a device was chosen."
        events.write(
            "started", device="none", dtype="none", device_reason=reason, versions=versions()
        )
    events.write(
        "failed",
        code=failure.code,
        message=failure.message,
        hint=failure.hint,
        params=failure.params,
    )
    reporter.say(f"ERROR: {failure.message} {failure.hint}")
    refused = failure.code == FailureCode.BAD_SPEC
    return ExitCode.SPEC_REFUSED if refused else ExitCode.FAILED


def read_spec(run_dir: Path) -> RunSpec:
    """The run's spec; raises `EngineFailure` that names every wrong field."""
    hint = "Correct what is named and create the run again."
    try:
        return RunSpec.model_validate_json((run_dir / SPEC_FILE).read_bytes())
    except OSError as error:
        message, fields = f"{SPEC_FILE} can not be read: {error.strerror}.", [""]
        cause: Exception = error
    except ValidationError as error:
        problems = [
            (".".join(str(part) for part in problem["loc"]), problem["msg"])
            for problem in error.errors(include_url=False)
        ]
        told = "; ".join(f"{place or SPEC_FILE}: {what}" for place, what in problems)
        message, fields = f"The run's spec is not valid. {told}.", [place for place, _ in problems]
        cause = error
    params: dict[str, Scalar] = {"field": fields[0], "count": len(fields)}
    raise EngineFailure(FailureCode.BAD_SPEC, message, hint, params) from cause


def versions() -> dict[str, str]:
    """Versions of what decides the numbers."""
    found = {"python": sys.version.split()[0]}
    for name in (*PACKAGES, "easytune"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def run(run_dir: Path, spec: RunSpec, reporter: Reporter, stop: StopRequests) -> ExitCode:
    """The whole run; raises what `explain` knows how to tell."""
    from training_engine import (
        build,
        devices,
        distributed,
        loop,
        noise,
        output,
        probe,
        proof,
        reference,
        resume,
        sampling,
        sharing,
    )
    from training_engine.contract.context import context_of
    from training_engine.data.chat import ChatTemplate, terminators
    from training_engine.data.prepare import prepare
    from training_engine.models import load
    from training_engine.objectives import recipe_of

    processes = distributed.join(spec.distributed.processes, spec.device)
    placement = devices.choose(spec.device, spec.precision)
    used = versions()
    reporter.events.write(
        "started",
        device=str(placement.device),
        dtype=placement.dtype_name,
        device_reason=placement.reason,
        versions=used,
    )
    reporter.say(f"device {placement.device}, {placement.dtype_name}: {placement.reason}")
    build.set_determinism(spec)
    checkpoint = resume.find(run_dir, spec, processes, reporter)
    begun = (checkpoint.step, checkpoint.folder.name) if checkpoint else (0, None)

    reporter.phase(Phase.PREPARING, "Reading the data")
    model_dir = Path(spec.model.path)
    config = load.check_folder(model_dir, spec.model.name, spec.model.trusted_code_sha256)
    load.quiet()
    kind = recipe_of(spec.objective).reading
    tokenizer = load.load_tokenizer(model_dir, trusted=spec.model.trusted_code_sha256 is not None)
    template = ChatTemplate(
        tokenizer, spec.chat_template, required=kind.needs_template, spare=kind.spare_template
    )
    ends = terminators(template.tokenizer, model_dir)
    reading = kind(template, spec.hyperparameters, context_of(config))
    data = prepare(spec, reading, ends)
    build.report_data(reporter, data, reading)
    distributed.check_work(processes, spec.hyperparameters.batch_size, len(data.train))
    if processes.agreed(stop.wanted() is not None):
        return stopped(reporter, *begun)

    reporter.phase(Phase.PREPARING, "Loading the model")
    training = build.build(run_dir, spec, placement, data, reading, reporter, stop, used, processes)
    noise.part_ways(processes, spec.hyperparameters.seed)
    training.sample = lambda: sampling.show(training, reading, ends, step=training.state.step)
    if checkpoint is not None:
        resume.as_much_at_once(training, checkpoint)
    if not reference.measure(training):
        return stopped(reporter, *begun)
    if checkpoint is not None:
        resume.take_up(training, checkpoint)
    probe.probe(training, probe.expected_bytes(training, config))

    ending = loop.train(training)
    state = training.state
    if ending is loop.Ending.STOPPED:
        processes.leave()
        last = max(training.saved, default=None)
        saved = training.saved[last] if last is not None else None
        return stopped(reporter, state.step, saved, devices.peak_bytes(placement.device))

    return_freed_memory()
    reporter.phase(Phase.SAVING, "Writing the result", step=state.step, fraction=1.0)
    kept = training.load_kept()
    if training.shards is not None:
        sharing.make_whole(training, reading)
    processes.leave()
    if not processes.main:
        return ExitCode.FINISHED
    metrics = build.final_metrics(training, kept)
    size = output.write(
        run_dir,
        spec,
        lambda folder: build.write_weights(folder, training),
        metrics,
        used,
        lambda folder: proof.prove(folder, training, reading),
        template.foreign,
    )
    if not stop.wanted():
        sampling.show(training, reading, ends, step=kept)
    reporter.events.write(
        "finished",
        step=state.step,
        metrics=metrics,
        output_bytes=size,
        peak_device_bytes=devices.peak_bytes(placement.device),
    )
    what = "adapter" if spec.method in ADAPTED else "model"
    reporter.say(f"finished: {what} of {size / 1e6:.1f} MB in {OUTPUT_DIR}/")
    return ExitCode.FINISHED


def stopped(
    reporter: Reporter, step: int, checkpoint: str | None = None, peak: int | None = None
) -> ExitCode:
    """Say that the user ended the run, and what a resume continues from."""
    reporter.events.write("stopped", step=step, checkpoint=checkpoint, peak_device_bytes=peak)
    reporter.say(f"stopped after step {step}, checkpoint {checkpoint or 'none'}")
    return ExitCode.STOPPED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
