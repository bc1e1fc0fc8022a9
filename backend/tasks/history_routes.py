"""HTTP for how a run went: curves, events, samples, checkpoints, the live stream, the result."""

from typing import Annotated, Literal
from uuid import UUID

import anyio
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep
from backend.jobs.service import transitions
from backend.tasks import (
    archive,
    artifact,
    attachment,
    event_stream,
    queries,
    spec_document,
    sse,
    timeline,
)
from backend.tasks.attempt_choice import attempt_of, runs_of
from backend.tasks.history_schemas import MetricSeries, TaskCheckpoint, TaskEvent, TaskSamples
from backend.tasks.log_routes import After, LastEventId
from backend.tasks.metrics import csv_of, series_of
from backend.tasks.position import Position, parse
from backend.tasks.view import view_of

router = APIRouter(tags=["tasks"])


@router.get("/tasks/{task_id}/metrics", response_model=MetricSeries)
async def get_task_metrics(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    max_points: Annotated[int, Query(ge=10, le=10000)] = 2000,
    format: Annotated[
        Literal["json", "csv"], Query(description="csv: a file (text/csv) with every point")
    ] = "json",
) -> MetricSeries | StreamingResponse:
    """Every curve over all attempts; thinned so that no spike is lost."""
    found = await queries.find(session, user, task_id)
    runs = runs_of(request, found)
    if format == "csv":
        rows = csv_of(await anyio.to_thread.run_sync(runs.folders))
        filename = f"{found.row.output_name}.metrics.csv"
        return attachment.Csv(rows, headers=attachment.headers(filename))

    def read() -> MetricSeries:
        return series_of(runs.folders(), max_points)

    return await anyio.to_thread.run_sync(read)


@router.get("/tasks/{task_id}/events")
async def get_task_events(
    request: Request, session: SessionDep, user: CurrentUser, task_id: UUID
) -> list[TaskEvent]:
    """What happened, oldest first: moves from state to state, notices, checkpoints."""
    found = await queries.find(session, user, task_id)
    runs, moves = runs_of(request, found), await transitions(session, found.job.id)
    return await anyio.to_thread.run_sync(lambda: timeline.events_of(moves, runs.folders()))


@router.get("/tasks/{task_id}/samples")
async def get_task_samples(
    request: Request, session: SessionDep, user: CurrentUser, task_id: UUID
) -> list[TaskSamples]:
    """Answers that the model gave while it was trained."""
    runs = runs_of(request, await queries.find(session, user, task_id))
    return await anyio.to_thread.run_sync(lambda: timeline.samples_of(runs.folders()))


@router.get("/tasks/{task_id}/checkpoints")
async def get_task_checkpoints(
    request: Request, session: SessionDep, user: CurrentUser, task_id: UUID
) -> list[TaskCheckpoint]:
    """Every checkpoint that was written, and whether it is still there."""
    runs = runs_of(request, await queries.find(session, user, task_id))
    return await anyio.to_thread.run_sync(lambda: timeline.checkpoints_of(runs.folders()))


@router.get("/tasks/{task_id}/events/stream", response_class=sse.EventStream)
async def stream_task_events(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    after: After = None,
    last_event_id: LastEventId = None,
) -> sse.EventStream:
    """Server-sent events: `task` on each change, `metrics`, `samples`, `notice`, `checkpoint`,
    `gap`, `end`, `bye`.

    Begins after `Last-Event-ID`, else after `after` (also the `next` of the metrics), else with
    the newest attempt.
    """
    found = await queries.find(session, user, task_id)
    begin = last_event_id or after
    start = parse(begin) if begin else Position(found.job.attempt, None)
    attempt_of(found, start.attempt)
    task = await view_of(session, found)
    return sse.answer(event_stream.stream(request, task, runs_of(request, found), start))


@router.get("/tasks/{task_id}/artifact", response_class=attachment.Zip)
async def download_task_artifact(
    request: Request, session: SessionDep, user: CurrentUser, task_id: UUID
) -> attachment.Zip:
    """The tuned model with its run file, curves and log, as a zip made while it is sent."""
    found = await queries.find(session, user, task_id)
    task, runs = await view_of(session, found), runs_of(request, found)
    config = spec_document.as_yaml(await spec_document.of_task(session, found))

    def gather() -> artifact.Artifact:
        return artifact.gather(task, runs.folders(), found.completed_attempt, config)

    packed = await anyio.to_thread.run_sync(gather)
    return attachment.Zip(
        archive.stream(packed.members, packed.at),
        headers=attachment.headers(f"{packed.name}.zip", archive.length(packed.members)),
    )
