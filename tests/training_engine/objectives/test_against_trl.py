"""Losses against TRL's trainers, on the same rows and the same weights."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny_model import build_tiny_model
from tests.training_engine.objectives.rows import record
from training_engine.contract.choices import Objective
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.records import Record
from training_engine.data.chat import ChatTemplate
from training_engine.data.encode import EncodedSet, Encoder
from training_engine.data.packing import pack
from training_engine.data.records import row_of
from training_engine.models import attention, load
from training_engine.models.forward import Decoder
from training_engine.objectives import recipe_of

pytestmark = pytest.mark.filterwarnings("ignore")
ROWS = 6
END = 258
# As usual, but nothing follows the end of a turn: TRL would learn what follows too.
TEMPLATE = (
    "{% for message in messages %}{% if not loop.first %}{{ '\\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '\\n<|im_start|>assistant\\n' }}{% endif %}"
)


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_tiny_model(tmp_path_factory.mktemp("models") / "closed")
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


def stock(model_dir: Path, *, moved: bool) -> Any:
    """The tiny model; `moved`: some way from where it started, so that a reference differs."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(model_dir, attn_implementation="sdpa")
    if moved:
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.02 * torch.randn(parameter.shape, generator=generator)
    return model


def encoded(model_dir: Path, objective: Objective, knobs: Hyperparameters) -> EncodedSet:
    template = ChatTemplate(load.load_tokenizer(model_dir))
    rows = [row_of(Record.model_validate(record(objective, i)), i) for i in range(ROWS)]
    return Encoder(recipe_of(objective).reading(template, knobs), {END}).encode(rows)


def our_loss(model_dir: Path, objective: Objective, **given: Any) -> float:
    """The loss of one step over all rows, cut into rows of two samples."""
    attention.register()
    knobs = Hyperparameters(**given)
    data = encoded(model_dir, objective, knobs)
    recipe = recipe_of(objective)
    base, model = stock(model_dir, moved=False), stock(model_dir, moved=True)
    for each in (base, model):
        load.set_attention(each, attention.NAME)
    parts = [pack(data, range(i, i + 2)) for i in range(0, ROWS, 2)]
    with torch.no_grad():
        data.reference = torch.cat(
            [Decoder(base, packed=True).sequence_log_probs(part)[0] for part in parts]
        )
        parts = [pack(data, range(i, i + 2)) for i in range(0, ROWS, 2)]
        criterion = recipe.criterion(Decoder(model, packed=True), knobs, objective)
        totals = criterion.totals(data, range(ROWS))
        begins = [criterion.begin(part) for part in parts] if criterion.begins else []
        begun = {name: sum(part[name] for part in begins) for begin in begins for name in begin}
        return sum(float(criterion.loss(part, totals, begun).loss) for part in parts)


def arguments(kind: Any, folder: Path, **more: Any) -> Any:
    return kind(
        output_dir=str(folder),
        per_device_train_batch_size=ROWS,
        report_to=[],
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        disable_tqdm=True,
        **more,
    )


def rows_of(objective: Objective) -> Any:
    """The rows as TRL names their columns."""
    from datasets import Dataset

    found = []
    for i in range(ROWS):
        row = record(objective, i)
        if objective is Objective.SFT:
            found.append({"prompt": row["messages"][:-1], "completion": row["messages"][-1:]})
        elif objective is Objective.KTO:
            found.append(
                {
                    "prompt": row["messages"][:-1],
                    "completion": row["messages"][-1:],
                    "label": row["label"],
                }
            )
        else:
            pair = {name: row[name] for name in ("chosen", "rejected")}
            found.append({"prompt": row["messages"], **pair})
    return Dataset.from_list(found)


def first_loss(trainer: Any) -> float:
    """The loss of the trainer's first batch, which holds every row."""
    batch = next(iter(trainer.get_train_dataloader()))
    with torch.no_grad():
        return float(trainer.compute_loss(trainer.model, batch))


def tokenizer_of(model_dir: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model_dir)


def test_sft(tmp_path: Path, model_dir: Path) -> None:
    from trl import SFTConfig, SFTTrainer

    trainer = SFTTrainer(
        stock(model_dir, moved=True),
        arguments(SFTConfig, tmp_path, max_length=None),
        train_dataset=rows_of(Objective.SFT),
        processing_class=tokenizer_of(model_dir),
    )
    theirs, ours = first_loss(trainer), our_loss(model_dir, Objective.SFT)
    assert ours == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize(
    ("objective", "loss_type"), [(Objective.DPO, "sigmoid"), (Objective.IPO, "ipo")]
)
def test_dpo_and_ipo(tmp_path: Path, model_dir: Path, objective: Objective, loss_type: str) -> None:
    from trl import DPOConfig, DPOTrainer

    trainer = DPOTrainer(
        stock(model_dir, moved=True),
        stock(model_dir, moved=False),
        arguments(DPOConfig, tmp_path, beta=0.3, loss_type=[loss_type], max_length=None),
        train_dataset=rows_of(objective),
        processing_class=tokenizer_of(model_dir),
    )
    theirs, ours = first_loss(trainer), our_loss(model_dir, objective, beta=0.3)
    assert ours == pytest.approx(theirs, rel=1e-4)
