"""A model that reads more than text is refused in plain words; text models made of one are not."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tiny_model import build_tiny_model
from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import run_here
from training_engine.contract.choices import Head, Objective
from training_engine.contract.names import ExitCode, FailureCode
from training_engine.models import load
from training_engine.models.inputs import other_parts, require_text_alone

TEXT = {
    "vocab_size": 260, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 256,
    "eos_token_id": 258, "bos_token_id": 257, "max_position_embeddings": 512,
}  # fmt: skip
VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4,
    "image_size": 28, "patch_size": 14,
}  # fmt: skip


def build_tiny_gemma3(folder: Path) -> Path:
    """Gemma 3 as its larger sizes are published: with a part for images."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    build_tiny_model(folder)
    torch.manual_seed(0)
    config = Gemma3Config(text_config=TEXT, vision_config=VISION, mm_tokens_per_image=4)
    Gemma3ForConditionalGeneration(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("objective", [Objective.SFT, Objective.REWARD])
def test_a_model_that_also_reads_images_is_refused(tmp_path: Path, objective: Objective) -> None:
    model = build_tiny_gemma3(tmp_path / "model")
    data = write(tmp_path / "rows.jsonl", objective, 12)
    outcome = run_here(tmp_path / "run", spec_for(objective, data, model, {"max_steps": 2}))
    last = outcome.last
    assert (outcome.code, last.code) == (ExitCode.SPEC_REFUSED, FailureCode.BAD_SPEC)
    assert "reads more than text (it has vision_config)" in last.message
    assert "text part" in last.hint


def built(family: str, **sizes: Any) -> Any:
    from transformers import AutoConfig

    with torch.device("meta"):
        auto = load.auto_class(Head.CAUSAL_LM)
        return auto.from_config(AutoConfig.for_model(family, **sizes))


def test_the_text_part_of_a_larger_model_is_a_text_model() -> None:
    model = built("llama4", text_config={**TEXT, "num_local_experts": 2}, vision_config=VISION)
    assert "image" in model.input_modalities  # it says so all the same
    require_text_alone(model, "text")
    require_text_alone(built("llama", **TEXT), "plain")


def test_parts_within_parts_are_found() -> None:
    from transformers import AutoConfig

    assert other_parts(AutoConfig.for_model("t5gemma2")) == ["vision_config"]
    assert other_parts(AutoConfig.for_model("t5gemma")) == []
    assert other_parts(AutoConfig.for_model("dbrx")) == []
