"""An export counts only when it was loaded again and computes what was trained.

The trained weights (the base with its adapter, as the trainer held them) and the export, opened by
stock transformers, read the same prompts; all scores are compared, and what both answer.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch
from safetensors import safe_open
from torch import Tensor

from training_engine.contract.choices import Head
from training_engine.contract.context import context_of
from training_engine.contract.exports import GGUF_FAMILIES, ExportChecks, ExportFormat
from training_engine.contract.model_folder import (
    ADAPTER_WEIGHTS_FILE,
    CONFIG_FILE,
    read_object,
    weight_files,
)
from training_engine.contract.names import FailureCode
from training_engine.devices import Placement
from training_engine.export.adapter_folder import label_settings
from training_engine.export.source import Source
from training_engine.failures import EngineFailure
from training_engine.models import load
from training_engine.models.adapter_files import load_adapter
from training_engine.models.quantised import read_quantization
from training_engine.tuning import return_freed_memory

Look = Callable[[], None]
PROMPTS = (
    "What is the capital of France?",
    "Explain in one sentence why the sky is blue.",
    "def fibonacci(n):\n    if n < 2:\n        return 1",
    "你好，请用一句话介绍你自己。",
)
MAX_TOKENS = 192
MAX_PROMPTS = 4
ANSWER_TOKENS = 16
ANSWERS = 2
# Scores and weights may differ by this share; half precision computes less exactly.
LIMITS = {
    ExportFormat.MERGED: (0.10, None),
    ExportFormat.GGUF_F16: (0.10, 0.005),
    ExportFormat.GGUF_Q8_0: (0.10, 0.02),
    ExportFormat.GGUF_Q4_K_M: (0.75, 0.15),
}
HALF_PRECISION_MORE = 0.05
# What loading and computing take beside the weights.
MEMORY_FACTOR = 1.3


@dataclass(frozen=True)
class Answers:
    """What a model makes of the prompts: scores by prompt (positions, …) and greedy tokens."""

    scores: list[Tensor]
    greedy: list[list[int]]


class Reading(NamedTuple):
    """The prompts as token ids, and how they are computed with."""

    prompts: list[list[int]]
    head: Head
    placement: Placement


def prepare(source: Source, prompts: Sequence[str]) -> Reading:
    """Tokenise; choose the number type that fits into memory. Raises `EngineFailure`."""
    load.quiet()
    own = (source.folder / "tokenizer_config.json").is_file()
    place = source.folder if own else source.model
    tokenizer = load.load_tokenizer(place, trusted=source.trusted)
    longest = min(MAX_TOKENS, context_of(source.config()) or MAX_TOKENS)
    ids = [_ids(tokenizer, text, source.head)[:longest] for text in prompts]
    ids = [each for each in ids if each][:MAX_PROMPTS]
    return Reading(ids, source.head, _placement(source.numbers()))


def _ids(tokenizer: Any, text: str, head: Head) -> list[int]:
    if head is Head.CAUSAL_LM and tokenizer.chat_template:
        with suppress(Exception):  # a template may refuse any conversation, with any error
            turns = [{"role": "user", "content": text}]
            text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
            ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
            return ids
    plain: list[int] = tokenizer(text)["input_ids"]
    return plain


def _placement(numbers: int) -> Placement:
    available = psutil.virtual_memory().available
    for dtype in (torch.float32, torch.bfloat16):
        needed = int(numbers * dtype.itemsize * MEMORY_FACTOR)
        if needed <= available:
            return Placement(torch.device("cpu"), dtype, "An export is checked on the CPU.")
    gb = 1e9
    raise EngineFailure(
        FailureCode.HOST_OUT_OF_MEMORY,
        f"Checking the export needs {needed / gb:.1f} GB of memory and {available / gb:.1f} GB "
        "are free.",
        "Stop running tasks or close other programs, then export again.",
    )


def trained(source: Source, reading: Reading, look: Look) -> Answers:
    """What the trained weights compute."""
    placement, head = reading.placement, reading.head
    options: dict[str, Any] = {}
    quantization = None
    if source.base is not None:
        quantization = read_quantization(source.folder)
        if head is Head.SEQUENCE_CLASSIFICATION:
            options = label_settings(source.folder)
    model = load.load_stock(
        source.model,
        placement,
        head,
        load.STOCK_ATTENTION,
        quantization=quantization,
        trusted_code_sha256=source.trusted_code_sha256,
        **options,
    )
    if source.base is not None:
        if not (source.folder / ADAPTER_WEIGHTS_FILE).is_file():
            raise EngineFailure(
                FailureCode.MODEL_NOT_FOUND,
                "The weights of the adapter are no longer there.",
                "Run the task again.",
            )
        load_adapter(model, source.folder)
    return _answers(model, reading, look)


def exported_folder(folder: Path, reading: Reading, look: Look, source: Source) -> Answers:
    """What a plain model folder computes."""
    model = load.load_stock(
        folder,
        reading.placement,
        reading.head,
        load.STOCK_ATTENTION,
        trusted_code_sha256=source.trusted_code_sha256,
    )
    return _answers(model, reading, look)


def exported_gguf(file: Path, plain: Path, reading: Reading, look: Look) -> tuple[Answers, float]:
    """What a GGUF file computes, and how far its worst matrix is from the one in `plain`."""
    from transformers import AutoConfig, AutoModelForCausalLM, GgufConfig

    # Sizes from the plain folder: transformers does not read all of them from the file. Mistral's
    # are Llama's, under whose name it stands in the file.
    sizes = read_object(plain / CONFIG_FILE)
    config = AutoConfig.for_model(**{**sizes, "model_type": GGUF_FAMILIES[sizes["model_type"]]})
    model = AutoModelForCausalLM.from_pretrained(
        file.parent,
        gguf_file=file.name,
        config=config,
        quantization_config=GgufConfig(dequantize=True),
        dtype=reading.placement.dtype,
        local_files_only=True,
    )
    look()
    return _answers(model, reading, look), _weight_error(model, plain, look)


def _weight_error(model: Any, plain: Path, look: Look) -> float:
    """The largest share by which a tensor of the model differs from the stored one."""
    loaded = model.state_dict()
    worst = 0.0
    for path in weight_files(plain):
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                look()
                if key not in loaded:
                    continue
                stored = file.get_tensor(key).float()
                found = loaded[key].float()
                if found.shape != stored.shape:
                    return float("inf")
                size = stored.norm().clamp(min=1e-12)
                worst = max(worst, float((found - stored).norm() / size))
    return worst


def _answers(model: Any, reading: Reading, look: Look) -> Answers:
    with torch.inference_mode():
        found = _read(model.eval(), reading, look)
    return_freed_memory()
    return found


def _read(model: Any, reading: Reading, look: Look) -> Answers:
    scores: list[Tensor] = []
    greedy: list[list[int]] = []
    for ids in reading.prompts:
        look()
        tokens = torch.tensor([ids])
        if reading.head is Head.SEQ2SEQ_LM:
            start = model.config.decoder_start_token_id or 0
            begun = torch.tensor([[start, *ids[:8]]])
            scores.append(model(input_ids=tokens, decoder_input_ids=begun).logits[0].float())
        else:
            scores.append(model(input_ids=tokens).logits[0].float())
    if reading.head is Head.CAUSAL_LM:
        greedy = [_greedy(model, ids, look) for ids in reading.prompts[:ANSWERS]]
    return Answers(scores, greedy)


def _greedy(model: Any, ids: list[int], look: Look) -> list[int]:
    found: list[int] = []
    tokens, cache = torch.tensor([ids]), None
    for _ in range(ANSWER_TOKENS):
        look()
        out = model(input_ids=tokens, past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        found.append(int(out.logits[0, -1].argmax()))
        tokens = torch.tensor([found[-1:]])
    return found


def compare(
    wanted: Answers,
    found: Answers,
    format: ExportFormat,
    dtype: torch.dtype,
    weight_error: float | None = None,
) -> ExportChecks:
    """How far two models are apart; raises `EngineFailure` for more than the format may lose."""
    a = torch.cat([scores.reshape(-1, scores.shape[-1]) for scores in wanted.scores])
    b = torch.cat([scores.reshape(-1, scores.shape[-1]) for scores in found.scores])
    limit, weight_limit = LIMITS[format]
    if dtype != torch.float32:
        limit += HALF_PRECISION_MORE
    if found.greedy:  # what is added to all scores of a position alike changes no probability
        a, b = a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True)
    checks = ExportChecks(
        prompts=len(wanted.scores),
        positions=len(a),
        max_logit_difference=_number((a - b).abs().max()),
        relative_error=_number((a - b).norm() / a.norm().clamp(min=1e-9)),
        limit=limit,
        top1_agreement=_number((a.argmax(-1) == b.argmax(-1)).float().mean()),
        weight_error=weight_error,
        weight_limit=weight_limit,
        same_answers=sum(x == y for x, y in zip(wanted.greedy, found.greedy, strict=True)),
        answers=len(wanted.greedy),
    )
    scores_off = not checks.relative_error <= limit
    weights_off = weight_error is not None and weight_limit is not None
    if scores_off or (weights_off and not weight_error <= weight_limit):  # type: ignore[operator]
        raise _differs(checks)
    return checks


def _number(value: Tensor) -> float:
    return round(float(value), 6)


def _differs(checks: ExportChecks) -> EngineFailure:
    message = (
        "The export was written and loaded again, but does not compute what was trained: its "
        f"scores are off by {checks.relative_error:.1%} ({checks.limit:.0%} are allowed)"
    )
    if checks.weight_error is not None and checks.weight_limit is not None:
        message += f", its weights by {checks.weight_error:.1%} ({checks.weight_limit:.1%})"
    hint = "Nothing was kept. Choose another format, and report the model and these numbers."
    return EngineFailure(FailureCode.CHECKPOINT_CORRUPT, f"{message}.", hint)
