"""The canonical record: one shape for every format people bring (one JSON object per line).

Importers write it, the engine reads it. `prompt_completion` rows become conversations of one
user and one assistant turn; plain text stays text.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["system", "user", "assistant", "tool"]


class Message(BaseModel):
    """One turn. `train` False keeps an assistant turn out of the loss; None means the default."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    content: str
    train: bool | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


class Record(BaseModel):
    """One row of a data set version; `meta.line` is the 1-based line (or item) of the upload."""

    model_config = ConfigDict(extra="forbid")

    messages: list[Message] | None = None
    tools: list[dict[str, Any]] | None = None
    chosen: list[Message] | None = None
    rejected: list[Message] | None = None
    text: str | None = None
    label: str | int | float | bool | list[str] | list[float] | None = None
    meta: dict[str, Any] = {}
