"""How a run goes on from a checkpoint: which one it is, and that everything is as it was."""

from array import array
from collections.abc import Mapping, Sequence
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
            if opened is not None and opened.folder == source:
                skipped = _without_manifest(opened)
        except CorruptCheckpoint as error:  # it was named itself: look at its neighbours
            opened, skipped = checkpoints.newest(source.parent, identity)
            skipped = list(dict.fromkeys([str(error), *skipped]))
    except ForeignCheckpoint as error:
        raise EngineFailure(
            FailureCode.CHECKPOINT_CORRUPT,
            f"The checkpoint does not belong to this run: {error}.",
            "Restart the run instead of resuming it.",
        ) from error
    if opened is None:
        reason = f": {'; '.join(skipped)}" if skipped else ""
        raise EngineFailure(
            FailureCode.CHECKPOINT_CORRUPT,
            f"There is no whole checkpoint to continue from{reason}.",
            "Restart the run.",
        )
    for problem in skipped:
        _tell_skipped(reporter, problem, opened.step)
    return opened


def _without_manifest(named: Opened) -> list[str]:
    """What is newer than a named checkpoint and does not say what it consists of.

    Whoever named one looked for manifests, and went past it without a word.
    """
    return [
        f"{folder.name}/{MANIFEST_FILE} is missing"
        for folder in checkpoints.folders(named.folder.parent)
        if checkpoints.step_of(folder) > named.step and not _committed(folder)
    ]


def _committed(folder: Path) -> bool:
    return (folder / MANIFEST_FILE).is_file()


def _tell_skipped(reporter: Reporter, problem: str, step: int) -> None:
    reporter.notice(
        "warning",
        "checkpoint_skipped",
        f"A damaged checkpoint was passed over: {problem}. Continuing from step {step}.",
        problem=problem,
        step=step,
    )


def _adopt(opened: Opened, run_dir: Path, spec: RunSpec, reporter: Reporter) -> None:
    """Have in this attempt's own folder what a later one may need of those before.

    That is the checkpoint, the one that would be the result, and the one before it. The first of
    them comes after the result: who is killed in between goes on from the other, and loses no more
    than time.
    """
    own = run_dir / CHECKPOINTS_DIR
    if opened.folder.parent.resolve() == own.resolve():
        return
    kept = _kept_step(opened, spec)
    result = opened.folder.parent / checkpoints.name_of(opened.step if kept is None else kept)
    if result.name != opened.folder.name:
        _adopt_whole(result, own, opened.step, reporter)
    saved = checkpoints.adopt(opened.folder, own)
    reporter.events.write("checkpoint", **vars(saved))
    try:
        for folder in _older(opened.folder.parent, opened.step):
            if _committed(own / folder.name):
                break
            if folder != result and _adopt_whole(folder, own, opened.step, reporter):
                break
    except OSError as error:  # the run itself can do without it
        reporter.say(f"the checkpoint before step {opened.step} can not be kept: {error}")


def _adopt_whole(source: Path, own: Path, step: int, reporter: Reporter) -> bool:
    """Have a checkpoint besides the one that is continued from at `step`, unless it is damaged."""
    try:
        if not _committed(source):
            return False
        checkpoints.verify(source)
        checkpoints.adopt(source, own)
    except CorruptCheckpoint as error:
        _tell_skipped(reporter, str(error), step)
        return False
    return True


def _older(parent: Path, step: int) -> list[Path]:
    """The checkpoints in a folder that come before a step, the newest first.

    A linked one is damaged together with what it is linked to, so another has to stand by.
    """
    return [folder for folder in checkpoints.folders(parent) if checkpoints.step_of(folder) < step]


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
    _tell_differences(run, known)


def _tell_differences(run: Run, known: Mapping[str, Any]) -> None:
    """Say what makes the rest of the run another than it would have been, by roundings."""
    computed, versions = known.get("computation"), dict(run.versions)
    if computed is None:  # by an older version, which did not ask for this library
        versions.pop("bitsandbytes", None)
    if known.get("versions") != versions:
        run.reporter.notice(
            "warning",
            "resumed_with_other_versions",
            "Libraries have changed since the checkpoint was written: the run goes on, but "
            "will not be bit for bit what it would have been.",
        )
    now = run.computation
    before = {name: (computed or {}).get(name, value) for name, value in now.items()}
    others = [name for name, value in now.items() if before[name] != value]
    if others:
        run.reporter.notice(
            "warning",
            "resumed_with_other_computation",
            f"The run was computed with {_listed(before, others)} up to the checkpoint, and is now "
            f"with {_listed(now, others)}: it goes on, but will not be bit for bit what it would "
            "have been.",
            before=_listed(before, others),
            now=_listed(now, others),
        )


def _listed(computation: Mapping[str, Any], names: Sequence[str]) -> str:
    return ", ".join(f"{name}: {str(computation[name]).lower()}" for name in names)


def _take_over_saved(run: Run, opened: Opened) -> None:
    """Note which checkpoints this attempt has; the one that we continue from stands in for one
    that would be the result and is gone.
    """
    own, state = run.run_dir / CHECKPOINTS_DIR, run.state
    kept = _kept_step(opened, run.spec)
    if kept is not None and not _committed(own / checkpoints.name_of(kept)):
        kept, state.kept_loss = opened.step, state.last_eval_loss
    state.kept_step = kept
    if kept is None:
        state.kept_loss = None
    steps = {opened.step} if kept is None else {opened.step, kept}
    older = [folder for folder in _older(own, opened.step) if _committed(folder)]
    steps |= {checkpoints.step_of(folder) for folder in older[:1]}
    run.saved = {step: checkpoints.name_of(step) for step in steps}


def _take_over_ledger(run: Run, opened: Opened) -> None:
    """The consumed samples up to the checkpoint; from the order when they are gone or damaged."""
    target = run.run_dir / LEDGER_FILE
    offset = opened.state["ledger_offset"]
    source = opened.folder.parent.parent / LEDGER_FILE
    there = ledger.carry_over(source, target, offset)
    if there and checkpoints.file_sha256(target) == opened.state.get("ledger_sha256"):
        return
    consumed = array("q", run.order.take(0, offset // ledger.BYTES_PER_SAMPLE)).tobytes()
    if there and target.read_bytes() != consumed:
        run.reporter.notice(
            "warning",
            "ledger_rebuilt",
            "The list of the samples consumed so far was damaged, and is written anew from their "
            "order. The training is not affected; look whether the disk has errors.",
        )
    target.write_bytes(consumed)
