"""Downloads from a hub: pinned, resumed, verified, stopped; the real child over real HTTP."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.hubs import download
from backend.models import download_job
from tests.fakes.hub import FakeHub, description

NAME = "tiny/llama"


def spec_of(hub: FakeHub, tmp_path: Path) -> dict[str, Any]:
    found = description(NAME, hub.repositories[NAME])
    return {
        "endpoint": hub.url,
        "repo": NAME,
        "revision": found["sha"],
        "files": [
            {
                "path": s["rfilename"],
                "size_bytes": s["size"],
                "sha256": s.get("lfs", {}).get("sha256"),
                "git_sha1": s.get("blobId"),
            }
            for s in found["siblings"]
        ],
        "partial": str(tmp_path / "partial"),
        "target": str(tmp_path / "models" / "it"),
    }


def run(tmp_path: Path, spec: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    run_dir = tmp_path / "run"
    shutil.rmtree(run_dir, ignore_errors=True)
    (run_dir / "control").mkdir(parents=True)
    (run_dir / "spec.json").write_text(json.dumps(spec))
    code = download_job.main([str(run_dir)])
    lines = (run_dir / "events.jsonl").read_text().splitlines()
    return code, [json.loads(line) for line in lines]


def same(first: Path, second: Path) -> bool:
    """Whether a download holds what its source holds, and says beside it what it is."""
    assert json.loads((first / "origin.json").read_text())["reference"]
    return {p.name: p.read_bytes() for p in first.iterdir() if p.name != "origin.json"} == {
        p.name: p.read_bytes() for p in second.iterdir()
    }


def test_all_files_arrive_with_progress_in_bytes(tmp_path: Path, hub: FakeHub, tiny: Path) -> None:
    hub.add(NAME, tiny)
    spec = spec_of(hub, tmp_path)
    code, events = run(tmp_path, spec)
    assert code == 0
    assert same(tmp_path / "models/it", tiny)
    assert not (tmp_path / "partial").exists()
    fractions = [e["fraction"] for e in events if e["type"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert events[-1]["type"] == "finished"
    assert events[-1]["output_bytes"] == sum(file["size_bytes"] for file in spec["files"])
    # Every file was asked for at the commit, never at a branch.
    resolved = [path for path, _ in hub.requests if "/resolve/" in path]
    assert all(f"/resolve/{spec['revision']}/" in path for path in resolved)


def test_connection_that_breaks_is_taken_up_where_it_was(
    tmp_path: Path, hub: FakeHub, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 8192)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _s: None)
    hub.add(NAME, tiny, cut_after=[40_000])
    code, _ = run(tmp_path, spec_of(hub, tmp_path))
    assert code == 0
    assert same(tmp_path / "models/it", tiny)
    ranges = [r for path, r in hub.requests if path.startswith("/cdn/")]
    assert ranges[0] is None
    assert ranges[1] is not None
    assert int(ranges[1].removeprefix("bytes=").rstrip("-")) >= 8192


def test_second_run_goes_on_with_what_the_first_left(
    tmp_path: Path, hub: FakeHub, tiny: Path
) -> None:
    hub.add(NAME, tiny)
    partial = tmp_path / "partial"
    partial.mkdir()
    weights = (tiny / "model.safetensors").read_bytes()
    (partial / "model.safetensors.part").write_bytes(weights[:100_000])
    shutil.copy(tiny / "tokenizer.json", partial)
    code, events = run(tmp_path, spec_of(hub, tmp_path))
    assert code == 0
    assert same(tmp_path / "models/it", tiny)
    assert ("/cdn/tiny/llama/model.safetensors", "bytes=100000-") in hub.requests
    assert not any(path.endswith("tokenizer.json") for path, _ in hub.requests)
    assert events[1]["fraction"] > 0


def test_damaged_file_is_fetched_again_then_given_up(
    tmp_path: Path, hub: FakeHub, tiny: Path
) -> None:
    repository = hub.add(NAME, tiny, damaged=1)
    assert run(tmp_path, spec_of(hub, tmp_path))[0] == 0
    assert same(tmp_path / "models/it", tiny)
    shutil.rmtree(tmp_path / "models")
    repository.damaged = 2
    code, events = run(tmp_path, spec_of(hub, tmp_path))
    assert code == 1
    assert events[-1]["type"] == "failed"
    assert "model.safetensors" in events[-1]["message"]
    assert not (tmp_path / "models/it").exists()
    assert not list((tmp_path / "partial").glob("model.safetensors*"))


def test_stop_keeps_what_has_arrived(
    tmp_path: Path, hub: FakeHub, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(NAME, tiny)
    spec = spec_of(hub, tmp_path)
    half = sum(f["size_bytes"] for f in spec["files"]) // 2

    class StopHalfway(download_job.Ticker):
        def __call__(self, done_bytes: int, detail: str | None = None) -> None:
            if done_bytes > half:
                (tmp_path / "run/control/stop").touch()
            super().__call__(done_bytes, detail)

    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 8192)
    monkeypatch.setattr(download_job, "Ticker", StopHalfway)
    code, events = run(tmp_path, spec)
    assert code == 3
    assert events[-1]["type"] == "stopped"
    kept = sum(p.stat().st_size for p in (tmp_path / "partial").iterdir())
    assert kept >= half - 8192
    monkeypatch.undo()
    assert run(tmp_path, spec)[0] == 0
    assert same(tmp_path / "models/it", tiny)


def test_hub_that_is_gone_fails_plainly(tmp_path: Path, hub: FakeHub, tiny: Path) -> None:
    hub.add(NAME, tiny)
    spec = spec_of(hub, tmp_path)
    del hub.repositories[NAME]
    code, events = run(tmp_path, spec)
    assert code == 1
    assert events[-1]["code"] == "dependency"
    assert events[-1]["hint"]


def test_content_that_names_code_is_refused_after_all(
    tmp_path: Path, hub: FakeHub, tiny: Path
) -> None:
    """The look before the download is not trusted: what has arrived is looked at again."""
    evil = tmp_path / "evil"
    shutil.copytree(tiny, evil)
    config = json.loads((evil / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling_evil.Model"}
    (evil / "config.json").write_text(json.dumps(config))
    hub.add(NAME, evil)
    code, events = run(tmp_path, spec_of(hub, tmp_path))
    assert code == 1
    assert events[-1]["code"] == "model_not_found"
    assert not (tmp_path / "models/it").exists()


def test_child_needs_neither_torch_nor_database() -> None:
    import subprocess
    import sys

    code = (
        "import sys; import backend.models.download_job; "
        "print([m for m in ('torch', 'transformers', 'sqlalchemy', 'fastapi') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert download.CHUNK_BYTES > 0
