"""A run waits for main memory that other runs hold, and never for memory that nobody gives back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from backend.database import transaction
from backend.jobs.queue import QueuePlace, queue_position
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.runner.supervisor import Supervisor
from backend.settings import Settings
from tests.backend.runner.conftest import ENDLESS, Bench

Start = Callable[..., Awaitable[Supervisor]]
GB = 1_000_000_000


class Host:
    """Injected facts: free memory, and a playground that holds some until it is asked."""

    def __init__(self, free: int, playground: int = 0) -> None:
        self.free = free
        self.playground = playground
        self.asked: list[int] = []

    def free_bytes(self) -> int:
        return self.free

    async def make_room(self) -> None:
        self.asked.append(self.playground)
        self.free += self.playground
        self.playground = 0

    @property
    def options(self) -> dict[str, Any]:
        return {"free": self.free_bytes, "before_training": self.make_room}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Two trainings may run at the same time."""
    return settings.model_copy(update={"training_slots": 2})


async def place_of(bench: Bench, job: JobRow) -> QueuePlace | None:
    async with transaction(bench.sessions) as session:
        return await queue_position(session, job.id)


async def _until_it_waits(bench: Bench, job: JobRow) -> QueuePlace:
    await bench.until(job.id, lambda row: row.wait is not None)
    place = await place_of(bench, job)
    assert place is not None
    return place


async def test_a_run_waits_while_another_holds_the_memory(bench: Bench, start: Start) -> None:
    facts = Host(free=12 * GB)
    await start(**facts.options)
    first = await bench.get(await bench.queue(memory_bytes=10 * GB, **ENDLESS))
    await bench.until_step(first.id, 1)
    # It has not taken yet what it will take: 12 GB look free, 2 GB are.
    second = await bench.get(await bench.queue(memory_bytes=5 * GB))
    place = await _until_it_waits(bench, second)
    assert place.reason == "host_memory"
    assert place.params["needed_bytes"] == 5 * GB
    assert 2 * GB <= place.params["available_bytes"] < 3 * GB
    third = await bench.get(await bench.queue(memory_bytes=1 * GB))  # no overtaking
    await asyncio.sleep(0.5)
    for job in (second, third):
        assert (await bench.get(job.id)).status == JobStatus.PENDING
    await bench.stop_and_wait(first.id)
    ended = await bench.until_ended(second.id)
    assert (ended.status, ended.wait) == (JobStatus.COMPLETED, None)
    assert (await bench.until_ended(third.id)).status == JobStatus.COMPLETED


async def test_it_starts_as_soon_as_the_memory_is_there(bench: Bench, start: Start) -> None:
    facts = Host(free=12 * GB)
    await start(**facts.options)
    first = await bench.get(await bench.queue(memory_bytes=10 * GB, **ENDLESS))
    await bench.until_step(first.id, 1)
    second = await bench.get(await bench.queue(memory_bytes=5 * GB))
    await _until_it_waits(bench, second)
    facts.free = 30 * GB
    assert (await bench.until_ended(second.id)).status == JobStatus.COMPLETED
    assert (await bench.get(first.id)).status == JobStatus.RUNNING
    await bench.stop_and_wait(first.id)


async def test_the_playground_gives_its_memory_back_before_a_run_waits(
    bench: Bench, start: Start
) -> None:
    facts = Host(free=11 * GB)
    await start(**facts.options)
    first = await bench.get(await bench.queue(memory_bytes=10 * GB, **ENDLESS))
    await bench.until_step(first.id, 1)
    assert facts.asked == [0]
    facts.playground = 6 * GB
    second = await bench.get(await bench.queue(memory_bytes=5 * GB))
    ended = await bench.until_ended(second.id)
    assert ended.status == JobStatus.COMPLETED
    assert facts.asked[1] == 6 * GB
    assert (await bench.get(first.id)).status == JobStatus.RUNNING
    await bench.stop_and_wait(first.id)


async def test_nothing_of_ours_to_wait_for_is_no_reason_to_wait(bench: Bench, start: Start) -> None:
    facts = Host(free=1 * GB, playground=1 * GB)
    await start(**facts.options)
    job = await bench.get(await bench.queue(memory_bytes=100 * GB))
    ended = await bench.until_ended(job.id)
    assert (ended.status, ended.wait) == (JobStatus.COMPLETED, None)
    assert facts.asked[0] == 1 * GB


async def test_a_small_run_is_not_waited_for(bench: Bench, start: Start) -> None:
    facts = Host(free=1 * GB)
    await start(**facts.options)
    small = await bench.get(await bench.queue(memory_bytes=1, **ENDLESS))
    await bench.until_step(small.id, 1)
    large = await bench.get(await bench.queue(memory_bytes=50 * GB))
    assert (await bench.until_ended(large.id)).status == JobStatus.COMPLETED
    await bench.stop_and_wait(small.id)
