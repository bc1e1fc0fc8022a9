"""A decoder's score is read where stock transformers reads it, also where texts end in padding."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.tiny_model import END_OF_TEXT, TURN_END, build_tiny_model
from tests.training_engine.objectives.rows import record, spec_for, write_records
from tests.training_engine.serve.conftest import PEFT_WARNING
from tests.training_engine.specs import run_here
from training_engine.contract.choices import Head, Objective
from training_engine.contract.names import ExitCode
from training_engine.devices import Placement
from training_engine.models import attention, load
from training_engine.models.forward import Scorer
from training_engine.models.heads import scores_packed, set_padding
from training_engine.serve.classifier import row_of

END = 258
KNOBS = {"max_steps": 2, "evaluation_fraction": 0}
# Each turn ends with the token that ends answers, and nothing comes after it.
TURNS = "{% for m in messages %}{{ m['content'] + '<|im_end|>' }}{% endfor %}"


def padded_with(folder: Path, token: str | None) -> Path:
    """The tiny decoder, whose tokenizer fills up with `token`, or with none."""
    build_tiny_model(folder)
    for name, key, value in (
        ("tokenizer_config.json", "pad_token", token),
        ("config.json", "pad_token_id", END if token == TURN_END else None),
    ):
        path = folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    return folder


def rows(objective: Objective) -> list[dict[str, Any]]:
    found = [record(objective, i) for i in range(12)]
    if objective is Objective.CLASSIFY:
        found = [row | {"text": row["text"] + TURN_END * (i % 3)} for i, row in enumerate(found)]
    return found


def stock(output: Path, model: Path) -> tuple[Any, Any]:
    """Tokenizer and model of a result, as anybody loads them."""
    from peft import PeftModel
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(output)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    adapter = (output / "adapter_config.json").is_file()
    config = json.loads((output / "config.json").read_text())
    labels = {int(i): name for i, name in config["id2label"].items()}
    found = AutoModelForSequenceClassification.from_pretrained(
        model if adapter else output,
        id2label=labels,
        label2id={name: i for i, name in labels.items()},
        pad_token_id=config["pad_token_id"],
    )
    if adapter:
        found = PeftModel.from_pretrained(found, output)
    return tokenizer, found.eval()


@pytest.mark.filterwarnings(PEFT_WARNING)
@pytest.mark.parametrize("padding", [TURN_END, None])
@pytest.mark.parametrize(
    ("objective", "method"),
    [(Objective.CLASSIFY, "lora"), (Objective.CLASSIFY, "full"), (Objective.REWARD, "full")],
)
def test_texts_that_end_with_what_fills_up(
    tmp_path: Path, objective: Objective, method: str, padding: str | None
) -> None:
    model = padded_with(tmp_path / "model", padding)
    data = write_records(tmp_path / "rows.jsonl", rows(objective))
    template = {"chat_template": TURNS} if objective is Objective.REWARD else {}
    spec = spec_for(objective, data, model, KNOBS, method=method, **template)
    outcome = run_here(tmp_path / "run", spec)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    output = outcome.run_dir / "output"
    assert json.loads((output / "certificate.json").read_text())["passed"] is True

    tokenizer, served = stock(output, model)
    assert served.config.pad_token_id == tokenizer.pad_token_id == END
    texts = ["Ada wears a red hat", f"Bo wears a blue hat{TURN_END}", f"Cem{TURN_END}{TURN_END}"]
    with torch.inference_mode():
        together = served(**tokenizer(texts, padding=True, return_tensors="pt")).logits
        alone = [served(**tokenizer([text], return_tensors="pt")).logits[0] for text in texts]
    assert torch.allclose(together, torch.stack(alone), atol=1e-5)


def scores(folder: Path, texts: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Of texts in one row as training reads them, and of each alone by the stock model."""
    place = Placement(torch.device("cpu"), torch.float32, "a test")
    model: Any = load.load_stock(folder, place, Head.SEQUENCE_CLASSIFICATION, "sdpa", num_labels=3)
    torch.nn.init.normal_(model.score.weight)
    model.eval()
    set_padding(model, load.load_tokenizer(folder))
    with torch.inference_mode():
        wanted = torch.cat([model(input_ids=torch.tensor([text])).logits for text in texts])
        assert scores_packed(model)
        load.set_attention(model, attention.NAME)
        return Scorer(model, packed=True).scores(row_of(texts, model.device)), wanted


@pytest.mark.parametrize("padding", [TURN_END, END_OF_TEXT, None])
def test_the_token_that_is_read(tmp_path: Path, padding: str | None) -> None:
    texts = [[5, 6, 7], [5, END, 8, END, END], [END, END], [9, END], [1]]
    found, wanted = scores(padded_with(tmp_path / "model", padding), texts)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert not torch.allclose(wanted[1], wanted[3])
