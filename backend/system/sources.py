"""What this room shows but rooms above know; the application puts them in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from backend.system.schemas import Overview


@dataclass(frozen=True)
class Slots:
    """Training slots of this host, and who gives them out."""

    total: int
    used: int
    supervisor: Literal["leading", "standby", "absent"]
    unknown_runs: int


@dataclass(frozen=True)
class Sources:
    """Asked at every request."""

    slots: Callable[[AsyncSession], Awaitable[Slots]]
    sees_paths: Callable[[Any], bool]  # whether this user may know folders of the server
    lent_bytes: Callable[[], int]  # memory that is given back when a training needs it
    overview: Callable[[AsyncSession, Any], Awaitable[Overview]]  # for this user
