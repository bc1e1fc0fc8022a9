"""What finished runs on this host have shown, so that the next estimate is no guess."""

from collections.abc import Mapping
from contextlib import suppress
from statistics import median
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs.tables import JobRow
from backend.tasks.tables import TaskRow
from training_engine.contract.choices import Method, Objective
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.memory import Computed, flops_shown

LAST_RUNS = 5


def measured(job: JobRow) -> dict[str, Any]:
    """What a completed run tells the next: speed, memory, device, type."""
    duration = (
        (job.finished_at - job.started_at).total_seconds()
        if job.finished_at and job.started_at
        else None
    )
    return {
        "attempt": job.attempt,
        "tokens_per_s": job.tokens_per_s,
        "peak_memory_bytes": job.peak_memory_bytes,
        "duration_s": duration,
        "device": (job.device or "").split(":")[0],
        "dtype": job.dtype,
        "processes": (job.spec.get("distributed") or {}).get("processes", 1),
    }


async def flops_of(
    session: AsyncSession,
    config: Mapping[str, Any],
    *,
    model_name: str,
    objective: Objective,
    mean_tokens: float,
    device: str,
    dtype: str,
    processes: int = 1,
    computed: Computed | None = None,
) -> float | None:
    """Operations per second that the last runs of this model have shown, whatever their method.

    `config`: the model's config.json. None when there is no such run.
    """
    shown = TaskRow.measured
    rows = await session.execute(
        select(shown, TaskRow.method, TaskRow.hyperparameters)
        .where(
            TaskRow.model_name == model_name,
            TaskRow.objective == objective,
            shown["device"].astext == device,
            func.coalesce(shown["dtype"].astext, dtype) == dtype,
            func.coalesce(shown["processes"].as_integer(), 1) == processes,
        )
        .order_by(TaskRow.id.desc())
        .limit(LAST_RUNS)
    )
    found = []
    for measured, method, knobs in rows:
        if not measured or not measured.get("tokens_per_s"):
            continue
        with suppress(ValidationError):  # of a version with other knobs
            found.append(
                flops_shown(
                    config,
                    tokens_per_s=measured["tokens_per_s"],
                    objective=objective,
                    method=Method(method),
                    hyperparameters=Hyperparameters.model_validate(knobs),
                    mean_tokens=mean_tokens,
                    device=device,
                    dtype=dtype,
                    computed=computed,
                )
            )
    known = [flops for flops in found if flops]
    return median(known) if known else None


async def type_of(session: AsyncSession, device: str) -> str | None:
    """The number type that the last run on this device computed with."""
    dtype = TaskRow.measured["dtype"].astext
    found: str | None = await session.scalar(
        select(dtype)
        .where(TaskRow.measured["device"].astext == device, func.length(dtype) > 0)
        .order_by(TaskRow.id.desc())
        .limit(1)
    )
    return found
