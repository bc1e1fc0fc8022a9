"""A real run that is killed again and again ends as if nothing had happened; so does adopting."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training_engine.running import (
    REPOSITORY,
    events,
    finish,
    identity,
    is_running,
    start_host,
    wait_until,
)
from tests.training_engine.specs import greetings, make_spec, write_rows
from training_engine import checkpoints
from training_engine.contract.model_folder import ADAPTER_WEIGHTS_FILE
from training_engine.contract.names import CHECKPOINTS_DIR, LEDGER_FILE
from training_engine.contract.spec import RunSpec

KILLS = 6
KNOBS = {
    "epochs": 12,
    "batch_size": 4,
    "evaluation_steps": 4,
    "save_steps": 1,
    "lora_dropout": 0.2,
}


def start(run_dir: Path, spec: RunSpec) -> "subprocess.Popen[bytes]":
    run_dir.mkdir()
    (run_dir / "spec.json").write_text(spec.model_dump_json())
    return start_host(run_dir, child=None, OMP_NUM_THREADS="1")


def losses(run_dir: Path) -> dict[int, float | None]:
    found = [event for event in events(run_dir) if event.type == "metrics"]
    return {event.step: event.values["loss"] for event in found if "loss" in event.values}


def whole_ones(run_dir: Path) -> list[Path]:
    """Every checkpoint of an attempt, each verified: none may be torn."""
    found = sorted((run_dir / CHECKPOINTS_DIR).glob("step-*"))
    for folder in found:
        checkpoints.verify(folder)
    return found


@pytest.mark.long
def test_killed_at_any_moment_and_resumed_to_the_end(tmp_path: Path, tiny_model: Path) -> None:
    data = write_rows(tmp_path / "data.jsonl", greetings(20))
    spec = make_spec(data, tiny_model, hyperparameters=KNOBS)
    assert finish(start(tmp_path / "whole", spec), 300) == ""
    wanted, found = losses(tmp_path / "whole"), dict[int, float | None]()
    moments, source = random.Random(20_261_122), None
    for attempt in range(1, KILLS + 1):
        run_dir = tmp_path / str(attempt)
        host = start(run_dir, resumed(spec, source, attempt))
        if attempt % 3:  # in the midst of training and saving, or of preparing
            wait_until(lambda at=run_dir, more=attempt % 4: len(losses(at)) > more, 120)
            time.sleep(moments.uniform(0.0, 0.1))
        else:
            wait_until(lambda at=run_dir: identity(at), 60)
            time.sleep(moments.uniform(0.0, 4.0))
        facts = identity(run_dir)
        assert facts is not None
        with suppress(ProcessLookupError):  # it was faster
            os.kill(facts["child_pid"], signal.SIGKILL)
        finish(host)
        assert losses(run_dir).items() <= wanted.items()
        found |= losses(run_dir)
        source = run_dir if whole_ones(run_dir) else source
    last = tmp_path / "last"
    finish(start(last, resumed(spec, source, KILLS + 1)), 300)
    found |= losses(last)
    assert events(last)[-1].type == "finished"
    assert found == wanted
    assert events(last)[-1].metrics == events(tmp_path / "whole")[-1].metrics
    assert (last / LEDGER_FILE).read_bytes() == (tmp_path / "whole" / LEDGER_FILE).read_bytes()
    mine, theirs = (
        load_file(run / "output" / ADAPTER_WEIGHTS_FILE) for run in (last, tmp_path / "whole")
    )
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], value) for name, value in theirs.items())


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_killed_run_host_costs_no_step(tmp_path: Path, tiny_model: Path, processes: int) -> None:
    """Its pipes break with it: what nobody reads any more must not end the run before it saves."""
    data = write_rows(tmp_path / "data.jsonl", greetings(60))
    knobs = {**KNOBS, "epochs": 100, "evaluation_fraction": 0, "save_steps": 10_000}
    spec = make_spec(data, tiny_model, hyperparameters=knobs, distributed={"processes": processes})
    run_dir = tmp_path / "run"
    host = start(run_dir, spec)
    wait_until(lambda: len(losses(run_dir)) > 2, 120)
    engine = identity(run_dir)["child_pid"]
    os.kill(host.pid, signal.SIGKILL)
    finish(host)
    wait_until(lambda: not is_running(engine))
    last = events(run_dir)[-1]
    assert last.type == "stopped"
    assert last.step == max(losses(run_dir))
    (saved,) = whole_ones(run_dir)
    assert (saved.name, checkpoints.verify(saved)["step"]) == (last.checkpoint, last.step)


def resumed(spec: RunSpec, source: Path | None, attempt: int) -> RunSpec:
    """As the platform does: from the newest checkpoint that is there."""
    newest = str(whole_ones(source)[-1]) if source else None
    return spec.model_copy(update={"resume_from": newest, "attempt": attempt})


# Adopts the same checkpoint over and over, linked or copied; each line starts it anew.
ADOPTER = """
import os, sys
from pathlib import Path
from training_engine import checkpoints

source, parent = Path(sys.argv[1]), Path(sys.argv[2])

def adopt_forever():
    if sys.argv[3] == "copied":
        def link(*args):
            raise OSError(18, "Invalid cross-device link")
        os.link = link
    while True:
        checkpoints.adopt(source, parent)

child = 0
for _ in sys.stdin:
    if child:
        os.waitpid(child, 0)
    child = os.fork()
    if child == 0:
        adopt_forever()
    print(child, flush=True)
"""


@pytest.mark.long
@pytest.mark.parametrize("how", ["linked", "copied"])
def test_killed_while_it_adopts(tmp_path: Path, how: str) -> None:
    (tmp_path / "1").mkdir()
    saved = checkpoints.save(
        tmp_path / "1",
        step=3,
        attempt=1,
        tensors={"weights": {"w": torch.arange(50_000.0)}},
        state={},
        identity={},
    )
    source, parent = tmp_path / "1" / CHECKPOINTS_DIR / saved.name, tmp_path / "2"
    argv = [sys.executable, "-c", ADOPTER, str(source), str(parent), how]
    moments, leftovers, there = random.Random(7), 0, 0
    with subprocess.Popen(
        argv, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(40):
            process.stdin.write("go\n")
            process.stdin.flush()
            child = int(process.stdout.readline())
            time.sleep(moments.uniform(0.0, 0.05))
            os.kill(child, signal.SIGKILL)
            while Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.002)
            leftovers += any(parent.glob(".tmp-*"))
            for folder in parent.glob("step-*"):
                checkpoints.verify(folder)
                there += 1
        process.stdin.close()
    checkpoints.verify(source)
    assert leftovers > 0
    assert there > 0
    checkpoints.adopt(source, parent)
    assert checkpoints.verify(parent / saved.name)["step"] == 3
