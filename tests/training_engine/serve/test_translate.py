"""Encoder–decoders in the worker: greedy outputs are those of stock generate and PEFT."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from tests.tiny_model import build_tiny_tokenizer
from tests.training_engine.objectives.models import SIZES
from tests.training_engine.serve.conftest import PEFT_WARNING
from tests.training_engine.serve.tuned import Tuned, tune
from tests.training_engine.serve.worker import Worker
from training_engine.contract.choices import Objective

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """A T5 with an adapter from a run."""
    return tune(tmp_path_factory.mktemp("t5"), "t5", Objective.SEQ2SEQ)


@pytest.fixture(scope="module")
def bart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A family with learnt positions, forced tokens, and rules about repetition."""
    from transformers import BartConfig, BartForConditionalGeneration

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "bart"
    sizes = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in {"layers": 2, "ffn_dim": 32, "attention_heads": 2}.items()
    }
    config = BartConfig(
        d_model=32, max_position_embeddings=96, decoder_start_token_id=258, init_std=0.3,
        **sizes, **SIZES,
    )  # fmt: skip
    model = BartForConditionalGeneration(config)
    rules = {
        "forced_bos_token_id": 65, "forced_eos_token_id": 258, "no_repeat_ngram_size": 2,
        "min_length": 4, "bad_words_ids": [[256], [70]], "num_beams": 4,
    }  # fmt: skip
    model.generation_config.update(**rules)
    model.save_pretrained(folder)
    return build_tiny_tokenizer(folder)


def stock(folder: Path, adapter: Path | None, text: str, tokens: int, dtype: str) -> list[int]:
    torch.set_num_threads(1)  # as in the worker of these tests
    model: Any = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter)
    inputs = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    with torch.inference_mode():
        out = model.eval().generate(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"],
            max_new_tokens=tokens, do_sample=False, num_beams=1,
        )  # fmt: skip
    ids: list[int] = out[0, 1:].tolist()
    return ids


def check(worker: Worker, folder: Path, adapter: Path | None, text: str, tokens: int) -> str:
    dtype = worker.wait_ready()["dtype"]
    wanted = stock(folder, adapter, text, tokens, dtype)
    options = {} if adapter is None else {"adapter_path": adapter}
    told, done = worker.answer(folder, text, max_new_tokens=tokens, **options)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert told == tokenizer.decode(wanted, skip_special_tokens=True)
    assert done["completion_tokens"] == len(wanted)
    return told


@pytest.mark.parametrize("text", ["I am Ada 3.", "写一首关于雨的诗。", "1 2 3\n\n4"])
def test_base_and_adapter(worker: Worker, translator: Tuned, text: str) -> None:
    base = check(worker, translator.model, None, text, 24)
    tuned = check(worker, translator.model, translator.adapter, text, 24)
    assert base != tuned
    assert worker.answer(translator.model, text, max_new_tokens=24)[0] == base


@pytest.mark.parametrize("tokens", [6, 30])
def test_the_rules_of_a_models_own_configuration(worker: Worker, bart: Path, tokens: int) -> None:
    told = check(worker, bart, None, "Hello world", tokens)
    assert told.startswith("A")


def test_all_that_was_said_is_the_source(worker: Worker, translator: Tuned) -> None:
    body: dict[str, Any] = {
        **translator.paths,
        "max_new_tokens": 16,
        "messages": [
            {"role": "system", "content": "Translate."},
            {"role": "user", "content": "I am Ada."},
        ],
    }
    with worker.client.stream("POST", "/generate", json=body) as response:
        *tokens, done = [json.loads(line) for line in response.iter_lines()]
    joined = worker.answer(
        translator.model, "Translate.\n\nI am Ada.", max_new_tokens=16,
        adapter_path=translator.adapter,
    )  # fmt: skip
    assert ("".join(t["text"] for t in tokens), done["prompt_tokens"]) == (
        joined[0],
        joined[1]["prompt_tokens"],
    )


def test_a_source_that_does_not_fit_is_refused(worker: Worker, bart: Path) -> None:
    items = worker.items(bart, "x" * 200)
    assert items[-1]["code"] == "prompt_too_long"
    assert "96" in items[-1]["message"]
    assert worker.items(bart, " ")[-1]["code"] == "bad_conversation"


def test_the_room_of_the_decoder_ends_the_output(
    worker: Worker, bart: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(bart, tmp_path / "endless")
    (folder / "generation_config.json").write_text(
        json.dumps({"decoder_start_token_id": 258, "eos_token_id": 258, "pad_token_id": 256,
                    "min_length": 500})
    )  # fmt: skip
    _, done = worker.answer(folder, "Hello", max_new_tokens=500)
    assert (done["finish_reason"], done["completion_tokens"]) == ("length", 95)
