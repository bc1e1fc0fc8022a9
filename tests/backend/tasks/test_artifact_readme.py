"""The program in a download's README runs as it stands, for every kind of model."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backend.tasks.artifact_readme import program
from tests.tiny_model import build_tiny_model
from tests.training_engine.objectives.models import build_tiny_bert, build_tiny_t5
from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import run_here
from training_engine.contract.choices import Method, Objective
from training_engine.contract.names import ExitCode

KINDS = {"llama": build_tiny_model, "bert": build_tiny_bert, "t5": build_tiny_t5}


@pytest.mark.parametrize(
    ("objective", "kind", "method"),
    [
        (Objective.CLASSIFY, "bert", Method.FULL),
        (Objective.CLASSIFY, "llama", Method.LORA),
        (Objective.REWARD, "llama", Method.LORA),
        (Objective.SEQ2SEQ, "t5", Method.LORA),
        (Objective.PRETRAIN, "llama", Method.FULL),
        (Objective.SFT, "llama", Method.LORA),
    ],
)
def test_it_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    objective: Objective,
    kind: str,
    method: Method,
) -> None:
    build: Callable[[Path], Path] = KINDS[kind]
    model = build(tmp_path / "base")
    data = write(tmp_path / "rows.jsonl", objective, 8)
    spec = spec_for(objective, data, model, {"max_steps": 1}, method=method)
    outcome = run_here(tmp_path / "run", spec)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    (tmp_path / "artifacts").symlink_to(tmp_path / "run" / "output")
    monkeypatch.chdir(tmp_path)
    task: Any = SimpleNamespace(objective=objective, model=SimpleNamespace(name=str(model)))
    adapter = (tmp_path / "artifacts" / "adapter_config.json").is_file()
    said = run(program(task, adapter=adapter))
    if objective is Objective.CLASSIFY:
        assert all(colour in said for colour in ("red", "green", "blue"))
    if objective is Objective.REWARD:
        float(said)


def run(text: str) -> str:
    """What a program prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, "README.md", "exec"), {"__name__": "__main__"})
    return printed.getvalue()
