"""Tasks with real rows and real run folders, as the runner and the engine leave them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.settings import Settings
from backend.tasks.tables import TaskRow
from tests.backend.tasks.sources import add_dataset, add_model
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.log_lines import Level, Stream, format_line
from training_engine.contract.names import EVENTS_FILE, LOG_FILE

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
PATHS = {
    JobStatus.PENDING: [],
    JobStatus.RUNNING: [JobStatus.PREPARING, JobStatus.RUNNING],
    JobStatus.COMPLETED: [JobStatus.PREPARING, JobStatus.RUNNING, JobStatus.COMPLETED],
    JobStatus.FAILED: [JobStatus.PREPARING, JobStatus.RUNNING, JobStatus.FAILED],
    JobStatus.STOPPED: [JobStatus.STOPPED],
}


@dataclass
class Run:
    """A task with its run folders."""

    id: UUID
    job_id: UUID
    runs_dir: Path
    sessions: SessionFactory

    def folder(self, attempt: int = 1) -> RunFolder:
        """The folder of an attempt, made when it is not there."""
        folder = RunFolder.of(self.runs_dir, self.job_id, attempt)
        folder.path.mkdir(parents=True, exist_ok=True)
        return folder

    def log(self, *texts: str, attempt: int = 1, level: Level = "info") -> None:
        """Append lines, one second apart from each other."""
        file = self.folder(attempt).path / LOG_FILE
        number = file.read_bytes().count(b"\n") if file.exists() else 0
        with file.open("ab") as stream:
            stream.write(
                b"".join(log_line(text, number + i, level) for i, text in enumerate(texts))
            )

    def events(self, attempt: int = 1) -> EventWriter:
        """A writer of events; begins at seq 0."""
        return EventWriter(self.folder(attempt).path)

    def events_file(self, attempt: int = 1) -> Path:
        """Where the events of an attempt stand."""
        return self.folder(attempt).path / EVENTS_FILE

    async def move(self, to: JobStatus, attempt: int = 1, **values: Any) -> None:
        """Move the job, committed."""
        async with transaction(self.sessions) as session:
            await jobs.move(session, self.job_id, attempt, to, "test", **values)

    async def set(self, **values: Any) -> None:
        """Write columns of the job, committed."""
        async with transaction(self.sessions) as session:
            await session.execute(update(JobRow).where(JobRow.id == self.job_id).values(**values))


def log_line(text: str, number: int, level: Level = "info", stream: Stream = "out") -> bytes:
    """A line as the run host writes it, `number` seconds after START."""
    at = (START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return (format_line(at, level, stream, text) + "\n").encode()


MakeRun = Callable[..., Awaitable[Run]]


@pytest.fixture
def make_run(sessions: SessionFactory, settings: Settings, administrator: UserRow) -> MakeRun:
    """`await make_run(JobStatus.RUNNING)`: a task in that state, of the administrator."""

    async def make(
        status: JobStatus = JobStatus.RUNNING, owner: UserRow = administrator, **columns: Any
    ) -> Run:
        task_id = new_id()
        spec = spec_values(task_id)
        async with transaction(sessions) as session:
            job = await jobs.enqueue(
                session,
                kind="train",
                spec=spec,
                slot=Slot.TRAINING,
                owner_id=owner.id,
                subject_id=task_id,
            )
            values = {
                "name": "support bot",
                "description": "",
                "intent": "chat",
                "objective": "sft",
                "method": "lora",
                "device": "auto",
                "hyperparameters": {"epochs": 1},
                "output_name": f"bot-{task_id.hex[-8:]}",
                "model_id": new_id(),
                "model_name": "tiny",
                "dataset_id": new_id(),
                "dataset_name": "customer service",
            }
            row = TaskRow(id=task_id, owner_id=owner.id, job_id=job.id, **{**values, **columns})
            session.add(row)
        run = Run(task_id, job.id, settings.runs_dir, sessions)
        for step in PATHS[status]:
            await run.move(step)
        return run

    return make


@pytest.fixture
async def body(
    sessions: SessionFactory, settings: Settings, administrator: UserRow
) -> dict[str, Any]:
    """What is posted to create a task: forty rows, a tiny model."""
    async with transaction(sessions) as session:
        data = await add_dataset(session, settings, administrator.id)
        model = await add_model(session, settings)
    return {
        "name": "Lamp bot",
        "model_id": str(model.id),
        "dataset_id": str(data.id),
        "output_name": "lamp-bot",
    }


def spec_values(task_id: UUID) -> dict[str, Any]:
    """The spec of a task of which only the reading side is tested."""
    return {
        "name": "support bot",
        "model": {"name": "tiny", "path": f"/nowhere/{task_id}"},
        "dataset": {
            "name": "customer service",
            "path": "/nowhere/records.jsonl",
            "sha256": "0" * 64,
            "num_rows": 3,
            "record_type": "conversational",
        },
        "output_name": "bot",
    }
