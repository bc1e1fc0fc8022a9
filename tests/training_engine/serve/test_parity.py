"""Greedy answers are, token for token, what stock transformers and PEFT generate."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.training_engine.serve.conftest import PEFT_WARNING, make_adapter
from tests.training_engine.serve.worker import Worker
from training_engine.export.convert_starter import main as convert

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)
QUESTIONS = ["Hello", "What is the capital of France?", "写一首关于雨的诗。 😀", "1 2 3\n\n4"]


def stock(base: Path, adapter: Path | None, question: str, dtype: str) -> tuple[Any, Any, Any]:
    """Model, tokenizer and the question as the model reads it."""
    torch.set_num_threads(1)  # as in the worker of these tests
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, dtype))
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter)
    tokenizer = AutoTokenizer.from_pretrained(adapter or base)
    turns = [{"role": "user", "content": question}]
    inputs = tokenizer.apply_chat_template(
        turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    return model.eval(), tokenizer, inputs


def stock_answer(
    base: Path, adapter: Path | None, question: str, tokens: int, dtype: str
) -> tuple[list[int], str]:
    """Token ids and text of stock `generate`."""
    model, tokenizer, inputs = stock(base, adapter, question, dtype)
    with torch.inference_mode():
        out = model.generate(**inputs, max_new_tokens=tokens, do_sample=False)
    ids = out[0, inputs["input_ids"].shape[1] :].tolist()
    return ids, tokenizer.decode(ids, skip_special_tokens=True)


def check(worker: Worker, base: Path, adapter: Path | None, question: str, tokens: int) -> None:
    dtype = worker.wait_ready()["dtype"]
    ids, text = stock_answer(base, adapter, question, tokens, dtype)
    options = {} if adapter is None else {"adapter_path": adapter}
    told, done = worker.answer(base, question, max_new_tokens=tokens, **options)
    assert told == text
    assert done["completion_tokens"] == len(ids)


def is_greedy(base: Path, adapter: Path | None, question: str, told: str, dtype: str) -> bool:
    """Whether stock logits put every token of an answer first, or as near to it as two
    neighbouring bfloat16 numbers of their size are."""
    model, tokenizer, inputs = stock(base, adapter, question, dtype)
    asked = inputs["input_ids"]
    ids = tokenizer(told, add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        logits = model(input_ids=torch.cat([asked, ids], dim=1)).logits[0].float()
    logits = logits[asked.shape[1] - 1 : -1]
    behind = logits.max(dim=1).values - logits.gather(1, ids[0, :, None])[:, 0]
    return bool((behind <= logits.abs().max() * 2**-7).all())


def tokenizer_too(base: Path, adapter: Path) -> Path:
    """A run's output also holds the tokenizer."""
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(base / name, adapter / name)
    return adapter


@pytest.mark.parametrize("question", QUESTIONS)
def test_base_model(worker: Worker, tiny_model: Path, question: str) -> None:
    check(worker, tiny_model, None, question, 60)


@pytest.mark.parametrize("question", QUESTIONS)
def test_adapter(worker: Worker, tiny_model: Path, adapter: Path, question: str) -> None:
    check(worker, tiny_model, tokenizer_too(tiny_model, adapter), question, 60)


def test_base_and_adapter_in_turn_do_not_disturb_each_other(
    worker: Worker, tiny_model: Path, adapter: Path
) -> None:
    first = worker.answer(tiny_model, "Hello")[0]
    tuned = worker.answer(tiny_model, "Hello", adapter_path=adapter)[0]
    assert worker.answer(tiny_model, "Hello")[0] == first
    assert worker.answer(tiny_model, "Hello", adapter_path=adapter)[0] == tuned
    assert tuned != first


def test_repetition_penalty_of_the_model_is_used(
    worker: Worker, tiny_model: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "penalised")
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"repetition_penalty": 1.4}))
    check(worker, folder, None, "Hello", 40)
    plain = worker.answer(tiny_model, "Hello", max_new_tokens=40)[0]
    assert worker.answer(folder, "Hello", max_new_tokens=40)[0] != plain
    overruled = worker.answer(folder, "Hello", max_new_tokens=40, repetition_penalty=1)[0]
    assert overruled == plain


def test_every_end_token_of_the_model_stops(
    worker: Worker, tiny_model: Path, tmp_path: Path
) -> None:
    dtype = worker.wait_ready()["dtype"]
    ids, _ = stock_answer(tiny_model, None, "Hello", 40, dtype)
    end = next(token for token in ids[3:] if token not in ids[:3])
    folder = shutil.copytree(tiny_model, tmp_path / "ending")
    path = folder / "generation_config.json"
    path.write_text(json.dumps({"eos_token_id": [258, end], "pad_token_id": 256}))
    _, done = worker.answer(folder, "Hello", max_new_tokens=40)
    assert done["finish_reason"] == "stop"
    assert done["completion_tokens"] == ids.index(end) + 1


@pytest.mark.long
def test_the_real_starter_with_an_adapter(worker: Worker, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (run_dir / "spec.json").write_text(json.dumps({"kind": "convert_starter", "run_id": "r"}))
    assert convert([str(run_dir)]) == 0
    base = run_dir / "output"
    # Mild: an adapter this size changes answers and leaves them language.
    adapter = make_adapter(base, tmp_path / "adapter", spread=0.04)
    tokenizer_too(base, adapter)
    dtype = worker.wait_ready()["dtype"]
    for question in ("What is the capital of France?", "Explain how rain forms."):
        for path in (None, adapter):
            # Not compared with a text: in bfloat16 near ties go either way.
            options = {} if path is None else {"adapter_path": path}
            told = worker.answer(base, question, max_new_tokens=60, **options)[0]
            assert is_greedy(base, path, question, told, dtype)
    assert not is_greedy(base, None, question, told, dtype)  # this one is the adapter's
