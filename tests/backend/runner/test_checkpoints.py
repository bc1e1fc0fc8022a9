"""Which checkpoint a run goes on from."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from backend.ids import new_id
from backend.jobs.run_folder import RunFolder
from backend.jobs.tables import JobRow
from backend.runner.checkpoints import furthest, newest_checkpoint, resume_path

JOB = UUID(int=new_id().int)


def folder_with(runs: Path, attempt: int, *names: str, manifest: bool = True) -> RunFolder:
    folder = RunFolder.of(runs, JOB, attempt)
    for name in names:
        place = folder.checkpoints_dir / name
        place.mkdir(parents=True)
        (place / "weights.safetensors").write_bytes(b"12345678")
        if manifest:
            (place / "MANIFEST.json").write_text("{}")
    return folder


def test_the_newest_is_the_highest_step_that_is_whole(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, 1, "step-9", "step-10", ".tmp-11-1", "step-1x")
    folder_with(tmp_path, 1, "step-12", manifest=False)
    found = newest_checkpoint(folder)
    assert found is not None
    assert (found["attempt"], found["step"], found["name"]) == (1, 10, "step-10")
    assert found["size_bytes"] == 8 + 2
    assert len(found["manifest_sha256"]) == 64
    json.dumps(found)


def test_none_without_any(tmp_path: Path) -> None:
    assert newest_checkpoint(RunFolder.of(tmp_path, JOB, 1)) is None
    assert furthest(RunFolder.of(tmp_path, JOB, 1), None) is None


RECORDED: dict[str, Any] = {"attempt": 1, "step": 50, "name": "step-50"}


def test_a_copy_of_an_older_one_does_not_set_the_run_back(tmp_path: Path) -> None:
    folder_with(tmp_path, 1, "step-50")
    second = folder_with(tmp_path, 2, "step-30")
    assert furthest(second, RECORDED) == RECORDED
    folder_with(tmp_path, 2, "step-60")
    found = furthest(second, RECORDED)
    assert found is not None
    assert (found["attempt"], found["step"]) == (2, 60)


def test_what_is_recorded_and_gone_does_not_count(tmp_path: Path) -> None:
    assert furthest(RunFolder.of(tmp_path, JOB, 2), RECORDED) is None


@pytest.mark.parametrize(
    ("present", "expected"),
    [({1: "step-50", 2: "step-60"}, "1/checkpoints/step-50"),
     ({1: "step-40", 2: "step-30"}, "1/checkpoints/step-40"),
     ({}, None)],
)  # fmt: skip
def test_the_way_back_to_a_checkpoint(
    tmp_path: Path, present: dict[int, str], expected: str | None
) -> None:
    for attempt, name in present.items():
        folder_with(tmp_path, attempt, name)
    job = JobRow(id=JOB, checkpoint=RECORDED)
    found = resume_path(tmp_path, job)
    assert found == (tmp_path / str(JOB) / expected if expected else None)
