"""API shapes of the playground."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.serving.purposes import Purpose
from training_engine.contract.predictions import MAX_TEXTS, Kind, Prediction


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


class PlaygroundClassifyRequest(BaseModel):
    """Texts for a model that sorts or scores, named as in `PlaygroundRequest`.

    Give `texts`, or for a model that scores answers `conversations` that end with one.
    """

    model_config = ConfigDict(extra="forbid")

    model_id: UUID | None = None
    task_id: UUID | None = None
    texts: Annotated[
        list[Annotated[str, StringConstraints(max_length=100_000)]], Field(max_length=MAX_TEXTS)
    ] = []
    conversations: Annotated[
        list[Annotated[list[PlaygroundMessage], Field(min_length=1, max_length=200)]],
        Field(max_length=MAX_TEXTS),
    ] = []
    top: int = Field(20, ge=1, le=1000, description="Labels to tell of each text")


class PlaygroundPredictions(BaseModel):
    """One prediction for each text, in their order."""

    kind: Kind
    num_labels: int
    predictions: list[Prediction]
    seconds: float = Field(description="Time of the model, loading included when it was not yet")


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
    purpose: Purpose = Field(description="Talks, turns texts into others, sorts or scores them")
    base_id: UUID | None = Field(description="The base model of a tuned one")
    base_name: str | None
    system_prompt: str | None = Field(description="First system message of its data set")


class PlaygroundStatus(BaseModel):
    """The worker that answers."""

    state: Literal["stopped", "starting", "ready", "busy"]
    device: str | None
    memory_bytes: int | None
    loaded: list[str]
