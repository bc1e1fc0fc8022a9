"""The whole engine against an independent loop of stock parts: same losses, same weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training_engine.specs import greetings, make_spec, run_here, write_rows
from training_engine.data.order import SampleOrder

STEPS, BATCH, RATE = 5, 4, 1e-3


def masked(tokenizer: Any, messages: list[dict[str, Any]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and labels of a ChatML conversation, found by its special tokens alone."""
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    labels, learning = [-100] * len(ids), False
    header = tokenizer("<|im_start|>assistant\n", add_special_tokens=False)["input_ids"]
    for i, token in enumerate(ids):
        if ids[max(0, i - len(header)) : i] == header:
            learning = True
        if learning:
            labels[i] = token
        if token == tokenizer.eos_token_id:
            learning = False
    return torch.tensor([ids]), torch.tensor([labels])


def reference(
    model_dir: Path, rows: list[Any], seed: int, *, lora: bool
) -> tuple[list[float], Any]:
    """Plain transformers (and PEFT), one sample at a time, torch's own AdamW."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    model = AutoModelForCausalLM.from_pretrained(model_dir, attn_implementation="eager")
    if lora:
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(r=4, lora_alpha=32, target_modules="all-linear")
        model = get_peft_model(model, config)
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in model.named_parameters():
            if "lora_A" in name:
                with torch.no_grad():
                    torch.nn.init.kaiming_uniform_(parameter, a=5**0.5, generator=generator)
    encoded = [masked(tokenizer, messages) for messages in rows]
    order = SampleOrder(seed, [len(ids[0]) for ids, _ in encoded], BATCH)
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr=RATE, weight_decay=0.0)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        batch = [encoded[i] for i in order.take(step * BATCH, BATCH)]
        count = sum(int((labels[:, 1:] != -100).sum()) for _, labels in batch)
        total = 0.0
        for ids, labels in batch:
            logits = model(ids).logits[0, :-1].float()
            loss = torch.nn.functional.cross_entropy(logits, labels[0, 1:], reduction="sum") / count
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        losses.append(total)
    return losses, model


@pytest.mark.parametrize("method", ["lora", "full"])
def test_five_steps_equal_stock_parts(tmp_path: Path, tiny_model: Path, method: str) -> None:
    rows = greetings(26)
    knobs = {
        "max_steps": STEPS,
        "batch_size": BATCH,
        "learning_rate": RATE,
        "schedule": "constant",
        "warmup_ratio": 0,
        "evaluation_fraction": 0,
    }
    data = write_rows(tmp_path / "data.jsonl", rows)
    spec = make_spec(data, tiny_model, method=method, hyperparameters=knobs)
    outcome = run_here(tmp_path / "run", spec)
    losses, model = reference(tiny_model, rows, spec.hyperparameters.seed, lora=method == "lora")
    assert list(outcome.series("loss").values()) == pytest.approx(losses, abs=2e-5)
    output = tmp_path / "run" / "output"
    if method == "lora":
        mine = load_file(output / "adapter_model.safetensors")
        stock = {n.replace(".default", ""): p for n, p in model.named_parameters() if "lora" in n}
    else:
        mine = load_file(output / "model.safetensors")
        stock = dict(model.named_parameters())
    assert set(mine) == set(stock)
    for name, value in mine.items():
        torch.testing.assert_close(value, stock[name].detach(), rtol=1e-3, atol=2e-5, msg=name)
