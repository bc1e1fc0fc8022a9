"""Measuring on held-out rows while training goes on, and which checkpoint is to be the result."""

import math
import time

from training_engine import compute, report
from training_engine.contract.choices import OutputCheckpoint
from training_engine.contract.names import Phase
from training_engine.run import Run
from training_engine.tuning import close_holes

DOING = "Measuring on held-out rows"
# `fastest`: a later checkpoint takes an earlier one's place only when it is so much better.
WORTH_WAITING = 0.99


class _ToldToStop(Exception):
    """Somebody asked for it in the midst of an evaluation, which may take hours."""


def evaluate(run: Run) -> bool | None:
    """Mean loss over the held-out rows, reported; True when this state would be the result.

    None when the run was told to stop meanwhile: the state stays `unmeasured`.
    """
    held_out = run.data.evaluation
    state, started = run.state, time.perf_counter()
    state.unmeasured = held_out is not None
    if held_out is None:
        return False
    run.reporter.phase(Phase.EVALUATING, DOING, **report.where(run), tokens_per_s=None)
    # Rows of ever new lengths leave holes between the blocks of memory; this closes them.
    close_holes()
    run.model.eval()
    samples = range(len(held_out))
    try:
        found = compute.fitting(run, held_out, samples, learn=False, look=_look(run, len(samples)))
    except _ToldToStop:
        return None
    finally:
        run.model.train()
    state.unmeasured = False
    run.pace.evaluation(time.perf_counter() - started)
    state.sound = math.isfinite(found.loss) and run.weights.finite()
    state.last_eval_loss = found.loss if state.sound else None
    report.evaluation(run, found)
    return state.step > 0 and _noted(run, found.loss)


def _look(run: Run, total: int) -> compute.Look:
    """Says how far an evaluation is, and looks whether the run is to stop; all processes agree."""
    where = report.where(run)

    def look(done: int) -> None:
        if run.processes.agreed(run.stop.wanted() is not None):
            raise _ToldToStop
        detail = f"{DOING}: {done * run.processes.count} of {total}"
        run.reporter.progress(phase=Phase.EVALUATING, detail=detail, **where)

    return look


def _noted(run: Run, loss: float) -> bool:
    """Compare with the best so far; True when the present state would be the result."""
    state = run.state
    if state.sound and (state.best_loss is None or loss < state.best_loss):
        state.best_step, state.best_loss = state.step, loss
        state.evaluations_without_gain = 0
    else:
        state.evaluations_without_gain += 1
    return state.sound and keeps(run, loss)


def keeps(run: Run, loss: float) -> bool:
    """Whether the present state takes the place of what was to be the result."""
    state = run.state
    match run.spec.hyperparameters.output_checkpoint:
        case OutputCheckpoint.LAST:
            return False
        case OutputCheckpoint.BEST:
            better = state.kept_loss is None or loss < state.kept_loss
        case OutputCheckpoint.FASTEST:
            better = state.kept_loss is None or loss < state.kept_loss * WORTH_WAITING
    if better:
        state.kept_step, state.kept_loss = state.step, loss
    return better
