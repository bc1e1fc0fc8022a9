"""How many jobs a host runs, what a job may see, and what each kind of job runs."""

from importlib.util import find_spec

import pytest
from sqlalchemy import update

from backend.database import transaction
from backend.ids import new_id
from backend.jobs import lease as leases
from backend.jobs import service
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.runner.claim import claim
from backend.runner.kinds import KINDS, spec_of
from backend.runner.slots import free_places, slots_of, totals, variables_of
from backend.settings import Settings
from tests.backend.runner.conftest import Bench, supervising


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


def test_every_host_has_its_own_places() -> None:
    slots = {"a": {Slot.TRAINING: 2}, "b": {Slot.TRAINING: 1, Slot.LIGHT: 4}}
    assert totals(slots) == {"training": 3, "light": 4}
    assert free_places(slots, Slot.TRAINING, []) == [("a", 0), ("a", 1), ("b", 0)]
    assert free_places(slots, Slot.TRAINING, [("a", 0), ("b", 0)]) == [("a", 1)]
    assert free_places(slots, Slot.BACKGROUND, []) == []
    # Found again without its index: it holds some slot of its host.
    assert free_places(slots, Slot.TRAINING, [("a", None), ("b", None)]) == [("a", 0)]
    assert free_places(slots, Slot.TRAINING, [("a", None), ("a", None)]) == [("b", 0)]
    # Fewer slots than before, or a host that is no longer there.
    assert free_places({"a": {Slot.TRAINING: 1}}, Slot.TRAINING, [("a", 3)]) == []
    assert free_places({"a": {Slot.TRAINING: 1}}, Slot.TRAINING, [("c", 0)]) == [("a", 0)]


async def test_claims_fill_the_slots_of_all_hosts(bench: Bench) -> None:
    jobs = [await bench.queue() for _ in range(4)]
    slots = {"a": {Slot.TRAINING: 1}, "b": {Slot.TRAINING: 2}}
    async with transaction(bench.sessions) as session:
        lease = await leases.acquire(session, "somebody")
        assert lease is not None
        rows = await claim(session, lease, slots)
        assert [(row.id, row.host, row.slot_index) for row in rows] == [
            (jobs[0], "a", 0),
            (jobs[1], "b", 0),
            (jobs[2], "b", 1),
        ]
        await service.move(session, jobs[1], 1, JobStatus.FAILED, "test")
        [row] = await claim(session, lease, slots)
        assert (row.id, row.host, row.slot_index) == (jobs[3], "b", 0)


async def test_a_job_of_a_host_that_nobody_knows_is_left_alone(bench: Bench) -> None:
    """A supervisor that knows fewer machines must neither end it nor give its place away."""
    job_id = await bench.queue()
    elsewhere = {"status": JobStatus.RUNNING, "host": "far", "slot_index": 0}
    async with transaction(bench.sessions) as session:
        await session.execute(update(JobRow).where(JobRow.id == job_id).values(**elsewhere))
    async with supervising(bench) as supervisor:
        done = await bench.until_ended(await bench.queue(steps=1))
        assert supervisor.leading
    assert done.status == JobStatus.COMPLETED
    job = await bench.get(job_id)
    assert (job.status, job.host) == (JobStatus.RUNNING, "far")
