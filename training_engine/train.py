"""The child of a training run: spec → data → model → loop → save. Reads from top to bottom.

`python -m training_engine.train RUN_DIR`, normally started by the run host. Whatever goes wrong
ends in one `failed` event with a closed code, a plain sentence and the next action.
"""

import sys
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import ValidationError

from training_engine.contract.choices import ADAPTED
from training_engine.contract.names import OUTPUT_DIR, SPEC_FILE, ExitCode, FailureCode, Phase
from training_engine.contract.spec import RunSpec
from training_engine.control import StopRequests
from training_engine.events import EventWriter, Reporter
from training_engine.failures import EngineFailure, explain
from training_engine.tuning import return_freed_memory

PACKAGES = ("torch", "transformers", "tokenizers", "safetensors")


def main(argv: list[str]) -> int:
    """Run the spec of a run folder; returns one of `ExitCode`."""
    run_dir = Path(argv[0])
    stop = StopRequests(run_dir)
    stop.listen()
    with EventWriter(run_dir) as events:
        reporter = Reporter(events)
        try:
            return run(run_dir, read_spec(run_dir), reporter, stop)
        except Exception as error:  # noqa: BLE001 - the one place where every failure is caught
            traceback.print_exc()
            return fail(reporter, explain(error))


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
    """The run's spec; raises `EngineFailure` that names the first wrong field."""
    try:
        return RunSpec.model_validate_json((run_dir / SPEC_FILE).read_bytes())
    except FileNotFoundError as error:
        message, place = f"{run_dir} has no {SPEC_FILE}.", ""
        cause: Exception = error
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"])
        message = f"The run's spec is not valid at {place or SPEC_FILE}: {problem['msg']}."
        cause = error
    hint = "Correct the field it names and create the run again."
    raise EngineFailure(FailureCode.BAD_SPEC, message, hint, {"field": place}) from cause


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
        output,
        probe,
        proof,
        reference,
        sampling,
    )
    from training_engine.data.chat import ChatTemplate, terminators
    from training_engine.data.prepare import prepare
    from training_engine.models import load
    from training_engine.objectives import recipe_of

    processes = distributed.join()
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

    reporter.phase(Phase.PREPARING, "Reading the data")
    model_dir = Path(spec.model.path)
    config = load.check_folder(model_dir, spec.model.name, spec.model.trusted_code_sha256)
    load.quiet()
    kind = recipe_of(spec.objective).reading
    tokenizer = load.load_tokenizer(model_dir, trusted=spec.model.trusted_code_sha256 is not None)
    template = ChatTemplate(tokenizer, spec.chat_template, required=kind.needs_template)
    ends = terminators(template.tokenizer, model_dir)
    reading = kind(template, spec.hyperparameters, load.context_of(config))
    data = prepare(spec, reading, ends)
    build.report_data(reporter, data, reading)
    if stop.wanted() and processes.count == 1:
        return stopped(reporter, 0, None)

    reporter.phase(Phase.PREPARING, "Loading the model")
    training = build.build(run_dir, spec, placement, data, reading, reporter, stop, used, processes)
    training.sample = lambda: sampling.show(training, reading, ends, step=training.state.step)
    if not reference.measure(training):
        return stopped(reporter, 0, None)
    if spec.resume_from:
        training.resume(Path(spec.resume_from))
    probe.probe(training, probe.expected_bytes(training, config))

    ending = loop.train(training)
    state = training.state
    if ending is loop.Ending.STOPPED:
        last = max(training.saved, default=None)
        return stopped(reporter, state.step, training.saved[last] if last is not None else None)

    return_freed_memory()
    reporter.phase(Phase.SAVING, "Writing the result", step=state.step, fraction=1.0)
    kept = training.load_kept()
    metrics = build.final_metrics(training, kept)
    size = output.write(
        run_dir,
        spec,
        lambda folder: build.write_weights(folder, training),
        metrics,
        used,
        lambda folder: proof.prove(folder, training, template),
    )
    if not stop.wanted():
        sampling.show(training, reading, ends, step=kept)
    reporter.events.write("finished", step=state.step, metrics=metrics, output_bytes=size)
    what = "adapter" if spec.method in ADAPTED else "model"
    reporter.say(f"finished: {what} of {size / 1e6:.1f} MB in {OUTPUT_DIR}/")
    return ExitCode.FINISHED


def stopped(reporter: Reporter, step: int, checkpoint: str | None) -> ExitCode:
    """Say that the user ended the run, and what a resume continues from."""
    reporter.events.write("stopped", step=step, checkpoint=checkpoint)
    reporter.say(f"stopped after step {step}, checkpoint {checkpoint or 'none'}")
    return ExitCode.STOPPED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
