"""The real engine under the supervisor: stopped with a checkpoint, resumed, completed."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from backend.database import transaction
from backend.ids import new_id
from backend.jobs import service
from backend.jobs.schemas import JobStatus, Slot
from backend.runner.kinds import KINDS
from backend.runner.supervisor import Supervisor
from tests.backend.runner.conftest import FAKE, Bench
from tests.tiny_model import build_tiny_model
from tests.training_engine.specs import greetings, make_spec, write_rows

Start = Callable[..., Awaitable[Supervisor]]


@pytest.mark.long
async def test_a_real_training_is_stopped_resumed_and_completed(
    bench: Bench, start: Start, tmp_path: Path
) -> None:
    data = write_rows(tmp_path / "records.jsonl", greetings(24))
    model = build_tiny_model(tmp_path / "model")
    spec = make_spec(data, model, hyperparameters={"max_steps": 30, "epochs": 100})
    filled_in_by_the_runner = {"run_id", "attempt", "kind", "resume_from"}
    given = spec.model_dump(mode="json", exclude=filled_in_by_the_runner)
    await start(kinds={"train": replace(KINDS["train"], outcome=FAKE.outcome)})
    async with transaction(bench.sessions) as session:
        job = await service.enqueue(
            session,
            kind="train",
            spec=given,
            slot=Slot.TRAINING,
            owner_id=None,
            subject_id=new_id(),
        )
    job = await bench.until_step(job.id, 2)
    assert job.device == "cpu"
    assert job.metrics["loss"] > 0
    await bench.stop(job.id, save=True)
    job = await bench.until_ended(job.id)
    assert (job.status, job.resumable) == (JobStatus.STOPPED, True)
    assert job.checkpoint is not None
    stopped_at = job.checkpoint["step"]
    assert 2 <= stopped_at < 30
    await bench.requeue(job.id, resume=True)
    job = await bench.until(job.id, lambda job: job.attempt == 2 and job.finished_at is not None)
    assert (job.status, job.error, job.step) == (JobStatus.COMPLETED, None, 30)
    log = bench.folder(job).log_file.read_text()
    assert f"Continuing after step {stopped_at}" in log
    assert (bench.folder(job).output_dir / "adapter_model.safetensors").is_file()
