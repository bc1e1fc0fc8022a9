"""A model that is damaged on disk, or that brings code, ends a run with the file named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.training_engine.specs import greetings, make_spec, run_here, write_rows
from training_engine.contract.names import ExitCode

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
NORM = "model.layers.1.input_layernorm.weight"


def change_config(folder: Path, file: str = "config.json", **values: Any) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def cut(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])


def cut_to_nothing(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"")


def spoil_header(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[8:16] = b"\xff" * 8
    (folder / WEIGHTS).write_bytes(content)


def lose_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    del tensors[NORM]
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def reshape_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors[NORM] = tensors[NORM][:32].copy()
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def lose_a_shard(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    first = {k: v for k, v in tensors.items() if "layers.1" not in k}
    save_file(first, folder / "model-00001-of-00002.safetensors", metadata={"format": "pt"})
    names = {k: f"model-0000{1 if k in first else 2}-of-00002.safetensors" for k in tensors}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": names}))
    (folder / WEIGHTS).unlink()


def only_pickles(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")


def code_in_config(folder: Path) -> None:
    change_config(folder, deep=[{"auto_map": {"AutoModelForCausalLM": "code.Model"}}])


def code_in_tokenizer(folder: Path) -> None:
    change_config(folder, "tokenizer_config.json", auto_map={"AutoTokenizer": ["code.T", None]})


def code_in_generation(folder: Path) -> None:
    (folder / "generation_config.json").write_text('{"a": {"auto_map": {}}}')


def config_that_is_no_json(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": ')


def config_that_is_a_list(folder: Path) -> None:
    (folder / "config.json").write_text("[]")


def config_of_wrong_types(folder: Path) -> None:
    change_config(folder, hidden_size="sixty-four")


def config_of_another_size(folder: Path) -> None:
    change_config(folder, intermediate_size=256)


def more_layers_than_stored(folder: Path) -> None:
    change_config(folder, num_hidden_layers=3)


def tokenizer_that_is_no_json(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0", "model"')


def tokenizer_that_is_none(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"version": "1.0", "model": {"type": "Unheard"}}')


def tokenizer_config_that_is_no_json(folder: Path) -> None:
    (folder / "tokenizer_config.json").write_text("{")


def tokenizer_of_another_model(folder: Path) -> None:
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    for number, token in enumerate(tokenizer["added_tokens"]):
        token["id"] = 300 + number
        tokenizer["model"]["vocab"].pop(token["content"], None)
    tokenizer["model"]["vocab"].update({f"word-{i}": i for i in range(256, 300)})
    path.write_text(json.dumps(tokenizer))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "data.jsonl", greetings(12))


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (cut, WEIGHTS),
        (cut_to_nothing, WEIGHTS),
        (spoil_header, WEIGHTS),
        (lose_a_tensor, NORM),
        (reshape_a_tensor, NORM),
        (lose_a_shard, "model-00002-of-00002.safetensors"),
        (only_pickles, "pytorch_model.bin"),
        (code_in_config, "config.json"),
        (code_in_tokenizer, "tokenizer_config.json"),
        (code_in_generation, "generation_config.json"),
        (config_that_is_no_json, "config.json"),
        (config_that_is_a_list, "config.json"),
        (config_of_wrong_types, "hidden_size"),
        (config_of_another_size, "config.json"),
        (more_layers_than_stored, "model.layers.2."),
        (tokenizer_that_is_no_json, "tokenizer.json"),
        (tokenizer_that_is_none, "tokenizer"),
        (tokenizer_config_that_is_no_json, "tokenizer_config.json"),
        (tokenizer_of_another_model, "token 302"),
    ],
)
def test_a_damaged_model_is_named_and_not_trained(
    tmp_path: Path, tiny_model: Path, data: Path, damage: Callable[[Path], None], named: str
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    damage(folder)
    outcome = run_here(tmp_path / "run", make_spec(data, folder))
    assert outcome.code == ExitCode.FAILED
    assert (outcome.last.type, outcome.last.code) == ("failed", "model_not_found")
    assert named in outcome.last.message
    assert str(tmp_path) not in outcome.last.message
    assert outcome.last.hint.endswith(".")
    assert not (tmp_path / "run" / "output").exists()


def test_shards_that_are_all_there_are_trained(
    tmp_path: Path, tiny_model: Path, data: Path
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    whole = load_file(folder / WEIGHTS)
    lose_a_shard(folder)
    rest = {k: v for k, v in whole.items() if "layers.1" in k}
    save_file(rest, folder / "model-00002-of-00002.safetensors", metadata={"format": "pt"})
    outcome = run_here(tmp_path / "run", make_spec(data, folder, hyperparameters={"max_steps": 1}))
    assert outcome.last.type == "finished"


def test_weights_that_are_no_numbers_are_not_blamed_on_the_learning_rate(
    tmp_path: Path, tiny_model: Path, data: Path
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    tensors = load_file(folder / WEIGHTS)
    tensors[NORM][:] = np.nan
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    outcome = run_here(tmp_path / "run", make_spec(data, folder))
    assert (outcome.last.type, outcome.last.code) == ("failed", "nan_loss")
    assert "weights" in outcome.last.hint
    assert "learning rate" not in outcome.last.hint
