"""Any number of supervisors: one engine for each job, whoever is paused, killed or late."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from backend.database import transaction
from backend.jobs import lease as leases
from backend.jobs import service
from backend.jobs.lease import Lease, LostLease
from backend.jobs.schemas import THIS_HOST, JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.runner.claim import claim
from backend.runner.supervisor import Supervisor
from tests.backend.runner.apart import Apart
from tests.backend.runner.conftest import ENDLESS, QUICK, Bench, supervising

Start = Callable[..., Awaitable[Supervisor]]
ONE_EACH = {THIS_HOST: {Slot.TRAINING: 1, Slot.LIGHT: 1}}


async def claims(bench: Bench, job: JobRow) -> int:
    return sum(move.reason == "claimed" for move in await bench.history(job.id))


async def race(bench: Bench, rounds: int) -> int:
    """Each round one job, and two who think that they lead; in how many exactly one got it."""
    won = 0

    async def lead_and_claim(name: str, ready: asyncio.Barrier) -> list[JobRow]:
        async with transaction(bench.sessions) as session:
            lease = await leases.acquire(session, name, ttl_s=0.0)  # never keeps the other out
        assert lease is not None
        await ready.wait()
        try:
            async with transaction(bench.sessions) as session:
                return await claim(session, lease, ONE_EACH)
        except LostLease:
            return []

    async def claim_only(lease: Lease, ready: asyncio.Barrier) -> list[JobRow]:
        await ready.wait()
        async with transaction(bench.sessions) as session:
            return await claim(session, lease, ONE_EACH)

    for number in range(rounds):
        job_id = await bench.queue()
        ready = asyncio.Barrier(2)
        if number % 2:
            racers = [lead_and_claim("a", ready), lead_and_claim("b", ready)]
        else:  # two claims under one lease: a loop that runs twice by mistake
            async with transaction(bench.sessions) as session:
                lease = await leases.acquire(session, "a", ttl_s=0.0)
            assert lease is not None
            racers = [claim_only(lease, ready), claim_only(lease, ready)]
        claimed = [job.id for rows in await asyncio.gather(*racers) for job in rows]
        won += claimed == [job_id]
        async with transaction(bench.sessions) as session:
            await service.move(session, job_id, 1, JobStatus.COMPLETED, "test")
    return won


async def test_two_claim_one_job_and_one_gets_it(bench: Bench) -> None:
    assert await race(bench, 15) == 15


@pytest.mark.long
async def test_two_claim_one_job_a_thousand_times(bench: Bench) -> None:
    assert await race(bench, 1000) == 1000


async def test_two_jobs_and_one_slot(bench: Bench) -> None:
    first, second = await bench.queue(), await bench.queue()
    async with transaction(bench.sessions) as session:
        lease = await leases.acquire(session, "a")
        assert lease is not None

    async def one() -> list[JobRow]:
        async with transaction(bench.sessions) as session:
            return await claim(session, lease, {THIS_HOST: {Slot.TRAINING: 1}})

    rows = [job for found in await asyncio.gather(one(), one(), one()) for job in found]
    assert [(job.id, job.slot_index) for job in rows] == [(first, 0)]
    async with transaction(bench.sessions) as session:
        await service.move(session, first, 1, JobStatus.FAILED, "test")
    assert [job.id for job in await one()] == [second]


async def test_freed_slots_are_given_out_again(bench: Bench) -> None:
    jobs = [await bench.queue() for _ in range(4)]
    async with transaction(bench.sessions) as session:
        lease = await leases.acquire(session, "a")
        assert lease is not None
        rows = await claim(session, lease, {THIS_HOST: {Slot.TRAINING: 3}})
        assert [(row.id, row.slot_index) for row in rows] == list(
            zip(jobs[:3], range(3), strict=True)
        )
        await service.move(session, jobs[1], 1, JobStatus.FAILED, "test")
        [row] = await claim(session, lease, {THIS_HOST: {Slot.TRAINING: 3}})
        assert (row.id, row.slot_index) == (jobs[3], 1)
        fewer = {THIS_HOST: {Slot.TRAINING: 1}}
        assert await claim(session, lease, fewer) == []


async def test_only_the_training_that_was_measured_is_claimed(bench: Bench) -> None:
    """One that is queued between the look at the memory and the claim waits for the next look."""
    late, measured = await bench.queue(memory_bytes=5), await bench.queue(memory_bytes=5)
    light = await bench.queue(slot=Slot.LIGHT)
    slots = {THIS_HOST: {Slot.TRAINING: 2, Slot.LIGHT: 1}}
    async with transaction(bench.sessions) as session:
        lease = await leases.acquire(session, "a")
        assert lease is not None
        rows = await claim(session, lease, slots, {Slot.TRAINING: None})
        assert [row.id for row in rows] == [light]
        rows = await claim(session, lease, slots, {Slot.TRAINING: measured})
        assert [row.id for row in rows] == [measured]
    assert (await bench.get(late)).status == JobStatus.PENDING


async def test_training_waits_for_its_slot_and_light_work_does_not(
    bench: Bench, supervisor: Supervisor
) -> None:
    first = await bench.until_step(await bench.queue(**ENDLESS), 1)
    second = await bench.queue(steps=1)
    light = await bench.until_ended(await bench.queue(steps=1, slot=Slot.LIGHT))
    assert light.status == JobStatus.COMPLETED
    assert (await bench.get(second)).status == JobStatus.PENDING
    await bench.stop(first.id, save=False)
    assert (await bench.until_ended(second)).status == JobStatus.COMPLETED


async def test_a_second_supervisor_stands_by_and_takes_over(bench: Bench, start: Start) -> None:
    async with supervising(bench) as first:
        job = await bench.until_step(await bench.queue(steps=150, step_s=0.02), 2)
        second = await start()
        await asyncio.sleep(0.5)
        assert (first.leading, second.leading) == (True, False)
    job = await bench.until_ended(job.id)
    assert second.leading
    assert (job.status, job.attempt, await claims(bench, job)) == (JobStatus.COMPLETED, 1, 1)


@pytest.mark.long
async def test_a_paused_leader_that_wakes_up_changes_nothing(
    bench: Bench, start: Start, apart: Callable[..., Apart]
) -> None:
    first = apart(lease_s=1.0, renew_s=0.3)
    first.leads()
    job = await bench.until_step(await bench.queue(**ENDLESS), 3)
    first.process.send_signal(signal.SIGSTOP)
    second = await start()
    waiting = await bench.queue(steps=2)
    await bench.until_step(job.id, (await bench.get(job.id)).step + 3)
    assert second.leading
    first.process.send_signal(signal.SIGCONT)
    await bench.until_step(job.id, (await bench.get(job.id)).step + 3)
    job = await bench.stop_and_wait(job.id)
    assert (job.status, job.attempt) == (JobStatus.STOPPED, 1)
    assert bench.logged_steps(job) == list(range(1, job.step + 1))
    done = await bench.until_ended(waiting)
    assert (done.status, done.attempt, await claims(bench, done)) == (JobStatus.COMPLETED, 1, 1)
    assert second.leading
    assert first.process.poll() is None  # it stands by


async def test_paused_between_claim_and_launch(bench: Bench, start: Start) -> None:
    """The one window in which a second engine could be born: it is not."""
    paused, go_on = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        paused.set()
        await go_on.wait()

    first = await start(before_training=pause)
    job_id = await bench.queue(**ENDLESS)
    await asyncio.wait_for(paused.wait(), 30)
    first._leadership._renewing.cancel()  # type: ignore[union-attr]
    async with transaction(bench.sessions) as session:
        await session.execute(text("UPDATE supervisor_lease SET expires_at = now()"))
    # Its loop is paused as well, or it would notice before it launches.
    resumed = asyncio.Event()
    first._tick = resumed.wait  # type: ignore[assignment,method-assign]
    second = await start()
    job = await bench.until_step(job_id, 1)
    assert (second.leading, job.attempt) == (True, 2)
    go_on.set()
    await asyncio.sleep(0.5)
    assert [len(bench.processes(job)), (await bench.get(job_id)).attempt] == [2, 2]
    stale = await bench.get(job_id)
    stale.attempt = 1
    assert bench.processes(stale) == []
    assert not bench.folder(stale).lock_file.exists()
    first.stop()
    resumed.set()
    await bench.stop(job_id, save=False)
    await bench.until_ended(job_id)


async def test_work_is_picked_up_at_once_by_a_hint(bench: Bench, start: Start) -> None:
    await start(timeouts=replace(QUICK, tick_idle_s=600.0))
    await asyncio.sleep(0.5)
    async with asyncio.timeout(30):
        await bench.until(await bench.queue(steps=1), lambda job: job.status != JobStatus.PENDING)


async def test_work_is_picked_up_by_the_poll_when_the_hint_is_lost(
    bench: Bench, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("backend.runner.wakeup.WakeUp.listen", deaf)
    await start()
    job = await bench.until_ended(await bench.queue(steps=1))
    assert job.status == JobStatus.COMPLETED
