"""Puts a run together from its spec, and takes its result apart into files."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from training_engine import sharing
from training_engine.contract.choices import Compilation, Head, Method, Strategy, head_of
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.names import FailureCode
from training_engine.contract.spec import RunSpec
from training_engine.data.order import SampleOrder
from training_engine.data.prepare import PreparedData
from training_engine.data.reading import Reading
from training_engine.devices import Placement, on_host
from training_engine.events import Reporter
from training_engine.failures import EngineFailure
from training_engine.models import fast, gpu, heads, load, method, positions
from training_engine.models.freeze import layer_stack
from training_engine.models.weights import TrainableWeights
from training_engine.objectives import recipe_of
from training_engine.plan import Plan, at_once, make
from training_engine.run import Run
from training_engine.start import Start


@dataclass(frozen=True)
class Loaded:
    """A model with its head. `packed`: rows keep their texts apart; `alone`: every row is one."""

    model: Any
    packed: bool
    alone: bool


def build(start: Start, data: PreparedData, reading: Reading) -> Run:
    """Load the model, add what learns, and settle the plan; raises `EngineFailure`."""
    spec, placement, processes = start.spec, start.placement, start.processes
    knobs, reporter = spec.hyperparameters, start.reporter
    sharded = spec.distributed.strategy is Strategy.FSDP and processes.count > 1
    loaded = load_model(start, data, reading, sharded=sharded)
    model, packed, alone = loaded.model, loaded.packed, loaded.alone
    method.prepare(model, spec)
    report_layers(reporter, model, spec)
    save_memory(model, knobs, placement, reporter, sharded=sharded)
    shards = sharing.spread(model, spec, placement, processes, reporter) if sharded else None
    plan = make(knobs, data.train, data.evaluation)
    if not sharded:
        tokens = len(data.train.tokens) * plan.total_samples / plan.num_samples / processes.count
        speed_up(start, model, packed=packed, tokens=tokens)
    weights = sharing.learning(model, spec, processes, sharded=sharded)
    report_size(reporter, model, weights, spec, plan)
    forward = heads.forward_of(spec, model, packed=packed, alone=alone)
    most = at_once(knobs, model.config, placement.device, alone=alone, processes=processes.count)
    return Run(
        spec=spec,
        run_dir=start.run_dir,
        placement=placement,
        model=model,
        weights=weights,
        criterion=recipe_of(spec.objective).criterion(forward, knobs, spec.objective),
        data=data,
        order=SampleOrder(knobs.seed, data.train.lengths, knobs.batch_size),
        plan=plan,
        reporter=reporter,
        stop=start.stop,
        versions=start.versions,
        identity=start.identity,
        at_once=sharing.shared(most, processes),
        processes=processes,
        padded=not packed and head_of(spec.objective) is not Head.CAUSAL_LM,
        shards=shards,
    )


def load_model(start: Start, data: PreparedData, reading: Reading, *, sharded: bool) -> Loaded:
    """The model for these samples; raises `EngineFailure`. Says so where they are not packed."""
    spec, place, knobs = start.spec, start.placement, start.spec.hyperparameters
    model, packed = heads.load_model(spec, on_host(place) if sharded else place, reading)
    check_vocabulary(model, data)
    single = head_of(spec.objective) is Head.CAUSAL_LM
    most = positions.alike_up_to(model.config)
    apart = most is not None and most < longest_text(data)
    if apart and packed:
        packed = False
        load.set_attention(model, load.STOCK_ATTENTION)
    if apart and (knobs.packing or not single):
        start.reporter.notice(
            "warning",
            "packing_off_lengths",
            f"Samples are computed one by one: some are longer than {most} tokens, and this model "
            "places the words of longer texts in another way.",
            tokens=most,
        )
    elif not packed and knobs.packing and single:
        start.reporter.notice(
            "warning",
            "packing_off",
            "This model's attention can not be packed exactly: samples are computed one by one.",
        )
    return Loaded(model, packed, alone=apart or (single and not (packed and knobs.packing)))


def report_size(
    reporter: Reporter, model: Any, weights: TrainableWeights, spec: RunSpec, plan: Plan
) -> None:
    """A line of the log on how much learns, and for how long."""
    total = method.parameter_count(model)
    reporter.say(
        f"model {spec.model.name}: {total / 1e6:.1f} M parameters, {weights.count / 1e6:.2f} M "
        f"learn ({spec.method}); {plan.total_steps} steps of {plan.batch_size} samples"
    )


def report_layers(reporter: Reporter, model: Any, spec: RunSpec) -> None:
    """Say so when more layers were to learn than the model has."""
    if spec.method is not Method.FREEZE:
        return
    wanted, layers = spec.hyperparameters.trainable_layers, len(layer_stack(model)[1])
    if wanted > layers:
        reporter.notice(
            "warning",
            "fewer_layers",
            f"The model has {layers} layers, so all of them learn; {wanted} were asked for.",
            layers=layers,
            wanted=wanted,
        )


def save_memory(
    model: Any,
    knobs: Hyperparameters,
    placement: Placement,
    reporter: Reporter,
    *,
    sharded: bool,
) -> None:
    """Gradient checkpointing as asked for; why what saves time or memory elsewhere is left off."""
    if knobs.gradient_checkpointing and model.supports_gradient_checkpointing:
        model.activation_checkpointing_enable()
    elif knobs.gradient_checkpointing:
        left_out = "gradient_checkpointing was left off: this model can not compute layers again."
        reporter.notice("warning", "gradient_checkpointing_off", left_out)
    if placement.device.type == "cuda":
        if knobs.compile is Compilation.ON and sharded:
            left_out = "compile was left off: the layers are put together from slices."
            reporter.notice("info", "compile_off_sharded", left_out)
        return
    for name, wanted in (
        ("compile", knobs.compile is Compilation.ON),
        ("activation_offload", knobs.activation_offload),
    ):
        if wanted:
            reporter.notice(
                "info",
                "knob_for_gpus",
                f"{name} is for GPUs and was left off on {placement.device.type}.",
                knob=name,
            )


def speed_up(start: Start, model: Any, *, packed: bool, tokens: float) -> None:
    """Let the model compute with what its device is fast with, and tell what that is on a GPU.

    `tokens`: how many the run will train on.
    """
    spec, placement, reporter = start.spec, start.placement, start.reporter
    if packed:
        fast.install(model)
    if placement.device.type != "cuda":
        return
    seconds = gpu.expected_seconds(tokens, method.parameter_count(model), placement.dtype)
    forward = heads.plain_forward_of(spec, model, packed=packed)
    chosen = gpu.choose(forward, spec.hyperparameters.compile, seconds=seconds)
    for line in chosen.lines:
        reporter.say(line)
    if chosen.problem:
        left_out = f"compile was left off: {chosen.problem}"
        reporter.notice("warning", "compile_off_failed", left_out, reason=chosen.problem)


def longest_text(data: PreparedData) -> int:
    """Tokens of the longest sequence of any sample."""
    return max(end - begin for found in data.sets for begin, end in pairwise(found.bounds))


def check_vocabulary(model: Any, data: PreparedData) -> None:
    """Raise `EngineFailure` when the tokenizer gives ids that the model has no embedding for."""
    known = int(model.get_input_embeddings().weight.shape[0])
    largest = max(int(found.tokens.max()) for found in data.sets)
    if largest >= known:
        raise EngineFailure(
            FailureCode.MODEL_NOT_FOUND,
            f"The tokenizer gives token {largest}, and the model knows only {known} tokens: they "
            "do not belong together.",
            load.CHOOSE_AGAIN,
        )


def final_metrics(run: Run, best: int) -> dict[str, float | None]:
    """What the card and the last event say of the run, whose result is the step `best`."""
    state = run.state
    measured = state.kept_loss if best == state.kept_step else state.last_eval_loss
    found: dict[str, float | None] = {"loss": state.last_loss, "output_step": float(best)}
    if measured is not None:
        found |= {"eval_loss": measured, "best_step": float(state.best_step or best)}
    return found


def write_weights(folder: Path, run: Run) -> None:
    """An adapter in PEFT's form, or a whole model in transformers' form."""
    method.save(folder, run.model, run.weights, run.spec)
