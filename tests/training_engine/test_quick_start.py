"""The way to the first step is short, and nothing of that stays on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training_engine.specs import greetings, make_spec, write_rows
from training_engine import quick_start


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that the system was asked to read."""
    names: list[str] = []
    real = os.posix_fadvise

    def advise(opened: int, start: int, size: int, advice: int) -> None:
        assert (start, size, advice) == (0, 0, os.POSIX_FADV_WILLNEED)
        names.append(Path(f"/proc/self/fd/{opened}").readlink().name)
        real(opened, start, size, advice)

    monkeypatch.setattr(os, "posix_fadvise", advise)
    return names


def shards(folder: Path) -> Path:
    names = ["model-1.safetensors", "model-2.safetensors"]
    for name in names:
        (folder / name).write_bytes(b"12345")
    index = {"weight_map": {"a": names[0], "b": names[1], "c": names[1]}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_all_weights_are_asked_for(tmp_path: Path, asked: list[str]) -> None:
    quick_start.read_ahead(shards(tmp_path))
    assert asked == ["model-1.safetensors", "model-2.safetensors"]


def test_what_does_not_fit_is_left_alone(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sysconf", lambda name: 4)  # 16 bytes of memory
    quick_start.read_ahead(shards(tmp_path))
    assert asked == []


def test_a_folder_without_weights_is_for_others_to_refuse(tmp_path: Path, asked: list[str]) -> None:
    quick_start.read_ahead(tmp_path)
    quick_start.read_ahead(tmp_path / "none")
    assert asked == []


@pytest.mark.parametrize("broken", [False, True])
def test_garbage_is_looked_for_again(tmp_path: Path, tiny_model: Path, broken: bool) -> None:
    """Whether the run trains or fails."""
    data = write_rows(tmp_path / "rows.jsonl", greetings(8))
    model = tmp_path / "none" if broken else tiny_model
    spec = make_spec(data, model, hyperparameters={"max_steps": 2})
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    script = "import gc, sys; from training_engine import train; code = train.main(sys.argv[1:])"
    script += "; print(int(code), gc.isenabled(), gc.get_freeze_count() > 0)"
    argv = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"{1 if broken else 0} True True"
