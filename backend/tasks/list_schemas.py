"""API shapes of the list of tasks: what it can be narrowed down to, and its named views."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from backend.tasks.schemas import TaskReference


class ListChoices(BaseModel):
    """What the list of tasks can be narrowed down to."""

    models: list[TaskReference]
    datasets: list[TaskReference]
    owners: list[str]
    tags: list[str]


class ListView(BaseModel):
    """A named view of the list of tasks: filters, order and columns, as the address has them."""

    id: UUID
    name: str
    query: str


class ListViewSave(BaseModel):
    """Keep a view of the list under a name; `query` is the part of an address after `?`."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    query: Annotated[str, StringConstraints(max_length=4000)]
