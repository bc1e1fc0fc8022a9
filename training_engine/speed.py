"""How fast this computer trains, tried on a small model: what the first estimate of time rests on.

`python -m training_engine.speed` prints one line of JSON: device, number type, the operations per
second that a step of LoRA reaches here, and the seconds that a layer takes for one token, which
are the interpreter's more than the processor's. It takes seconds; whoever wants to know keeps the
answer.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import accumulate, chain, count
from statistics import median
from typing import Any

import torch

from training_engine import devices
from training_engine.contract.choices import Device
from training_engine.data.packing import PackedRow
from training_engine.duration import LORA_FLOPS
from training_engine.models import attention, fast, load
from training_engine.models.adapters import add_lora
from training_engine.models.forward import Decoder
from training_engine.tuning import FIXED, engine_variables

# As wide as the small models that are trained on such devices.
HIDDEN = {"cpu": 576, "mps": 1024, "cuda": 2048}
LAYERS, VOCABULARY, RANK = 4, 8192, 16
LENGTHS = (60, 90, 110, 120, 130, 140, 220)
# So many passes at least, and for so long: others take a processor for a second or two.
PASSES, TRIAL_S = 6, 6.0
TOKENS = 64


def trial(wish: Device = Device.AUTO) -> dict[str, str | float]:
    """Device, number type, operations per second, seconds of a layer for one token.

    The middle of a few steps each, after one that finds its kernels: a run on a processor that
    others use too is not always as fast as its fastest step.
    """
    placement = devices.choose(wish)
    device = placement.device
    model = _model(HIDDEN[device.type]).to(device, placement.dtype)
    add_lora(model, rank=RANK, alpha=2 * RANK, dropout=0.0, wanted="all-linear")
    fast.install(model)
    forward, row = Decoder(model, packed=True), _row().to(device)
    seconds = median(list(_steps(forward, row))[1:])
    inside = sum(p.numel() for n, p in model.named_parameters() if n.endswith("base_layer.weight"))
    head = model.get_output_embeddings().weight.numel()
    work = LORA_FLOPS * (inside * sum(LENGTHS) + head * row.trained_tokens)
    return {
        "device": device.type,
        "dtype": placement.dtype_name,
        "flops": work / seconds,
        "layer_s": median(list(_tokens(model))[1:]) / LAYERS,
    }


def _model(hidden: int) -> Any:
    """A Llama of a few layers with random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    attention.register()
    heads = hidden // 64
    config = LlamaConfig(
        hidden_size=hidden, intermediate_size=8 * hidden // 3, num_hidden_layers=LAYERS,
        num_attention_heads=heads, num_key_value_heads=heads, vocab_size=VOCABULARY,
        attn_implementation=attention.NAME,
    )  # fmt: skip
    config.use_cache = False
    return LlamaForCausalLM(config).train()


def _row() -> PackedRow:
    """Samples of random tokens; the second half of each is learnt."""
    total = sum(LENGTHS)
    starts = [0, *accumulate(LENGTHS)][:-1]
    spans = list(zip(starts, LENGTHS, strict=True))
    learnt = [range(start + length // 2, start + length) for start, length in spans]
    predicting = torch.tensor(list(chain.from_iterable(learnt)))
    owner = [number for number, part in enumerate(learnt) for _ in part]
    return PackedRow(
        input_ids=torch.randint(VOCABULARY, (1, total)),
        position_ids=torch.cat([torch.arange(length) for length in LENGTHS])[None],
        lengths=LENGTHS,
        predicting=predicting,
        targets=torch.randint(VOCABULARY, (len(predicting),)),
        owner=torch.tensor(owner),
        samples=tuple(range(len(LENGTHS))),
    )


def _steps(forward: Decoder, row: PackedRow) -> Iterator[float]:
    begun = time.monotonic()
    for number in count():
        if number >= PASSES and time.monotonic() - begun > TRIAL_S:
            return
        yield _step(forward, row)


def _step(forward: Decoder, row: PackedRow) -> float:
    """Seconds of a forward and a backward pass."""
    started = time.perf_counter()
    loss = forward.cross_entropy(row)
    loss.backward()
    loss.item()  # a GPU is waited for
    return time.perf_counter() - started


def _tokens(model: Any) -> Iterator[float]:
    """Seconds of one token each, as answers are written: layer by layer, nothing in one row."""
    load.set_attention(model, load.STOCK_ATTENTION)
    model.eval()
    token = torch.zeros((1, 1), dtype=torch.long, device=model.device)
    with torch.inference_mode():
        for _ in range(TOKENS):
            started = time.perf_counter()
            model(input_ids=token).logits.cpu()  # a GPU is waited for
            yield time.perf_counter() - started


def main() -> None:
    """Print what was found; begun anew where the environment is not that of a run."""
    if not FIXED.keys() <= os.environ.keys():
        argv = [sys.executable, "-m", "training_engine.speed"]
        os.execve(sys.executable, argv, {**engine_variables(), **os.environ})  # noqa: S606
    sys.stdout.write(json.dumps(trial()) + "\n")


if __name__ == "__main__":
    main()
