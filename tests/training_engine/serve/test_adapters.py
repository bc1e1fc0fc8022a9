"""The adapter switch computes what stock PEFT computes, to the bit, and refuses what it can not."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from tests.training_engine.serve.conftest import PEFT_WARNING, make_adapter
from training_engine.serve.adapters import Switch, add_adapter, drop_adapter
from training_engine.serve.failures import ServeError

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)
TOKENS = torch.arange(1, 40)[None]
VARIANTS: list[dict[str, object]] = [
    {},
    {"use_rslora": True, "r": 8},
    {"target_modules": ["q_proj", "down_proj"], "lora_alpha": 3},
    {"use_dora": True, "lora_alpha": 7},
    {"rank_pattern": {"q_proj": 2, "layers.1.*.up_proj": 6}, "alpha_pattern": {"q_proj": 5}},
]


def load(folder: Path, dtype: torch.dtype) -> torch.nn.Module:
    model: torch.nn.Module = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    return model.eval()


def scores(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=TOKENS).logits
    return logits


@pytest.mark.long
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("options", VARIANTS, ids=lambda o: "-".join(o) or "plain")
def test_scores_equal_those_of_peft(
    tiny_model: Path, tmp_path: Path, options: dict[str, object], dtype: torch.dtype
) -> None:
    folder = make_adapter(tiny_model, tmp_path / "adapter", **options)
    stock = PeftModel.from_pretrained(load(tiny_model, dtype), folder).eval()
    ours, switch = load(tiny_model, dtype), Switch()
    plain = scores(ours)
    add_adapter(ours, switch, "a", folder)
    switch.active = "a"
    assert torch.equal(scores(ours), scores(stock))
    assert not torch.equal(scores(ours), plain)


def test_switching_changes_nothing_that_stays(tiny_model: Path, tmp_path: Path) -> None:
    first = make_adapter(tiny_model, tmp_path / "first")
    second = make_adapter(tiny_model, tmp_path / "second", r=8, lora_alpha=2)
    model, switch = load(tiny_model, torch.float32), Switch()
    plain = scores(model)
    add_adapter(model, switch, "first", first)
    add_adapter(model, switch, "second", second)
    seen = {}
    for name in ("first", "second", None, "first", "second", None):
        switch.active = name
        now = scores(model)
        assert torch.equal(now, seen.setdefault(name, now))
    assert torch.equal(seen[None], plain)
    drop_adapter(model, "first")
    switch.active = "first"
    assert torch.equal(scores(model), plain)


def test_bytes_are_those_of_the_factors(tiny_model: Path, adapter: Path) -> None:
    size = add_adapter(load(tiny_model, torch.float32), Switch(), "a", adapter)
    tensors = load_file(adapter / "adapter_model.safetensors")
    assert size == sum(tensor.nbytes for tensor in tensors.values())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"use_dora": True}, "adapter_mismatch"),  # without its lengths
        ({"bias": "all"}, "adapter_not_supported"),
        ({"modules_to_save": ["lm_head"]}, "adapter_not_supported"),
        ({"peft_type": "IA3"}, "adapter_not_supported"),
    ],
)
def test_other_kinds_of_adapter_are_refused(
    tiny_model: Path, adapter: Path, tmp_path: Path, change: dict[str, object], code: str
) -> None:
    folder = shutil.copytree(adapter, tmp_path / "changed")
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | change))
    with pytest.raises(ServeError) as refused:
        add_adapter(load(tiny_model, torch.float32), Switch(), "a", folder)
    assert refused.value.code == code


@pytest.mark.parametrize("damage", ["size", "missing half", "unknown layer"])
def test_an_adapter_of_another_model_is_refused(
    tiny_model: Path, adapter: Path, tmp_path: Path, damage: str
) -> None:
    folder = shutil.copytree(adapter, tmp_path / "changed")
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    key = next(name for name in tensors if "lora_A" in name)
    tensor = tensors.pop(key)
    if damage == "size":
        tensors[key] = tensor[:, :-1].contiguous()
    if damage == "unknown layer":
        tensors[key.replace("layers.0", "layers.9")] = tensor
    save_file(tensors, path)
    model = load(tiny_model, torch.float32)
    plain = scores(model)
    with pytest.raises(ServeError) as refused:
        add_adapter(model, Switch(), "a", folder)
    assert refused.value.code == "adapter_mismatch"
    assert torch.equal(scores(model), plain)
