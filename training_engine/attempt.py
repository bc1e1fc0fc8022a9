"""One attempt of a run: data → model → loop → result. Reads from top to bottom."""

from pathlib import Path

from training_engine import (
    build,
    data_report,
    devices,
    distributed,
    knob_report,
    loop,
    noise,
    output,
    probe,
    proof,
    quick_start,
    reference,
    resume,
    sampling,
    sharing,
)
from training_engine.contract.choices import ADAPTED
from training_engine.contract.context import context_of
from training_engine.contract.failpoints import reach
from training_engine.contract.names import OUTPUT_DIR, ExitCode, Phase
from training_engine.contract.spec import RunSpec
from training_engine.control import StopRequests
from training_engine.data.chat import ChatTemplate, terminators
from training_engine.data.prepare import PreparedData, prepare
from training_engine.data.reading import Reading
from training_engine.events import Reporter
from training_engine.models import load
from training_engine.objectives import recipe_of
from training_engine.run import Run
from training_engine.start import Start, ToldToStop, begin
from training_engine.tuning import return_freed_memory


def run(run_dir: Path, spec: RunSpec, reporter: Reporter, stop: StopRequests) -> ExitCode:
    """The whole attempt; raises what `failures.explain` knows how to tell."""
    start = begin(run_dir, spec, reporter, stop)
    checkpoint = start.checkpoint

    reporter.phase(Phase.PREPARING, "Reading the data")
    model = spec.model
    config = load.check_folder(Path(model.path), model.name, model.trusted_code_sha256)
    load.quiet()
    try:
        reading, data = read(start, context_of(config))
        start.look("The data is read")
    except ToldToStop:
        return stopped_before(start)

    reporter.phase(Phase.PREPARING, "Loading the model")
    training = build.build(start, data, reading)
    quick_start.resume_collector()
    noise.part_ways(start.processes, spec.hyperparameters.seed)
    training.sample = lambda: sampling.show(training, reading, step=training.state.step)
    if checkpoint is not None:
        resume.as_much_at_once(training, checkpoint)
    if not reference.measure(training):
        return stopped_before(start)
    if checkpoint is not None:
        resume.take_up(training, checkpoint)
    probe.probe(training, probe.expected_bytes(training, config))

    if loop.train(training) is loop.Ending.STOPPED:
        return stopped(training)
    return finish(training, reading)


def read(start: Start, context: int | None) -> tuple[Reading, PreparedData]:
    """How rows are read, and the samples; `context`: of the model, tokens.

    Raises `EngineFailure` and `ToldToStop`.
    """
    spec = start.spec
    folder = Path(spec.model.path)
    kind = recipe_of(spec.objective).reading
    template = ChatTemplate(
        load.load_tokenizer(folder, trusted=spec.model.trusted_code_sha256 is not None),
        spec.chat_template if kind.needs_template else None,
        required=kind.needs_template,
        spare=kind.spare_template,
    )
    reading = kind(template, spec.hyperparameters, context)
    data = prepare(spec, reading, terminators(template.tokenizer, folder), start.look)
    data_report.tell(start.reporter, data, reading)
    knob_report.tell(start.reporter, spec, data, reading)
    distributed.check_work(start.processes, spec.hyperparameters.batch_size, len(data.train))
    return reading, data


def finish(run: Run, reading: Reading) -> ExitCode:
    """Write the result, prove it, show what it answers; raises `EngineFailure`."""
    reporter, step = run.reporter, run.state.step
    return_freed_memory()
    reporter.phase(Phase.SAVING, "Writing the result", step=step, fraction=1.0)
    kept = run.load_kept()
    if run.shards is not None:
        sharing.make_whole(run, reading)
    run.processes.leave()
    if not run.processes.main:
        return ExitCode.FINISHED
    metrics = build.final_metrics(run, kept)
    size = output.write(
        run.run_dir,
        run.spec,
        lambda folder: build.write_weights(folder, run),
        metrics,
        run.versions,
        lambda folder: proof.prove(folder, run, reading),
        reading.template.foreign,
        reading.template.tokenizer,
    )
    if not run.stop.wanted():
        sampling.show(run, reading, step=kept)
    reach("engine.before_finished")
    reporter.events.write(
        "finished",
        step=step,
        metrics=metrics,
        output_bytes=size,
        peak_device_bytes=devices.peak_bytes(run.placement.device),
    )
    what = "adapter" if run.spec.method in ADAPTED else "model"
    reporter.say(f"finished: {what} of {size / 1e6:.1f} MB in {OUTPUT_DIR}/")
    return ExitCode.FINISHED


def stopped(run: Run) -> ExitCode:
    """The user ended it between two steps; the newest checkpoint is what a resume continues."""
    run.processes.leave()
    last = max(run.saved, default=None)
    return _say_stopped(
        run.reporter,
        run.state.step,
        run.saved[last] if last is not None else None,
        devices.peak_bytes(run.placement.device),
    )


def stopped_before(start: Start) -> ExitCode:
    """The user ended it before its first step: it stands where it began."""
    found = start.checkpoint
    return _say_stopped(start.reporter, *((found.step, found.folder.name) if found else (0, None)))


def _say_stopped(
    reporter: Reporter, step: int, checkpoint: str | None, peak: int | None = None
) -> ExitCode:
    reporter.events.write("stopped", step=step, checkpoint=checkpoint, peak_device_bytes=peak)
    reporter.say(f"stopped after step {step}, checkpoint {checkpoint or 'none'}")
    return ExitCode.STOPPED
