"""F30, F32, F33, F36: disks that are full, fail, or are others; every crash of a save."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.drills.platform import REAL_ENGINE, Platform
from tests.tiny_model import build_tiny_model
from tests.training_engine.running import events, exit_facts, finish, start_host, wait_until
from tests.training_engine.specs import greetings, make_spec, run_here, write_rows
from training_engine import checkpoints
from training_engine.checkpoints import Saved
from training_engine.contract import failpoints
from training_engine.contract.failpoints import VARIABLE
from training_engine.contract.names import CHECKPOINTS_DIR

LONG = pytest.mark.long
SAVING = [name for name in sorted(failpoints.NAMES) if name.startswith("checkpoint.")]
OF_SAVE = [name for name in SAVING if name not in {"checkpoint.told", "checkpoint.before_prune"}]
IDENTITY = {"dataset": "d"}
# 25 for each of the eight places: 200 points of a save.
TIMES = 25


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    failpoints.arm("")
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model."""
    return build_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MB."""
    place = tmp_path / "small"
    place.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(argv, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def save(run_dir: Path, step: int) -> Saved:
    """A small checkpoint whose content tells its step."""
    tensors = {"weights": {"w": torch.full((2000,), float(step))}}
    return checkpoints.save(
        run_dir, step=step, attempt=1, tensors=tensors, state={"step": step}, identity=IDENTITY
    )


def killed(run_dir: Path, point: str) -> int:
    """Save on and on in a child until the failpoint kills it; the step it began with."""
    opened, skipped = checkpoints.newest(run_dir / CHECKPOINTS_DIR, IDENTITY)
    assert skipped == []
    step = opened.step if opened else 0
    if opened:
        assert opened.state["step"] == step
        assert bool((opened.tensors("weights")["w"] == step).all())
    child = os.fork()
    if child == 0:
        failpoints.arm(point)
        while True:
            step += 1
            save(run_dir, step)
            checkpoints.prune(run_dir, {checkpoints.name_of(step - 1)})
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    return step


@pytest.mark.long
@pytest.mark.parametrize("place", OF_SAVE)
def test_killed_at_every_place_of_a_save(tmp_path: Path, place: str) -> None:
    """It resumes from a whole one, and at most one interval is lost."""
    reached = 0
    for time in range(1, TIMES + 1):
        # Within the second save at the latest: a save comes by `sync` five times.
        number = 1 + time % (9 if place == "checkpoint.sync" else 3)
        began = killed(tmp_path, f"{place}:kill9#{number}")
        opened, skipped = checkpoints.newest(tmp_path / CHECKPOINTS_DIR, IDENTITY)
        assert skipped == []
        step = opened.step if opened else 0
        assert step >= max(began, reached)
        reached = step
    assert reached > TIMES / 2


@pytest.mark.parametrize(
    ("place", "number", "code"),
    [
        # A save flushes seven times: four files, the manifest, its folder, the folder above.
        ("checkpoint.sync:error:EIO", 8, "internal"),
        ("checkpoint.sync:error:EIO", 14, "internal"),
        ("checkpoint.written:error:ENOSPC", 2, "disk_full"),
    ],
)
def test_an_error_of_the_disk_is_no_checkpoint(
    tmp_path: Path, model: Path, place: str, number: int, code: str
) -> None:
    """It is not tried again and taken for good; the one before stays whole and is resumed from."""
    data = write_rows(tmp_path / "data.jsonl", greetings(20))
    knobs = {"evaluation_fraction": 0, "save_steps": 2}
    spec = make_spec(data, model, hyperparameters=knobs)
    failpoints.arm(f"{place}#{number}")
    first = run_here(tmp_path / "1", spec)
    assert (first.last.type, first.last.code) == ("failed", code)
    assert first.last.hint
    (told,) = [event.name for event in first.events if event.type == "checkpoint"]
    there = sorted(path.name for path in (tmp_path / "1" / CHECKPOINTS_DIR).iterdir())
    # The last flush fails after the rename: it is there and whole, and still nobody is told.
    assert there == ([told, "step-00000004"] if number == 14 else [told])
    for name in there:
        checkpoints.verify(tmp_path / "1" / CHECKPOINTS_DIR / name)
    failpoints.arm("")
    source = tmp_path / "1" / CHECKPOINTS_DIR / told
    again = spec.model_copy(update={"resume_from": str(source), "attempt": 2})
    assert run_here(tmp_path / "2", again).last.type == "finished"


def test_a_full_disk_while_it_saves(tmp_path: Path, model: Path, small_disk: Path) -> None:
    """A real one: no rest of the new checkpoint, the old one whole, bytes needed are told."""
    data = write_rows(tmp_path / "data.jsonl", greetings(20))
    knobs = {"epochs": 4, "evaluation_fraction": 0, "save_steps": 2}
    spec = make_spec(data, model, method="full", hyperparameters=knobs)
    run_dir = small_disk / "run"
    run_dir.mkdir()
    (run_dir / "spec.json").write_text(spec.model_dump_json())
    host = start_host(
        run_dir, child=None, OMP_NUM_THREADS="1", **{VARIABLE: "checkpoint.told:pause:3#1"}
    )
    first = run_dir / CHECKPOINTS_DIR / checkpoints.name_of(2)
    wait_until(first.exists, 120)
    with (small_disk / "filling").open("wb", buffering=0) as filling:
        try:
            while True:
                filling.write(b"\0" * 4096)
        except OSError:
            pass
    # Room for words, not for a checkpoint.
    with (small_disk / "filling").open("r+b") as filling:
        filling.truncate((small_disk / "filling").stat().st_size - 200_000)
    finish(host, 120)
    last = events(run_dir)[-1]
    assert (last.type, last.code) == ("failed", "disk_full")
    assert "MB" in last.message + last.hint
    assert [path.name for path in (run_dir / CHECKPOINTS_DIR).iterdir()] == [first.name]
    checkpoints.verify(first)
    assert exit_facts(run_dir)["exit_code"] == 1


@pytest.mark.long
def test_the_temporary_folder_is_on_another_disk(
    tmp_path: Path, model: Path, small_disk: Path
) -> None:
    """Nothing is renamed from `/tmp` into place: a rename can not cross disks."""
    assert small_disk.stat().st_dev != tmp_path.stat().st_dev
    data = write_rows(tmp_path / "data.jsonl", greetings(12))
    knobs = {"epochs": 1, "evaluation_fraction": 0, "save_steps": 2}
    run_dir = small_disk / "run"
    run_dir.mkdir()
    spec = make_spec(data, model, hyperparameters=knobs)
    (run_dir / "spec.json").write_text(spec.model_dump_json())
    finish(start_host(run_dir, child=None, OMP_NUM_THREADS="1", TMPDIR=str(tmp_path)), 120)
    assert events(run_dir)[-1].type == "finished"


@LONG
def test_the_platform_lives_on_a_full_disk() -> None:
    """F30: the run says so, and signing in still works; with room again it goes on."""
    platform = Platform(disk_mb=600)
    try:
        if not platform.own_disk:
            pytest.skip("needs the right to mount a disk")
        platform.start(engine=REAL_ENGINE)
        platform.set_up()
        platform.body["hyperparameters"] |= {"epochs": 50, "save_steps": 1, "max_length": 64}
        task = platform.create()
        platform.until(task, "RUNNING", step=3)
        filling = platform.data_dir / "filling"
        with filling.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
            except OSError:
                pass
        failed = platform.until(task, "FAILED", timeout_s=120)
        assert failed["error"]["code"] == "disk_full"
        assert "space" in failed["error"]["hint"]
        platform.sign_in()
        assert platform.http.get("/tasks").status_code == 200
        filling.unlink()
        assert failed["resumable"]
        assert platform.act(task, "resume").status_code == 200
        platform.until(task, "RUNNING", step=failed["step"])
    finally:
        platform.close()
