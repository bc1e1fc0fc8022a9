"""API shapes of what the wizard holds."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Draft(BaseModel):
    """What the wizard holds; kept on the server so that nothing is lost on refresh."""

    id: UUID
    values: dict[str, Any]
    step: int
    updated_at: datetime


class DraftSave(BaseModel):
    """Save the wizard's values as they are, valid or not."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Any]
    step: int = Field(0, ge=0, le=3)
