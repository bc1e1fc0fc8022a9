"""Puts a run together from its spec, and takes its result apart into files."""

from pathlib import Path
from typing import Any

from training_engine import label_report, sharing
from training_engine.contract.choices import Compilation, Head, Strategy, head_of
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.names import FailureCode
from training_engine.data.order import SampleOrder
from training_engine.data.prepare import PreparedData
from training_engine.data.reading import Reading
from training_engine.data.records import listed
from training_engine.devices import Placement, on_host
from training_engine.events import Reporter
from training_engine.failures import EngineFailure
from training_engine.models import fast, gpu, heads, load, method
from training_engine.objectives import recipe_of
from training_engine.plan import at_once, make
from training_engine.run import Run
from training_engine.start import Start


def report_data(reporter: Reporter, data: PreparedData, reading: Reading) -> None:
    """What was kept, cut, left out and held out: nothing happens to a row silently."""
    train, held = data.train, data.evaluation
    wanted = reading.knobs.max_length
    if (longest := reading.lengths[0]) < wanted:
        reporter.notice(
            "warning",
            "context_shorter",
            f"The model reads at most {longest} tokens, so that is the longest sample, not the "
            f"{wanted} that were asked for.",
            context=longest,
            max_length=wanted,
        )
    learnt = f"{train.trained_tokens} of them learnt" if reading.form.predicts else "read whole"
    reporter.notice(
        "info",
        "data_ready",
        f"{len(train)} samples with {len(train.tokens)} tokens to train on, {learnt}; "
        f"{len(held) if held else 0} samples held out.",
        samples=len(train),
        tokens=len(train.tokens),
        trained_tokens=train.trained_tokens,
        evaluation_samples=len(held) if held else 0,
        truncated_rows=len(train.truncated_lines),
        cut_tokens=train.cut_tokens,
    )
    truncated = sorted({line for found in data.sets for line in found.truncated_lines})
    if truncated:
        cut = sum(found.cut_tokens for found in data.sets)
        answers = len({line for found in data.sets for line in found.cut_answer_lines})
        reporter.notice(
            "warning",
            "rows_truncated",
            f"{len(truncated)} rows are longer than the maximum length and were cut, by {cut} "
            f"tokens together; {answers} of them lost part of what is learnt, the others only "
            f"what comes before (line {listed(truncated)}).",
            rows=len(truncated),
            tokens=cut,
            answers=answers,
            lines=listed(truncated),
        )
    left_out = sorted({*train.left_out_lines, *(held.left_out_lines if held else ())})
    if left_out:
        reporter.notice(
            "warning",
            "rows_left_out",
            f"{len(left_out)} rows are left out: their whole answer lies beyond the maximum "
            f"length (line {listed(left_out)}).",
            rows=len(left_out),
            lines=listed(left_out),
        )
    if train.split_rows:
        reporter.notice(
            "info",
            "rows_split",
            f"The chat template rewrites earlier turns: {train.split_rows} conversations became "
            "several samples, one for each turn in the form it is generated in.",
            rows=train.split_rows,
        )
    if train.prompt_differs:
        reporter.notice(
            "warning",
            "generation_prompt_differs",
            "The chat template's generation prompt begins the answer differently from the "
            "conversations that are learnt; answers may need a chat template of your own.",
        )
    label_report.tell(reporter, train, reading)


def build(start: Start, data: PreparedData, reading: Reading) -> Run:
    """Load the model, add what learns, and settle the plan; raises `EngineFailure`."""
    spec, placement, processes = start.spec, start.placement, start.processes
    knobs, reporter = spec.hyperparameters, start.reporter
    sharded = spec.distributed.strategy is Strategy.FSDP and processes.count > 1
    model, packed = heads.load_model(spec, on_host(placement) if sharded else placement, reading)
    check_vocabulary(model, data)
    single = head_of(spec.objective) is Head.CAUSAL_LM
    if not packed and knobs.packing and single:
        reporter.notice(
            "warning",
            "packing_off",
            "This model's attention can not be packed exactly: samples are computed one by one.",
        )
    method.prepare(model, spec)
    save_memory(model, knobs, placement, reporter, sharded=sharded)
    shards = sharing.spread(model, spec, placement, processes, reporter) if sharded else None
    plan = make(knobs, data.train, data.evaluation)
    total = method.parameter_count(model)
    if not sharded:
        tokens = len(data.train.tokens) * plan.total_samples / plan.num_samples / processes.count
        seconds = gpu.expected_seconds(tokens, total, placement.dtype)
        speed_up(model, knobs, placement, reporter, packed=packed, seconds=seconds)
    weights = sharing.learning(model, spec, processes, sharded=sharded)
    reporter.say(
        f"model {spec.model.name}: {total / 1e6:.1f} M parameters, {weights.count / 1e6:.2f} M "
        f"learn ({spec.method}); {plan.total_steps} steps of {plan.batch_size} samples"
    )
    forward = heads.forward_of(spec, model, packed=packed)
    one_by_one = single and not (packed and knobs.packing)
    most = at_once(
        knobs, model.config, placement.device, alone=one_by_one, processes=processes.count
    )
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
        at_once=sharing.shared(most, processes),
        processes=processes,
        padded=not packed and not single,
        shards=shards,
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


def speed_up(
    model: Any,
    knobs: Hyperparameters,
    placement: Placement,
    reporter: Reporter,
    *,
    packed: bool,
    seconds: float,
) -> None:
    """Let the model compute with what its device is fast with, and tell what that is on a GPU."""
    if packed:
        fast.install(model)
    if placement.device.type != "cuda":
        return
    chosen = gpu.choose(model, knobs.compile, seconds=seconds, packed=packed)
    for line in chosen.lines:
        reporter.say(line)
    if chosen.problem:
        left_out = f"compile was left off: {chosen.problem}"
        reporter.notice("warning", "compile_off_failed", left_out, reason=chosen.problem)


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
