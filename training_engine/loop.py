"""The training loop: accumulate, step, schedule, evaluate, checkpoint, stop.

The loss of a step is the sum of its tokens' losses over the number of its trained tokens, however
it is cut into micro-batches.
"""

import math
import time
from collections.abc import Iterator, Sequence
from enum import Enum

import torch

from training_engine.contract.names import FailureCode, Phase
from training_engine.control import Stop
from training_engine.data.encode import EncodedSet
from training_engine.data.packing import PackedRow, pack, split
from training_engine.failures import EngineFailure
from training_engine.run import Run
from training_engine.schedule import learning_rate
from training_engine.tuning import return_freed_memory

NON_FINITE_STEPS = 3


class Ending(Enum):
    """Why the loop ended."""

    DONE = "done"
    STOPPED = "stopped"


def train(run: Run) -> Ending:
    """Train from the run's present state to its end; raises `EngineFailure`."""
    state, plan, knobs = run.state, run.plan, run.spec.hyperparameters
    if state.step == 0:
        evaluate(run)
    first, non_finite = state.step + 1, 0
    run.model.train()
    while state.step < plan.total_steps:
        if stop := run.stop.wanted():
            if stop is Stop.SAVE and state.step not in run.saved and state.step > 0:
                run.save()
            return Ending.STOPPED
        started = time.perf_counter()
        step = state.step + 1
        samples = run.order.take(
            state.position, min(plan.batch_size, plan.total_samples - state.position)
        )
        run.weights.zero_gradients()
        loss = accumulate(run, list(rows_of(run, run.train, samples)))
        norm = run.weights.clip(knobs.max_grad_norm)
        rate = learning_rate(knobs, step, plan.total_steps)
        if math.isfinite(loss) and math.isfinite(norm):
            if step - non_finite == 1:  # the first update of this run and those it continues
                check_first_step(run, norm)
            non_finite = 0
            run.weights.step(rate)
        else:
            non_finite += 1
            note_non_finite(run, step, non_finite)
        state.step, state.position = step, state.position + len(samples)
        state.last_loss = loss
        run.ledger.append(samples)
        seconds = time.perf_counter() - started
        run.pace.step(seconds)
        tokens = sum(run.train.length(sample) for sample in samples)
        report(run, loss, rate, norm, tokens / seconds, at_once=step == first)
        improved = plan.evaluates(step) and evaluate(run)
        if (plan.saves(step) or improved) and not non_finite:
            run.save()
        if ran_out_of_patience(run):
            return Ending.DONE
    return Ending.DONE


def rows_of(run: Run, data: EncodedSet, samples: Sequence[int]) -> Iterator[PackedRow]:
    """The samples as packed rows that fit, one at a time; one sample each when packing is off."""
    most = run.plan.max_samples if run.packed else 1
    parts = split(data, samples, max_samples=most, max_tokens=run.plan.max_tokens)
    for part in parts:
        yield pack(data, part).to(run.placement.device)


def accumulate(run: Run, rows: list[PackedRow]) -> float:
    """Forward and backward over a step's rows; returns the mean loss of its trained tokens."""
    tokens = sum(row.trained_tokens for row in rows)
    total = torch.zeros((), device=run.placement.device)
    for row in rows:
        loss = run.objective.loss(row) / tokens
        loss.backward()
        total += loss.detach()  # read once at the end: a GPU is not waited for in between
    return float(total)


