"""Metrics and progress of a run, as events and as lines of its log."""

from typing import Any

from training_engine import devices
from training_engine.compute import Measured
from training_engine.run import Run


def where(run: Run) -> dict[str, Any]:
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


def step(
    run: Run, measured: Measured, rate: float, norm: float, speed: float, *, at_once: bool
) -> None:
    """A step: `rate` is the learning rate, `norm` the gradient's, `speed` in tokens per second.

    Progress tells the speed of the last steps together: rows of other lengths make single ones
    differ.
    """
    facts = where(run)
    shown = [
        f"step {run.state.step}/{run.plan.total_steps}",
        f"loss {measured.loss:.4f}",
        *_shown(measured.metrics),
        f"lr {rate:.2e}",
        f"grad {norm:.3f}",
        f"{speed:.0f} tokens/s",
    ]
    if (eta := facts["eta_s"]) is not None:
        shown.append(f"{int(eta // 60)}:{int(eta % 60):02d} left")
    values = {"loss": measured.loss, **measured.metrics}
    values |= {"learning_rate": rate, "grad_norm": norm, "tokens_per_s": speed}
    run.reporter.metrics(run.state.step, run.plan.epoch(run.state.position), values, shown)
    if at_once or run.reporter.progress_due():  # not at every step: it looks at all threads
        shared = run.processes.count > 1
        facts["peak_memory_bytes"] = devices.peak_so_far(run.placement.device, shared=shared)
        run.reporter.progress(at_once=True, tokens_per_s=run.pace.tokens_per_s, **facts)


def evaluation(run: Run, measured: Measured) -> None:
    """What was measured on held-out rows."""
    found = {"loss": measured.loss, **measured.metrics}
    values = {f"eval_{name}": value for name, value in found.items()}
    shown = [f"step {run.state.step}/{run.plan.total_steps}", f"eval_loss {measured.loss:.4f}"]
    shown += _shown({f"eval_{name}": value for name, value in measured.metrics.items()})
    run.reporter.metrics(run.state.step, run.plan.epoch(run.state.position), values, shown)


def _shown(metrics: dict[str, float]) -> list[str]:
    return [f"{name} {value:.4g}" for name, value in metrics.items()]
