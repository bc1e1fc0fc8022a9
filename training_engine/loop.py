"""The training loop: accumulate, step, schedule, evaluate, checkpoint, stop.

The loss of a step is a mean over all its tokens or samples, however they are cut into rows and
spread over processes (`compute.py`).
"""

import math
import time
from enum import Enum

from training_engine import checks, compute, report
from training_engine.contract.failpoints import reach
from training_engine.control import Stop
from training_engine.evaluation import evaluate
from training_engine.run import Run
from training_engine.schedule import learning_rate


class Ending(Enum):
    """Why the loop ended."""

    DONE = "done"
    STOPPED = "stopped"


def train(run: Run) -> Ending:
    """Train from the run's present state to its end; raises `EngineFailure`."""
    state, plan, knobs = run.state, run.plan, run.spec.hyperparameters
    told, due = {state.step + 1, plan.total_steps}, False
    run.model.train()
    # First of all at the beginning, or where the run was stopped in the midst of it.
    state.unmeasured = state.unmeasured or state.step == 0
    while state.unmeasured or goes_on(run):
        if stop := stop_wanted(run):
            unsaved = state.step > 0 and state.step not in run.saved
            if stop is Stop.SAVE and unsaved and checks.is_sound(run):
                run.save()
            return Ending.STOPPED
        if state.unmeasured:
            evaluate(run)
            continue
        reach("engine.step")
        started = time.perf_counter()
        step = state.step + 1
        samples = run.order.take(
            state.position, min(plan.batch_size, plan.total_samples - state.position)
        )
        measured = compute.learn(run, samples)
        norm = run.weights.clip(knobs.max_grad_norm)
        rate = learning_rate(knobs, step, plan.total_steps)
        finite = math.isfinite(measured.loss) and math.isfinite(norm)
        if finite:
            checks.check_first_step(run, samples, norm)
            state.sound, state.non_finite = True, 0
            run.weights.step(rate)
        else:
            checks.note_non_finite(run, step)
        state.step, state.position = step, state.position + len(samples)
        state.last_loss = measured.loss if finite else None
        run.note_consumed(samples)
        seconds = time.perf_counter() - started
        tokens = compute.count_tokens(run.data.train, samples)
        run.pace.step(seconds, tokens)
        report.step(run, measured, rate, norm, tokens / seconds, at_once=step in told)
        improved = plan.evaluates(step) and evaluate(run)
        if improved is None:  # told to stop
            continue
        # Once due, a checkpoint waits for a state that is sound.
        due = due or improved or plan.saves(step)
        if due and (improved or finite) and checks.is_sound(run):
            run.save()
            due = False
        if plan.samples(step):
            run.sample()
    return Ending.DONE


def goes_on(run: Run) -> bool:
    """Whether there is another step."""
    return run.state.step < run.plan.total_steps and not checks.ran_out_of_patience(run)


def stop_wanted(run: Run) -> Stop | None:
    """A request to stop, seen by all processes before the same step."""
    choices = (None, Stop.SAVE, Stop.DISCARD)
    own = run.stop.wanted() if run.processes.main else None
    return choices[run.processes.agreed(choices.index(own))]
