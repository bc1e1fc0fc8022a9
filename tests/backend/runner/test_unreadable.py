"""Run folders in which something can not be read: they hold no slot, and can be stopped."""

import shutil

from backend.jobs.schemas import JobStatus
from backend.runner.supervisor import Supervisor
from tests.backend.runner.conftest import ENDLESS, Bench


async def test_events_that_can_not_be_read(bench: Bench, supervisor: Supervisor) -> None:
    job = await bench.until_step(await bench.queue(**ENDLESS), 3)
    events = bench.folder(job).events_file
    events.rename(events.with_suffix(".away"))
    events.mkdir()  # and is larger than what was read
    (events / ("x" * 200)).mkdir()
    while events.stat().st_size <= job.event_offset:
        (events / f"{len(list(events.iterdir())):0200}").mkdir()
    ended = await bench.stop_and_wait(job.id)
    assert ended.status == JobStatus.STOPPED
    assert bench.processes(ended) == []
    assert (await bench.until_ended(await bench.queue(steps=1))).status == JobStatus.COMPLETED
    assert supervisor.leading


async def test_checkpoints_that_can_not_be_read(bench: Bench, supervisor: Supervisor) -> None:
    job = await bench.until_step(await bench.queue(**ENDLESS), 3)
    folder = bench.folder(job)
    _, engine = bench.host_and_engine(job)
    engine.suspend()
    shutil.rmtree(folder.checkpoints_dir, ignore_errors=True)
    folder.checkpoints_dir.write_text("no folder")
    engine.kill()
    ended = await bench.until_ended(job.id)
    assert ended.error is not None
    assert (ended.status, ended.error["code"]) == (JobStatus.FAILED, "engine_crashed")
    assert supervisor.leading
