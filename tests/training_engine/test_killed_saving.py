"""A process that is killed while it saves, at any moment, leaves a checkpoint that resumes."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.training_engine.running import REPOSITORY
from training_engine import checkpoints
from training_engine.checkpoints import Opened
from training_engine.contract.names import CHECKPOINTS_DIR, LEDGER_FILE
from training_engine.data import ledger

KILLS = 50
IDENTITY = {"dataset": "d", "model": "m", "configuration": "c"}

# Forks a process for each line it is given, so that torch is loaded once. The process goes on
# from the newest checkpoint of the run folder, as a resumed run does, until it is killed.
SAVER = """
import os, sys, torch
from pathlib import Path
from training_engine import checkpoints
from training_engine.data.ledger import Ledger, carry_over

torch.set_num_threads(1)
run_dir, identity = Path(sys.argv[1]), {"dataset": "d", "model": "m", "configuration": "c"}

def save_forever():
    opened, _ = checkpoints.newest(run_dir / "checkpoints", identity)
    step = opened.step if opened else 0
    if opened:
        carry_over(run_dir / "ledger.bin", run_dir / "ledger.bin", opened.state["ledger_offset"])
    consumed = Ledger(run_dir / "ledger.bin")
    while True:
        step += 1
        consumed.append([step])
        consumed.sync()
        checkpoints.save(
            run_dir, step=step, attempt=1, identity=identity,
            tensors={
                "weights": {"w": torch.full((20_000,), float(step))},
                "optimizer": {"m": torch.full((40_000,), float(step))},
                "random": {"cpu": torch.get_rng_state()},
            },
            state={"step": step, "ledger_offset": consumed.offset},
        )
        checkpoints.prune(run_dir, {f"step-{step // 7 * 7:08d}"})

child = 0
for _ in sys.stdin:
    if child:
        os.waitpid(child, 0)
    child = os.fork()
    if child == 0:
        save_forever()
    print(child, flush=True)
"""


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Starts a saving process for each line."""
    argv = [sys.executable, "-c", SAVER, str(tmp_path)]
    process = subprocess.Popen(
        argv, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def newest(run_dir: Path) -> Opened | None:
    """What a resume would continue from; nothing may have been passed over."""
    opened, skipped = checkpoints.newest(run_dir / CHECKPOINTS_DIR, IDENTITY)
    assert skipped == []
    return opened


@pytest.mark.long
def test_killed_at_any_moment(tmp_path: Path, saver: subprocess.Popen[str]) -> None:
    assert saver.stdin is not None
    assert saver.stdout is not None
    moments = random.Random(20_261_121)
    before, leftovers = 0, 0
    for _ in range(KILLS):
        saver.stdin.write("go\n")
        saver.stdin.flush()
        child = int(saver.stdout.readline())
        time.sleep(moments.uniform(0.0, 0.4))
        os.kill(child, signal.SIGKILL)
        while Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.002)
        opened = newest(tmp_path)
        if opened is None:
            assert before == 0  # killed before the first one was whole
            continue
        assert opened.step >= before
        before = opened.step
        assert opened.state["step"] == opened.step
        for name, key in (("weights", "w"), ("optimizer", "m")):
            assert bool((opened.tensors(name)[key] == opened.step).all())
        torch.Generator().set_state(opened.tensors("random")["cpu"])
        consumed = ledger.read(tmp_path / LEDGER_FILE)
        assert consumed[: opened.step] == list(range(1, opened.step + 1))
        leftovers += any((tmp_path / CHECKPOINTS_DIR).glob(".tmp-*"))
    assert before > 5
    assert leftovers > 0  # it was killed in the midst of saving, too
    checkpoints.prune(tmp_path, set())
    assert [path.name for path in (tmp_path / CHECKPOINTS_DIR).iterdir()] == [f"step-{before:08d}"]
