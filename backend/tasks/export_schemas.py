"""API shapes of exports: the result of a task in another format."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from backend.jobs.schemas import JobStatus
from backend.tasks.schemas import TaskError
from training_engine.contract.exports import ExportChecks, ExportFormat, ShardBytes


class ExportCreate(BaseModel):
    """Ask for an export. `max_shard_bytes` is for `merged`; 5 GB when not given."""

    model_config = ConfigDict(extra="forbid")

    format: ExportFormat
    max_shard_bytes: ShardBytes | None = None


class Export(BaseModel):
    """An export; it can be downloaded when it is COMPLETED.

    `filename` is what the download is called, `checks` how far it is from what was trained.
    """

    id: UUID
    task_id: UUID
    format: ExportFormat
    max_shard_bytes: int | None
    attempt: int
    status: JobStatus
    progress: float
    detail: str | None
    size_bytes: int | None
    filename: str
    checks: ExportChecks | None
    error: TaskError | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ExportList(BaseModel):
    """All exports of a task, newest first."""

    items: list[Export]
    next_cursor: str | None = None


class WhyNot(BaseModel):
    """Why a format can not be had: `code` and `params` for translation."""

    code: str
    message: str
    params: dict[str, str] = {}


class ExportChoice(BaseModel):
    """A format, how large the result will be about, and what stands against it."""

    format: ExportFormat
    size_bytes: int | None
    unavailable: WhyNot | None
