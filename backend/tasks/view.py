"""How a task looks from outside: its own row, its job's state, its place in the queue."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs.failures import kind_of
from backend.jobs.queue import QueuePlace, queue_positions
from backend.jobs.schemas import LIVE, JobStatus, Priority
from backend.jobs.tables import JobRow
from backend.tasks.plan_schemas import Estimate
from backend.tasks.queries import Found
from backend.tasks.schemas import (
    BestMetric,
    Failures,
    Queue,
    Task,
    TaskData,
    TaskError,
    TaskReference,
)
from training_engine.contract.choices import Precision
from training_engine.contract.names import Phase


async def views_of(session: AsyncSession, found: Sequence[Found]) -> list[Task]:
    """Tasks as the API shows them, in the order given; one query for all places in the queue."""
    waiting = [f.job.id for f in found if f.job.status is JobStatus.PENDING]
    places = await queue_positions(session, waiting)
    return [view(f, places.get(f.job.id)) for f in found]


async def view_of(session: AsyncSession, found: Found) -> Task:
    """One task as the API shows it."""
    return (await views_of(session, [found]))[0]


def view(found: Found, place: QueuePlace | None) -> Task:
    """Put the parts together."""
    row, job = found.row, found.job
    return Task(
        id=row.id,
        name=row.name,
        description=row.description,
        intent=row.intent,
        objective=row.objective,
        method=row.method,
        device=row.device,
        precision=job.spec.get("precision") or Precision.AUTO,
        deterministic=bool(job.spec.get("deterministic")),
        chat_template=job.spec.get("chat_template"),
        model=TaskReference(id=row.model_id, name=row.model_name),
        dataset=TaskData(
            id=row.dataset_id,
            name=row.dataset_name,
            version=row.dataset_version,
            split=row.dataset_split,
        ),
        validation_dataset=_validation(found),
        output_name=row.output_name,
        hyperparameters=row.hyperparameters,
        distributed=job.spec.get("distributed") or {},
        status=job.status,
        queue=queue_of(place),
        resumable=job.resumable,
        attempt=job.attempt,
        resumed=job.resume,
        error=_error(job),
        priority=Priority.of(job.priority),
        automatic_retries=job.automatic_retries,
        retries=job.retries,
        retry_at=job.retry_at,
        failures=Failures.model_validate(job.failures),
        recovered=job.recovered,
        stalled_since=job.stalled_since,
        metrics=job.metrics,
        best_metric=BestMetric.model_validate(job.best_metric) if job.best_metric else None,
        tags=row.tags,
        estimate=Estimate.model_validate(row.estimate) if row.estimate else None,
        peak_memory_bytes=job.peak_memory_bytes,
        device_used=job.device,
        device_reason=job.device_reason,
        has_artifact=found.completed_attempt is not None,
        parent_id=row.parent_id,
        accept_memory_risk=row.accept_memory_risk,
        owner=found.owner,
        created_at=row.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        **_progress(job),
    )


def _error(job: JobRow) -> TaskError | None:
    if job.error is None:
        return None
    return TaskError.model_validate({**job.error, "kind": kind_of(job.error)})


def queue_of(place: QueuePlace | None) -> Queue | None:
    """Where it waits; None when it does not."""
    return Queue.model_validate(place._asdict()) if place else None


def _validation(found: Found) -> TaskData | None:
    row = found.row
    if row.validation_dataset_id is None:
        return None
    return TaskData(
        id=row.validation_dataset_id,
        name=row.validation_dataset_name or "",
        version=row.validation_version,
        split=row.validation_split,
    )


def _progress(job: JobRow) -> dict[str, float | int | Phase | None]:
    """Speed and remaining time only while there is something that moves."""
    live = job.status in LIVE
    return {
        "phase": Phase(job.phase) if live and job.phase in set(Phase) else None,
        "progress": 1.0 if job.status == JobStatus.COMPLETED else job.progress,
        "step": job.step,
        "total_steps": job.total_steps,
        "epoch": job.epoch,
        "eta_s": job.eta_s if live else None,
        "tokens_per_s": job.tokens_per_s,
    }
