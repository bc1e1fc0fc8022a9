"""Says which settings do nothing in a run: none is taken in silence."""

from training_engine.contract.choices import UNTEMPLATED, Strategy
from training_engine.contract.idle_knobs import idle_knobs, waiting_knobs
from training_engine.contract.spec import RunSpec
from training_engine.data.prepare import PreparedData
from training_engine.data.reading import Reading
from training_engine.events import Reporter
from training_engine.objectives.labels import Labels


def tell(reporter: Reporter, spec: RunSpec, data: PreparedData, reading: Reading) -> None:
    """Notices about what was set and does not matter for this objective, method or data."""
    classes = getattr(reading, "classes", None)
    kind = classes.kind if isinstance(classes, Labels) else spec.hyperparameters.label_kind
    if idle := ", ".join(idle_knobs(spec, kind)):
        reporter.notice(
            "warning", "knobs_idle", f"These settings do nothing here: {idle}.", knobs=idle
        )
    waiting = [] if data.evaluation is not None else waiting_knobs(spec)
    if waiting:
        names = ", ".join(waiting)
        reporter.notice(
            "warning",
            "nothing_held_out",
            f"No rows are held out to measure on, so these settings do nothing: {names}.",
            knobs=names,
        )
    _tell_choices(reporter, spec)


def _tell_choices(reporter: Reporter, spec: RunSpec) -> None:
    """Notices about choices beside the hyperparameters."""
    shared = spec.distributed
    if shared.strategy is Strategy.FSDP and shared.processes == 1:
        reporter.notice(
            "warning",
            "strategy_idle",
            "One process computes this run and holds the whole model: the strategy fsdp does "
            "nothing. Ask for several processes to have the weights spread over them.",
        )
    if spec.chat_template and spec.objective in UNTEMPLATED:
        reporter.notice(
            "warning",
            "chat_template_idle",
            f"The objective {spec.objective} learns texts as they are: the chat template that was "
            "given does nothing, and is not saved with the result. Leave it out.",
            objective=spec.objective.value,
        )
