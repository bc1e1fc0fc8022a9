"""Puts a run together from its spec, and takes its result apart into files."""

from pathlib import Path
from typing import Any

import torch

from training_engine.contract.choices import head_of
from training_engine.contract.names import FailureCode
from training_engine.contract.spec import RunSpec
from training_engine.control import StopRequests
from training_engine.data.order import SampleOrder
from training_engine.data.prepare import PreparedData
from training_engine.data.records import listed
from training_engine.devices import Placement
from training_engine.events import Reporter
from training_engine.failures import EngineFailure
from training_engine.models import attention, load, method
from training_engine.objectives.sft import SupervisedFineTuning
from training_engine.plan import make
from training_engine.run import Run


def set_determinism(spec: RunSpec) -> None:
    """Seed everything; in deterministic mode refuse operations that vary from run to run."""
    torch.manual_seed(spec.hyperparameters.seed)
    if spec.deterministic:
        torch.use_deterministic_algorithms(True)
        # It would only fill memory that is written anyway.
        torch.utils.deterministic.fill_uninitialized_memory = False


def report_data(reporter: Reporter, data: PreparedData) -> None:
    """What was kept, cut, left out and held out: nothing happens to a row silently."""
    train, held = data.train, data.evaluation
    reporter.notice(
        "info",
        "data_ready",
        f"{len(train)} samples with {len(train.tokens)} tokens to train on, "
        f"{train.trained_tokens} of them learnt; {len(held) if held else 0} samples held out.",
        samples=len(train),
        tokens=len(train.tokens),
        trained_tokens=train.trained_tokens,
        evaluation_samples=len(held) if held else 0,
        truncated_rows=len(train.truncated_lines),
        cut_tokens=train.cut_tokens,
    )
    if train.truncated_lines:
        reporter.notice(
            "warning",
            "rows_truncated",
            f"{len(train.truncated_lines)} rows are longer than the maximum length and were cut, "
            f"by {train.cut_tokens} tokens together (line {listed(train.truncated_lines)}).",
            rows=len(train.truncated_lines),
            tokens=train.cut_tokens,
            lines=listed(train.truncated_lines),
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


def build(
    run_dir: Path,
    spec: RunSpec,
    placement: Placement,
    data: PreparedData,
    reporter: Reporter,
    stop: StopRequests,
    versions: dict[str, str],
) -> Run:
    """Load the model, add what learns, and settle the plan; raises `EngineFailure`."""
    knobs = spec.hyperparameters
    model = load.load_stock(
        Path(spec.model.path),
        placement,
        head_of(spec.objective),
        attention.NAME,
        quantization=method.quantization_of(spec),
        trusted_code_sha256=spec.model.trusted_code_sha256,
    )
    check_vocabulary(model, data)
    packed = load.packing_works(model)
    if not packed:
        load.set_attention(model, "sdpa")
    if not packed and knobs.packing:
        reporter.notice(
            "warning",
            "packing_off",
            "This model's attention can not be packed exactly: samples are computed one by one.",
        )
    method.prepare(model, spec)
    weights = method.trainable_weights(model, knobs)
    plan = make(knobs, data.train, model.config, placement.device)
    total = method.parameter_count(model)
    reporter.say(
        f"model {spec.model.name}: {total / 1e6:.1f} M parameters, {weights.count / 1e6:.2f} M "
        f"learn ({spec.method}); {plan.total_steps} steps of {plan.batch_size} samples"
    )
    return Run(
        spec=spec,
        run_dir=run_dir,
        placement=placement,
        model=model,
        weights=weights,
        objective=SupervisedFineTuning(model, packed=packed),
        train=data.train,
        evaluation=data.evaluation,
        order=SampleOrder(knobs.seed, len(data.train)),
        plan=plan,
        reporter=reporter,
        stop=stop,
        versions=versions,
        packed=packed and knobs.packing,
    )


def check_vocabulary(model: Any, data: PreparedData) -> None:
    """Raise `EngineFailure` when the tokenizer gives ids that the model has no embedding for."""
    known = int(model.get_input_embeddings().weight.shape[0])
    sets = (data.train, data.evaluation)
    largest = max(int(found.tokens.max()) for found in sets if found is not None and len(found))
    if largest >= known:
        raise EngineFailure(
            FailureCode.MODEL_NOT_FOUND,
            f"The tokenizer gives token {largest}, and the model knows only {known} tokens: they "
            "do not belong together.",
            load.CHOOSE_AGAIN,
        )


def final_metrics(run: Run, best: int) -> dict[str, float | None]:
    """What the card and the last event say of the run."""
    state = run.state
    measured = state.best_loss if best == state.best_step else state.last_eval_loss
    found: dict[str, float | None] = {"loss": state.last_loss}
    if measured is not None:
        found |= {"eval_loss": measured, "best_step": float(best)}
    return found


def write_weights(folder: Path, run: Run) -> None:
    """An adapter in PEFT's form, or a whole model in transformers' form."""
    method.save(folder, run.model, run.weights, run.spec)
