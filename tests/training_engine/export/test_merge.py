"""A merged model computes what base and adapter compute together."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, GPT2LMHeadModel

from tests.tiny_model import build_tiny_model
from tests.training_engine.serve.conftest import PEFT_WARNING, make_adapter
from training_engine.checkpoints import verify
from training_engine.export.merge import MergeError, main, merge

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)
TOKENS = torch.arange(3, 60)[None]


def scores(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model.eval()(input_ids=TOKENS).logits
    return logits


def both(base: Path, adapter: Path, merged: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores of base plus adapter by stock PEFT, and of the merged folder by stock transformers."""
    load = AutoModelForCausalLM.from_pretrained
    together = PeftModel.from_pretrained(load(base, dtype=torch.float32), adapter)
    return scores(together), scores(load(merged, dtype=torch.float32))


def close(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    """Equal but for the rounding of fp32 sums taken in another order."""
    return bool((found - wanted).abs().max() <= 1e-4 * wanted.abs().max())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_rslora": True},
        {"use_dora": True},
        {"use_dora": True, "use_rslora": True, "target_modules": ["v_proj", "down_proj"]},
        {"alpha_pattern": {"q_proj": 3}, "r": 2},
    ],
)
def test_merged_scores_equal_those_of_base_and_adapter(
    tmp_path: Path, options: dict[str, object]
) -> None:
    base = build_tiny_model(tmp_path / "base")
    adapter = make_adapter(base, tmp_path / "adapter", **options)
    size = merge(base, adapter, tmp_path / "merged", "tuned")
    wanted, found = both(base, adapter, tmp_path / "merged")
    assert close(found, wanted)
    assert not close(found, scores(AutoModelForCausalLM.from_pretrained(base)))
    assert verify(tmp_path / "merged")["name"] == "tuned"
    assert size == sum(path.stat().st_size for path in (tmp_path / "merged").iterdir())


def test_matrices_kept_the_other_way_round(tmp_path: Path) -> None:
    base = tmp_path / "base"
    config = GPT2Config(n_embd=48, n_layer=2, n_head=4, vocab_size=260, n_positions=64)
    torch.manual_seed(0)
    GPT2LMHeadModel(config).save_pretrained(base)
    adapter = make_adapter(base, tmp_path / "adapter", fan_in_fan_out=True)
    merge(base, adapter, tmp_path / "merged", "tuned")
    wanted, found = both(base, adapter, tmp_path / "merged")
    assert close(found, wanted)


def test_sharded_weights_stay_sharded(tmp_path: Path) -> None:
    base = build_tiny_model(tmp_path / "single")
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model.save_pretrained(tmp_path / "sharded", max_shard_size="100KB")
    adapter = make_adapter(base, tmp_path / "adapter")
    merge(tmp_path / "sharded", adapter, tmp_path / "merged", "tuned")
    names = {path.name for path in (tmp_path / "merged").glob("*.safetensors*")}
    assert names == {path.name for path in (tmp_path / "sharded").glob("*.safetensors*")}
    assert len(names) > 2
    wanted, found = both(base, adapter, tmp_path / "merged")
    assert close(found, wanted)


def test_the_template_that_was_trained_with_goes_along(tmp_path: Path) -> None:
    base = build_tiny_model(tmp_path / "base")
    adapter = make_adapter(base, tmp_path / "adapter")
    (adapter / "chat_template.jinja").write_text("{{ messages[0]['content'] }}!")
    assert main([str(base), str(adapter), str(tmp_path / "merged")]) == 0
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    turns = [{"role": "user", "content": "Hi"}]
    assert tokenizer.apply_chat_template(turns, tokenize=False) == "Hi!"


@pytest.mark.parametrize("damage", ["dora", "other model", "damaged"])
def test_what_can_not_be_merged_leaves_nothing_behind(tmp_path: Path, damage: str) -> None:
    base = build_tiny_model(tmp_path / "base")
    adapter = make_adapter(base, tmp_path / "adapter")
    if damage == "dora":
        path = adapter / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"use_dora": True}))
    elif damage == "damaged":
        path = adapter / "adapter_model.safetensors"
        path.write_bytes(path.read_bytes()[:500])
    else:
        shutil.rmtree(base)
        config = GPT2Config(n_embd=48, n_layer=1, n_head=4, vocab_size=260)
        GPT2LMHeadModel(config).save_pretrained(base)
    with pytest.raises(MergeError):
        merge(base, adapter, tmp_path / "merged", "tuned")
    assert not (tmp_path / "merged").exists()
    assert not (tmp_path / ".merged").exists()
