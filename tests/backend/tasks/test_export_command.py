"""`easytune export`: from the result of a run to a file, with the real engine and no server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.settings import PROJECT_ROOT
from backend.tasks.export_command import app
from tests.tiny_model import build_tiny_model

COMMAND = "import sys; from backend.tasks.export_command import app; app(sys.argv[1:])"


def _export(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder whose result is a whole model."""
    build_tiny_model(tmp_path / "run" / "output")
    spec = {"output_name": "lamp-bot", "model": {"name": "o/tiny", "path": "/nowhere"}}
    (tmp_path / "run" / "spec.json").write_text(json.dumps(spec))
    return tmp_path / "run"


@pytest.mark.long
def test_a_file_from_a_run_folder(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "lamp.gguf"
    code, said = _export(tmp_path, "run", "--format", "gguf_q8_0", "--out", str(file))
    assert code == 0, said
    assert file.read_bytes()[:4] == b"GGUF"
    assert "the likeliest token is the same" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lamp.gguf", "run"]


@pytest.mark.long
def test_a_folder_beside_the_run_when_nothing_is_named(run: Path, tmp_path: Path) -> None:
    code, said = _export(tmp_path, "run/output", "--max-shard-bytes", "100000")
    assert code == 0, said
    assert len(list((run / "lamp-bot-merged").glob("*.safetensors"))) > 2
    assert (run / "lamp-bot-merged" / "export.json").is_file()


def test_what_can_not_be_exported_is_said(run: Path, tmp_path: Path) -> None:
    call = CliRunner().invoke
    nothing = call(app, [str(tmp_path / "nothing")])
    assert (nothing.exit_code, "no run folder" in nothing.output) == (2, True)
    (tmp_path / "there").touch()
    there = call(app, [str(run), "--format", "gguf_f16", "--out", str(tmp_path / "there")])
    assert (there.exit_code, "is there already" in there.output) == (2, True)
    (run / "output" / "adapter_config.json").write_text("{}")
    adapter = call(app, [str(run)])
    assert (adapter.exit_code, "--base" in adapter.output) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "there"]
