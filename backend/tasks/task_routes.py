"""HTTP of tasks themselves: create, list, read, change, stop, run again, delete."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Header, Query, Request
from fastapi.responses import Response

from backend.accounts.dependencies import CurrentUser
from backend.accounts.policy import Action, may
from backend.database import ReadDep, SessionDep
from backend.fragments import fragments_of, one, page
from backend.idempotency import fingerprint_of, once
from backend.jobs.run_folder import remove_all
from backend.jobs.schemas import JobStatus
from backend.pagination import Cursor, Limit, Page
from backend.tasks import again, attachment, listing, queries, service, spec_document
from backend.tasks.change_schemas import AgainRequest, StopRequest, TaskCreate, TaskUpdate
from backend.tasks.host_facts import facts_of
from backend.tasks.schemas import Task
from training_engine.contract.choices import Method, Objective

router = APIRouter(tags=["tasks"])

Key = Annotated[str | None, Header(alias="Idempotency-Key")]
SORT_HELP = (
    "A key, falling with `-` before it; several by commas. Default: `-created_at`. Else `name`, "
    "`status`, `duration`, `progress`, `loss`, `best`, `model`, `dataset`, `method`, `objective`, "
    "`owner`, `priority`"
)


@router.post("/tasks", status_code=201)
async def create_task(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    body: TaskCreate,
    idempotency_key: Key = None,
) -> Task:
    """Create and queue a task. Send an Idempotency-Key: a retry then creates nothing twice."""

    async def act() -> Task:
        facts = await facts_of(request.app, session)
        return await service.create(session, user, facts, body)

    fingerprint = fingerprint_of("create_task", body)
    return await once(session, user.id, idempotency_key, fingerprint, Task, act)


@router.get("/tasks", response_model=Page[Task])
async def list_tasks(
    request: Request,
    session: ReadDep,
    user: CurrentUser,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    status: Annotated[list[JobStatus] | None, Query(description="Any of these")] = None,
    method: Annotated[list[Method] | None, Query(description="Any of these")] = None,
    objective: Annotated[list[Objective] | None, Query(description="Any of these")] = None,
    model_id: Annotated[list[UUID] | None, Query(description="Any of these")] = None,
    dataset_id: Annotated[list[UUID] | None, Query(description="Any of these")] = None,
    owner: Annotated[list[str] | None, Query(description="Any of these user names")] = None,
    tag: Annotated[list[str] | None, Query(description="All of these")] = None,
    sort: Annotated[str | None, Query(max_length=200, description=SORT_HELP)] = None,
) -> Response:
    """Newest first unless `sort` says else; `q` looks in names, description, model, data set."""
    wanted = queries.TaskFilter(
        q=q,
        statuses=status,
        methods=method,
        objectives=objective,
        model_ids=model_id,
        dataset_ids=dataset_id,
        owners=owner,
        tags=tag,
    )
    listed, following = await queries.list_page(
        session, user, wanted, limit=limit, cursor=cursor, sort=sort
    )
    fragments = fragments_of(request.app, "tasks")
    return page(await listing.texts_of(session, fragments, listed), following)


@router.get("/tasks/{task_id}", response_model=Task)
async def get_task(
    request: Request, session: ReadDep, user: CurrentUser, task_id: UUID
) -> Response:
    """One task."""
    listed = await queries.find_listed(session, user, task_id)
    fragments = fragments_of(request.app, "tasks")
    texts = await listing.texts_of(session, fragments, [listed])
    if not texts:
        raise queries.TaskNotFound
    return one(texts[0])


@router.patch("/tasks/{task_id}")
async def update_task(
    session: SessionDep, user: CurrentUser, task_id: UUID, body: TaskUpdate
) -> Task:
    """Rename, describe, mark, or change how it is queued (its priority only while it waits)."""
    return await service.change(session, user, task_id, body)


@router.delete("/tasks/{task_id}", status_code=204)
async def delete_task(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    later: BackgroundTasks,
) -> None:
    """Forget a task that has ended, with its runs and its model."""
    # After the commit: what fails before it must not have cost the files.
    for job_id in await service.delete(session, user, task_id):
        later.add_task(remove_all, request.app.state.settings.runs_dir, job_id)


@router.post("/tasks/{task_id}/stop")
async def stop_task(
    session: SessionDep, user: CurrentUser, task_id: UUID, body: StopRequest | None = None
) -> Task:
    """Ask it to end; a task that has ended stays what it is."""
    save = body.save if body is not None else True
    return await service.stop(session, user, task_id, save=save)


@router.post("/tasks/{task_id}/restart")
async def restart_task(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    body: AgainRequest | None = None,
) -> Task:
    """A new attempt from the beginning."""
    facts = await facts_of(request.app, session)
    changes = body or AgainRequest()
    return await again.run_again(session, user, facts, task_id, changes, resume=False)


@router.post("/tasks/{task_id}/resume")
async def resume_task(
    request: Request,
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    body: AgainRequest | None = None,
) -> Task:
    """A new attempt from the last checkpoint."""
    facts = await facts_of(request.app, session)
    changes = body or AgainRequest()
    return await again.run_again(session, user, facts, task_id, changes, resume=True)


@router.get(
    "/tasks/{task_id}/spec",
    response_class=Response,
    responses={
        200: {
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "application/yaml": {"schema": {"type": "string"}},
            }
        }
    },
)
async def get_task_spec(
    session: SessionDep,
    user: CurrentUser,
    task_id: UUID,
    format: Literal["json", "yaml"] = "json",
) -> Response:
    """JSON: what the engine is given. YAML: a run file for `easytune train`."""
    found = await queries.find(session, user, task_id)
    name = found.row.output_name
    if format == "yaml":
        text = spec_document.as_yaml(await spec_document.of_task(session, found))
        headers = attachment.headers(f"{name}.yaml")
        return Response(text, media_type="application/yaml", headers=headers)
    content = spec_document.as_json(found.job, paths=may(user, Action.ADMINISTER, None))
    headers = attachment.headers(f"{name}.json")
    return Response(content, media_type="application/json", headers=headers)
