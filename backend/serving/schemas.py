"""API shapes of the playground."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class PlaygroundMessage(BaseModel):
    """One turn."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, StringConstraints(max_length=100_000)]


class PlaygroundRequest(BaseModel):
    """Ask a base model, or with `task_id` the model that this task produced.

    Answers as server-sent events: `token {text}`, then `done {…}` or `error {…}`.
    """

    model_config = ConfigDict(extra="forbid")

    model_id: UUID | None = None
    task_id: UUID | None = None
    messages: Annotated[list[PlaygroundMessage], Field(min_length=1, max_length=200)]
    max_new_tokens: int = Field(256, ge=1, le=8192)
    temperature: float = Field(0.0, ge=0, le=2, description="0 is greedy")
    top_p: float = Field(1.0, gt=0, le=1)
    repetition_penalty: float = Field(1.0, ge=0.5, le=2)
    seed: int | None = Field(None, ge=0, le=2**31 - 1)


class PlaygroundDone(BaseModel):
    """The last event of an answer."""

    finish_reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    completion_tokens: int
    tokens_per_s: float | None
    time_to_first_token_s: float | None


class PlaygroundError(BaseModel):
    """The last event when no answer could be given."""

    code: str
    message: str
    hint: str


class PlaygroundTarget(BaseModel):
    """A model that can be asked: a base model, or a tuned one with its base beside it."""

    kind: Literal["base", "tuned"]
    id: UUID = Field(description="`model_id` or `task_id` of the request")
    name: str
    base_id: UUID | None = Field(description="The base model of a tuned one")
    base_name: str | None
    system_prompt: str | None = Field(description="First system message of its data set")


class PlaygroundStatus(BaseModel):
    """The worker that answers."""

    state: Literal["stopped", "starting", "ready", "busy"]
    device: str | None
    memory_bytes: int | None
    loaded: list[str]
