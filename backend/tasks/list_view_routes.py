"""HTTP of the list of tasks: what it can be narrowed down to, and its named views."""

from uuid import UUID

from fastapi import APIRouter

from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep
from backend.tasks import list_views
from backend.tasks.list_schemas import ListChoices, ListView, ListViewSave

router = APIRouter(tags=["tasks"])


@router.get("/tasks/choices")
async def get_list_choices(session: SessionDep, user: CurrentUser) -> ListChoices:
    """Models, data sets, owners and tags of the tasks that the user may see."""
    return await list_views.choices(session, user)


@router.get("/tasks/views")
async def list_views_of_tasks(session: SessionDep, user: CurrentUser) -> list[ListView]:
    """The user's own views of the list, by name."""
    return await list_views.list_all(session, user.id)


@router.post("/tasks/views", status_code=201)
async def create_list_view(session: SessionDep, user: CurrentUser, body: ListViewSave) -> ListView:
    """Keep a view under a name."""
    return await list_views.create(session, user.id, body)


@router.put("/tasks/views/{view_id}")
async def save_list_view(
    session: SessionDep, user: CurrentUser, view_id: UUID, body: ListViewSave
) -> ListView:
    """Rename a view, or put another one in its place."""
    return await list_views.save(session, user.id, view_id, body)


@router.delete("/tasks/views/{view_id}", status_code=204)
async def delete_list_view(session: SessionDep, user: CurrentUser, view_id: UUID) -> None:
    """Forget a view."""
    await list_views.remove(session, user.id, view_id)
