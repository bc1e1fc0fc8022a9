"""How a run goes on from a checkpoint: which one it is, and that everything is as it was."""

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training_engine import checkpoints, noise
from training_engine.checkpoints import CorruptCheckpoint, ForeignCheckpoint, Opened
from training_engine.contract.choices import OutputCheckpoint
from training_engine.contract.names import (
    CHECKPOINTS_DIR,
    LEDGER_FILE,
    MANIFEST_FILE,
    FailureCode,
)
from training_engine.contract.spec import RunSpec
from training_engine.data import ledger
from training_engine.distributed import Processes
from training_engine.events import Reporter
from training_engine.failures import EngineFailure
from training_engine.plan import AtOnce
from training_engine.run import Run


def find(
    run_dir: Path,
    spec: RunSpec,
    identity: Mapping[str, Any],
    processes: Processes,
    reporter: Reporter,
) -> Opened | None:
    """The checkpoint to continue from: the one that the spec names, or the newest whole one there.

    This attempt's own folder has it from here on, however the attempt ends. None: the run starts
    at its beginning. Raises `EngineFailure` when there is none that fits.
    """
    if spec.resume_from is None:
        return None
    opened = _newest(Path(spec.resume_from), identity, reporter)
    if processes.main:  # one process looks after files
        _adopt(opened, run_dir, spec, reporter)
    processes.wait()
    return opened


def _newest(source: Path, identity: Mapping[str, Any], reporter: Reporter) -> Opened:
    try:
        try:
            opened, skipped = checkpoints.newest(source, identity)
        except CorruptCheckpoint as error:  # it was named itself: look at its neighbours
            opened, skipped = checkpoints.newest(source.parent, identity)
            skipped = skipped or [str(error)]
    except ForeignCheckpoint as error:
        raise EngineFailure(
            FailureCode.CHECKPOINT_CORRUPT,
            f"The checkpoint does not belong to this run: {error}.",
            "Restart the run instead of resuming it.",
        ) from error
    if opened is None:
        reason = f": {skipped[0]}" if skipped else ""
        raise EngineFailure(
            FailureCode.CHECKPOINT_CORRUPT,
            f"There is no whole checkpoint to continue from{reason}.",
            "Restart the run.",
        )
    for problem in skipped:
        _tell_skipped(reporter, problem, opened.step)
    return opened


def _tell_skipped(reporter: Reporter, problem: str, step: int) -> None:
    reporter.notice(
        "warning",
        "checkpoint_skipped",
        f"A damaged checkpoint was passed over: {problem}. Continuing from step {step}.",
        problem=problem,
        step=step,
    )


def _adopt(opened: Opened, run_dir: Path, spec: RunSpec, reporter: Reporter) -> None:
    """Have the checkpoint, and the one that would be the result, in this attempt's own folder.

    The newest comes last: who is killed in between goes on from the other, and loses no more than
    time.
    """
    own = run_dir / CHECKPOINTS_DIR
    if opened.folder.parent.resolve() == own.resolve():
        return
    kept = _kept_step(opened, spec)
    if kept is not None and kept != opened.step:
        source = opened.folder.parent / checkpoints.name_of(kept)
        try:
            if (source / MANIFEST_FILE).is_file():
                checkpoints.verify(source)
                checkpoints.adopt(source, own)
        except CorruptCheckpoint as error:
            _tell_skipped(reporter, str(error), opened.step)
    saved = checkpoints.adopt(opened.folder, own)
    reporter.events.write("checkpoint", **vars(saved))


def _kept_step(opened: Opened, spec: RunSpec) -> int | None:
    if spec.hyperparameters.output_checkpoint is OutputCheckpoint.LAST:
        return None
    kept: int | None = opened.state.get("kept_step")
    return kept


def as_much_at_once(run: Run, opened: Opened) -> None:
    """Have as much computed at once as before it: more or less would round otherwise."""
    before = dict(opened.state.get("at_once") or {})
    if before.pop("micro_batch_size", None) == run.micro_batch_size:
        earlier = AtOnce(**before)
        if not run.spec.deterministic:  # not more than fits now
            earlier.tokens = min(earlier.tokens, run.at_once.tokens)
        run.at_once = earlier


def take_up(run: Run, opened: Opened) -> None:
    """Put the run where it stood at the checkpoint that `find` gave."""
    known, state = opened.state, run.state
    for name in vars(state).keys() & known.keys():
        setattr(state, name, known[name])
    run.weights.load(opened.tensors("weights"))
    run.weights.load_optimizer(opened.tensors("optimizer"))
    noise.take_up(
        opened.tensors("random"),
        run.processes,
        run.placement.device,
        run.spec.hyperparameters.seed,
        state.step,
    )
    _take_over_saved(run, opened)
    if run.processes.main:
        _take_over_ledger(run, opened)
    run.processes.wait()
    run.reporter.notice(
        "info",
        "resumed",
        f"Continuing after step {state.step} of {run.plan.total_steps}.",
        step=state.step,
    )
    if known.get("versions") != run.versions:
        run.reporter.notice(
            "warning",
            "resumed_with_other_versions",
            "Libraries have changed since the checkpoint was written: the run goes on, but "
            "will not be bit for bit what it would have been.",
        )


def _take_over_saved(run: Run, opened: Opened) -> None:
    """Note which checkpoints this attempt has; the one that we continue from stands in for one
    that would be the result and is gone.
    """
    own, state = run.run_dir / CHECKPOINTS_DIR, run.state
    kept = _kept_step(opened, run.spec)
    if kept is not None and not (own / checkpoints.name_of(kept) / MANIFEST_FILE).is_file():
        kept, state.kept_loss = opened.step, state.last_eval_loss
    state.kept_step = kept
    if kept is None:
        state.kept_loss = None
    steps = {opened.step} if kept is None else {opened.step, kept}
    run.saved = {step: checkpoints.name_of(step) for step in steps}


def _take_over_ledger(run: Run, opened: Opened) -> None:
    """The consumed samples up to the checkpoint; rebuilt from the order when they are gone."""
    target = run.run_dir / LEDGER_FILE
    offset = opened.state["ledger_offset"]
    source = opened.folder.parent.parent / LEDGER_FILE
    if not ledger.carry_over(source, target, offset):
        consumed = run.order.take(0, offset // ledger.BYTES_PER_SAMPLE)
        target.write_bytes(array("q", consumed).tobytes())
