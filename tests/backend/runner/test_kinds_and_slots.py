"""What a job may see, and what each kind of job runs."""

from importlib.util import find_spec

import pytest

from backend.ids import new_id
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.runner.kinds import KINDS, spec_of
from backend.runner.slots import slots_of, variables_of
from backend.settings import Settings


@pytest.mark.parametrize(
    ("given", "gpus", "training"), [(None, [], 1), (None, ["0", "1", "2"], 3), (2, ["0"], 2)]
)
def test_training_slots(given: int | None, gpus: list[str], training: int) -> None:
    settings = Settings(_env_file=None, training_slots=given)
    assert slots_of(settings, gpus) == {Slot.TRAINING: training, Slot.LIGHT: 2, Slot.BACKGROUND: 1}


def test_each_training_sees_its_own_gpu() -> None:
    gpus = ["3", "5"]
    assert variables_of(Slot.TRAINING, 0, gpus) == {"CUDA_VISIBLE_DEVICES": "3"}
    assert variables_of(Slot.TRAINING, 1, gpus) == {"CUDA_VISIBLE_DEVICES": "5"}
    assert variables_of(Slot.TRAINING, 0, ["0"]) == {}
    for other in (Slot.LIGHT, Slot.BACKGROUND):
        assert variables_of(other, 0, gpus) == {"CUDA_VISIBLE_DEVICES": ""}


def test_a_spec_says_which_attempt_it_is() -> None:
    job = JobRow(id=new_id(), kind="train", attempt=3, status=JobStatus.PENDING, spec={"a": 1})
    fixed = {"a": 1, "kind": "train", "run_id": str(job.id), "attempt": 3}
    assert spec_of(job, None) == fixed
    assert spec_of(job, "/c/step-5") == {**fixed, "resume_from": "/c/step-5"}
    assert job.spec == {"a": 1}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_exists_and_tells_its_feature(name: str) -> None:
    kind = KINDS[name]
    assert find_spec(kind.module) is not None
    assert callable(kind.apply())


def test_only_downloads_reach_the_network() -> None:
    assert {name for name, kind in KINDS.items() if kind.online} == {
        "download_model",
        "fetch_dataset",
    }