def evaluate(run: Run) -> bool:
    """Mean loss over the held-out tokens, reported; True when it is the best after training."""
    if run.evaluation is None:
        return False
    state, started = run.state, time.perf_counter()
    run.reporter.phase(
        Phase.EVALUATING, "Measuring on held-out rows", **where(run), tokens_per_s=None
    )
    # Rows of ever new lengths leave holes between the blocks of memory; this closes them.
    return_freed_memory()
    run.model.eval()
    total, tokens = 0.0, 0
    for row in rows_of(run, run.evaluation, range(len(run.evaluation))):
        total += run.objective.evaluate(row)
        tokens += row.trained_tokens
    loss = total / tokens
    run.model.train()
    run.pace.evaluation(time.perf_counter() - started)
    state.last_eval_loss = loss if math.isfinite(loss) else None
    shown = [f"step {state.step}/{run.plan.total_steps}", f"eval_loss {loss:.4f}"]
    epoch = run.plan.epoch(state.position)
    run.reporter.metrics(state.step, epoch, {"eval_loss": loss}, shown)
    if state.step == 0:
        return False
    if math.isfinite(loss) and (state.best_loss is None or loss < state.best_loss):
        state.best_step, state.best_loss = state.step, loss
        state.evaluations_without_gain = 0
        return True
    state.evaluations_without_gain += 1
    return False


def ran_out_of_patience(run: Run) -> bool:
    """Whether early stopping ends the run now."""
    patience, state = run.spec.hyperparameters.early_stopping_patience, run.state
    if patience is None or state.evaluations_without_gain < patience:
        return False
    run.reporter.notice(
        "info",
        "early_stopped",
        f"The held-out loss has not fallen in {patience} evaluations: training ends here.",
        patience=patience,
        best_step=state.best_step,
    )
    return True


def check_first_step(run: Run, norm: float) -> None:
    """Every adapter must receive a gradient, or the run would learn nothing and look healthy."""
    silent = [
        name
        for name, gradient in run.weights.gradients.items()
        # A is silent as long as B is zero; layers of experts may not have been asked.
        if not name.endswith("lora_a") and "expert" not in name and not bool(gradient.any())
    ]
    adapters = any(name.endswith("lora_b") for name in silent)
    if norm > 0 and not adapters:
        return
    raise EngineFailure(
        FailureCode.INTERNAL,
        "The first step gave no gradient"
        + (f" to {len(silent)} layers, {silent[0]} among them." if norm > 0 else "."),
        "This model can not be trained with this method; try full tuning or another model.",
    )


def note_non_finite(run: Run, step: int, count: int) -> None:
    """A loss or gradient that is no number: the update is left out, the third ends the run."""
    run.reporter.notice(
        "warning",
        "non_finite_loss",
        f"Loss or gradient of step {step} is not a finite number; its update was left out.",
        step=step,
    )
    if count >= NON_FINITE_STEPS:
        # Before any update the learning rate can not be the reason.
        hint = (
            "The model's weights or the number type are at fault: choose float32, or add the model "
            "again."
            if count == step
            else "Lower the learning rate, then restart; the last checkpoint is sound."
        )
        raise EngineFailure(
            FailureCode.NAN_LOSS,
            f"The loss was not a finite number in {count} steps in a row, up to step {step}.",
            hint,
            {"step": step},
        )


def where(run: Run) -> dict[str, float | int | None]:
    """Fields of a progress event that tell how far the run is."""
    state, plan = run.state, run.plan
    left = run.pace.eta_s(plan.total_steps - state.step, plan.evaluations_after(state.step))
    return {
        "step": state.step,
        "total_steps": plan.total_steps,
        "epoch": plan.epoch(state.position),
        "fraction": round(state.step / plan.total_steps, 4),
        "eta_s": left,
    }


def report(run: Run, loss: float, rate: float, norm: float, speed: float, *, at_once: bool) -> None:
    """Metrics and progress of a step, as events and as a line of the log."""
    facts = where(run)
    shown = [
        f"step {run.state.step}/{run.plan.total_steps}",
        f"loss {loss:.4f}",
        f"lr {rate:.2e}",
        f"grad {norm:.3f}",
        f"{speed:.0f} tokens/s",
    ]
    if (eta := facts["eta_s"]) is not None:
        shown.append(f"{int(eta // 60)}:{int(eta % 60):02d} left")
    values = {"loss": loss, "learning_rate": rate, "grad_norm": norm, "tokens_per_s": speed}
    run.reporter.metrics(run.state.step, run.plan.epoch(run.state.position), values, shown)
    run.reporter.progress(at_once=at_once, tokens_per_s=speed, **facts)
