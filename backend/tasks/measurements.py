"""What finished runs on this host have shown, so that the next estimate is no guess."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from statistics import median
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Row, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs.tables import JobRow
from backend.tasks.tables import TaskRow
from training_engine.contract.choices import Method, Objective, Strategy
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.spec import Distributed
from training_engine.memory import Computed, flops_shown

LAST_RUNS = 5
# So many are looked through for some that learn in the same way.
_LOOKED_THROUGH = 20


def measured(job: JobRow) -> dict[str, Any]:
    """What a completed run tells the next: speed, memory, device, type."""
    duration = (
        (job.finished_at - job.started_at).total_seconds()
        if job.finished_at and job.started_at
        else None
    )
    shared = job.spec.get("distributed") or {}
    return {
        "attempt": job.attempt,
        "tokens_per_s": job.tokens_per_s,
        "peak_memory_bytes": job.peak_memory_bytes,
        "duration_s": duration,
        "device": (job.device or "").split(":")[0],
        "dtype": job.dtype,
        "processes": shared.get("processes", 1),
        "strategy": shared.get("strategy", Strategy.DDP),
    }


async def flops_of(
    session: AsyncSession,
    config: Mapping[str, Any],
    *,
    model_name: str,
    objective: Objective,
    method: Method,
    hyperparameters: Hyperparameters,
    dataset_id: UUID,
    mean_tokens: float,
    device: str,
    dtype: str,
    distributed: Distributed = Distributed(),
    computed: Computed | None = None,
) -> float | None:
    """Operations per second that the last runs of this model have shown.

    Those that learn the same rows in the same pieces count; where there are none, those that learn
    in the same way; then all. `config`: the model's config.json. None when there is no run at all.
    """
    found = []
    for measured, its_dataset, its_method, its_knobs in await _runs(
        session, model_name, objective, device, dtype, distributed
    ):
        with suppress(ValidationError):  # of a version with other knobs
            way = Method(its_method), Hyperparameters.model_validate(its_knobs)
            flops = flops_shown(
                config,
                tokens_per_s=measured["tokens_per_s"],
                objective=objective,
                method=way[0],
                hyperparameters=way[1],
                mean_tokens=mean_tokens,
                device=device,
                dtype=dtype,
                distributed=distributed,
                computed=computed,
            )
            if flops:
                found.append((flops, (_way(*way), _pieces(its_dataset, way[1]))))
    asked = _way(method, hyperparameters), _pieces(dataset_id, hyperparameters)
    same = [flops for flops, its in found if its == asked]
    alike = [flops for flops, its in found if its[0] == asked[0]]
    known = (same or alike or [flops for flops, _ in found])[:LAST_RUNS]
    return median(known) if known else None


async def _runs(
    session: AsyncSession,
    model_name: str,
    objective: Objective,
    device: str,
    dtype: str,
    distributed: Distributed,
) -> Sequence[Row[Any, UUID, str, Any]]:
    """What the last runs have shown, their data, method and knobs; the newest first."""
    shown = TaskRow.measured
    its_strategy = func.coalesce(shown["strategy"].astext, Strategy.DDP)
    alike = its_strategy == distributed.strategy if distributed.processes > 1 else true()
    found = await session.execute(
        select(shown, TaskRow.dataset_id, TaskRow.method, TaskRow.hyperparameters)
        .where(
            TaskRow.model_name == model_name,
            TaskRow.objective == objective,
            shown["tokens_per_s"].as_float() > 0,
            shown["device"].astext == device,
            func.coalesce(shown["dtype"].astext, dtype) == dtype,
            func.coalesce(shown["processes"].as_integer(), 1) == distributed.processes,
            alike,
        )
        .order_by(TaskRow.id.desc())
        .limit(_LOOKED_THROUGH)
    )
    return found.all()


def _way(method: Method, knobs: Hyperparameters) -> tuple[object, ...]:
    """What decides which kernels compute a run."""
    return (
        method,
        knobs.lora_variant,
        knobs.lora_dropout > 0,
        knobs.gradient_checkpointing,
        knobs.packing,
        knobs.quantization,
    )


def _pieces(dataset_id: UUID, knobs: Hyperparameters) -> tuple[object, ...]:
    """What decides how large a run's matrix products are."""
    return dataset_id, knobs.max_length, knobs.batch_size, knobs.micro_batch_size, knobs.lora_rank


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
