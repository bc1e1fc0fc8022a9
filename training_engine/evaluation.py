"""Measuring on held-out rows while training goes on, and which checkpoint is to be the result."""

import math
import time

from training_engine import compute, report
from training_engine.contract.choices import OutputCheckpoint
from training_engine.contract.names import Phase
from training_engine.run import Run
from training_engine.tuning import close_holes

# `fastest`: a later checkpoint takes an earlier one's place only when it is so much better.
WORTH_WAITING = 0.99


def evaluate(run: Run) -> bool:
    """Mean loss over the held-out rows, reported; True when this state would be the result."""
    held_out = run.data.evaluation
    if held_out is None:
        return False
    state, started = run.state, time.perf_counter()
    run.reporter.phase(
        Phase.EVALUATING, "Measuring on held-out rows", **report.where(run), tokens_per_s=None
    )
    # Rows of ever new lengths leave holes between the blocks of memory; this closes them.
    close_holes()
    run.model.eval()
    found = compute.fitting(run, held_out, range(len(held_out)), learn=False)
    run.model.train()
    run.pace.evaluation(time.perf_counter() - started)
    state.sound = math.isfinite(found.loss) and run.weights.finite()
    state.last_eval_loss = found.loss if state.sound else None
    report.evaluation(run, found)
    if state.step == 0:
        return False
    if state.sound and (state.best_loss is None or found.loss < state.best_loss):
        state.best_step, state.best_loss = state.step, found.loss
        state.evaluations_without_gain = 0
    else:
        state.evaluations_without_gain += 1
    return state.sound and keeps(run, found.loss)


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
