"""The engine as it really runs: a run host, a child, a folder."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training_engine.running import (
    REPOSITORY,
    events,
    exit_facts,
    finish,
    identity,
    log_lines,
    start_host,
    wait_until,
)
from tests.training_engine.specs import greetings, make_spec, write_rows
from training_engine import checkpoints
from training_engine.contract.spec import RunSpec

THREADS = {"OMP_NUM_THREADS": "1"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "data.jsonl", greetings(26))


def put(run_dir: Path, spec: RunSpec) -> Path:
    run_dir.mkdir()
    (run_dir / "spec.json").write_text(spec.model_dump_json())
    return run_dir


def steps_done(run_dir: Path) -> int:
    return max((e.step for e in events(run_dir) if e.type == "metrics"), default=0)


def test_from_spec_to_adapter(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    run_dir = put(tmp_path / "run", make_spec(data, tiny_model))
    host = start_host(run_dir, child=None, **THREADS)
    assert finish(host) == ""
    assert host.returncode == 0
    found = events(run_dir)
    assert [event.seq for event in found] == list(range(len(found)))
    assert (found[0].type, found[-1].type) == ("started", "finished")
    assert found[0].device == "cpu"
    assert found[0].versions["torch"]
    checkpoints.verify(run_dir / "output")
    lines = log_lines(run_dir)
    assert {line.stream for line in lines} == {"out"}
    assert any(line.text.startswith("step 1/") for line in lines)
    assert exit_facts(run_dir)["exit_code"] == 0
    # What is held in memory is in the hundreds of megabytes: torch and little else.
    assert exit_facts(run_dir)["peak_memory_bytes"] < 1_500_000_000
    told = [e.peak_memory_bytes for e in found if e.type == "progress" and e.peak_memory_bytes]
    assert 50_000_000 < told[-1] <= exit_facts(run_dir)["peak_memory_bytes"] * 1.02


def test_heavy_packages_stay_away(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    """Imported at the start they would cost seconds; nothing of a plain run needs them."""
    run_dir = put(tmp_path / "run", make_spec(data, tiny_model, hyperparameters={"max_steps": 1}))
    code = (
        "import sys; from training_engine.train import main; main(sys.argv[1:]);"
        "heavy = {'peft', 'trl', 'datasets', 'pandas', 'transformers.trainer'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(run_dir)],
        cwd=REPOSITORY,
        env={**os.environ, **THREADS},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"hyperparameters": {"epochs": -1}}, "hyperparameters.epochs"),
        ({"surprise": 1}, "surprise"),
        ({"method": "magic"}, "method"),
    ],
)
def test_a_bad_spec_is_refused_by_field(
    tmp_path: Path, tiny_model: Path, data: Path, change: dict[str, object], place: str
) -> None:
    spec = json.loads(make_spec(data, tiny_model).model_dump_json())
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (run_dir / "spec.json").write_text(json.dumps({**spec, **change}))
    host = start_host(run_dir, child=None)
    finish(host)
    assert host.returncode == 2
    first, last = events(run_dir)
    assert (first.type, last.type, last.code) == ("started", "failed", "bad_spec")
    assert last.params == {"field": place, "count": 1}
    assert place in last.message


def test_no_spec_at_all(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    host = start_host(run_dir, child=None)
    finish(host)
    assert host.returncode == 2
    assert events(run_dir)[-1].code == "bad_spec"


@pytest.mark.parametrize("how", ["host", "child"])
def test_asked_to_stop_it_saves_and_goes(
    tmp_path: Path, tiny_model: Path, data: Path, how: str
) -> None:
    """By a signal to the host, which puts the command into the folder, or to the engine itself."""
    knobs = {"epochs": 100, "evaluation_fraction": 0, "save_steps": 10_000}
    run_dir = put(tmp_path / "run", make_spec(data, tiny_model, hyperparameters=knobs))
    host = start_host(run_dir, child=None, **THREADS)
    wait_until(lambda: steps_done(run_dir) >= 2, 60)
    if how == "host":
        host.terminate()
    else:
        os.kill(identity(run_dir)["child_pid"], signal.SIGTERM)
    finish(host)
    assert host.returncode == 3
    last = events(run_dir)[-1]
    assert last.type == "stopped"
    folder = run_dir / "checkpoints" / last.checkpoint
    assert checkpoints.verify(folder)["step"] == last.step
    assert not (run_dir / "output").exists()


def test_killed_it_can_be_resumed(tmp_path: Path, tiny_model: Path, data: Path) -> None:
    knobs = {"epochs": 8, "evaluation_fraction": 0, "save_steps": 3}
    spec = make_spec(data, tiny_model, hyperparameters=knobs)
    first = put(tmp_path / "1", spec)
    host = start_host(first, child=None, **THREADS)
    wait_until(lambda: steps_done(first) >= 8, 60)
    os.kill(identity(first)["child_pid"], signal.SIGKILL)
    finish(host)
    assert exit_facts(first)["signal"] == 9
    assert events(first)[-1].type not in {"finished", "failed", "stopped"}
    source = {"resume_from": str(first / "checkpoints"), "attempt": 2}
    second = put(tmp_path / "2", spec.model_copy(update=source))
    host = start_host(second, child=None, **THREADS)
    finish(host)
    assert host.returncode == 0
    begun = min(e.step for e in events(second) if e.type == "metrics")
    before = {e.step: e.values["loss"] for e in events(first) if e.type == "metrics"}
    after = {e.step: e.values["loss"] for e in events(second) if e.type == "metrics"}
    assert begun % 3 == 1
    assert begun > 6
    assert all(after[step] == loss for step, loss in before.items() if step in after)


def test_a_full_disk_keeps_the_last_checkpoint(
    tmp_path: Path, tiny_model: Path, data: Path
) -> None:
    """The disk is RLIMIT_FSIZE here: checkpoints of full tuning are larger than what it allows."""
    knobs = {"evaluation_fraction": 0, "save_steps": 2}
    run_dir = put(
        tmp_path / "run", make_spec(data, tiny_model, method="full", hyperparameters=knobs)
    )
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        "from training_engine.train import main; sys.exit(main(sys.argv[1:]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", limited, str(run_dir)],
        cwd=REPOSITORY,
        env={**os.environ, **THREADS},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 1
    last = events(run_dir)[-1]
    assert (last.type, last.code) == ("failed", "disk_full")
    assert list((run_dir / "checkpoints").iterdir()) == []
