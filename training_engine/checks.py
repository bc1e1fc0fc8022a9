"""What is looked at in every step, so that nothing silly goes on for long."""

from collections.abc import Sequence

from training_engine.contract.names import FailureCode
from training_engine.failures import EngineFailure
from training_engine.run import Run

NON_FINITE_STEPS = 3


def check_first_step(run: Run, samples: Sequence[int], norm: float) -> None:
    """Every adapter must receive a gradient, or the run would learn nothing and look healthy.

    The first step counts whose samples have a weight: judged answers of one kind may have none.
    """
    if run.state.checked or not _weighs(run, samples):
        return
    silent = [
        name
        for name, gradient in run.weights.gradients.items()
        # A is silent as long as B is zero; layers of experts may not have been asked.
        if not name.endswith("lora_a") and "expert" not in name and not bool(gradient.any())
    ]
    adapters = any(name.endswith("lora_b") for name in silent)
    if norm > 0 and not adapters:
        run.state.checked = True
        return
    raise EngineFailure(
        FailureCode.INTERNAL,
        "The first step gave no gradient"
        + (f" to {len(silent)} layers, {silent[0]} among them." if norm > 0 else "."),
        "This model can not be trained with this method; try full tuning or another model.",
    )


def _weighs(run: Run, samples: Sequence[int]) -> bool:
    criterion, data = run.criterion, run.data.train
    if criterion.weighs(data, samples):
        return True
    if criterion.weighs(data, range(len(data))):
        return False
    raise EngineFailure(
        FailureCode.BAD_SPEC,
        "All answers are of the kind whose weight is 0: there is nothing to learn from.",
        "Give desirable_weight and undesirable_weight values above 0, or add answers of the other "
        "kind.",
        {"field": "hyperparameters.desirable_weight"},
    )


def note_non_finite(run: Run, step: int) -> None:
    """A loss or gradient that is no number: the update is left out, the third ends the run."""
    run.state.non_finite += 1
    count = run.state.non_finite
    run.reporter.notice(
        "warning",
        "non_finite_loss",
        f"Loss or gradient of step {step} is not a finite number; its update was left out. If more "
        "steps follow, lower the learning rate, or choose float32.",
        step=step,
    )
    if count >= NON_FINITE_STEPS:
        # Before any update the learning rate can not be the reason.
        hint = (
            "The model's weights or the number type are at fault: choose float32, or add the model "
            "again."
            if count == step
            else "Lower the learning rate, then restart"
            + ("; the last checkpoint is sound." if run.saved else ".")
        )
        raise EngineFailure(
            FailureCode.NAN_LOSS,
            f"The loss was not a finite number in {count} steps in a row, up to step {step}.",
            hint,
            {"step": step},
        )


def is_sound(run: Run) -> bool:
    """Whether the present state is worth a checkpoint, which others would be deleted for."""
    step, sound = run.state.step, run.state.sound and run.weights.finite()
    if not sound:
        run.reporter.notice(
            "warning",
            "state_not_saved",
            f"No checkpoint of step {step} is written: its held-out loss or its weights are not "
            "finite numbers. If this goes on, stop the run and start it again with a lower "
            "learning rate.",
            step=step,
        )
    return sound


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
