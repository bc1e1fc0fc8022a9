"""The second contract: what the backend says to `python -m training_engine.serve SOCKET`.

HTTP/1.1 over a unix socket. `GET /status` answers a `WorkerStatus` as soon as the worker takes
requests. `POST /generate` with a `GenerateRequest` answers `application/x-ndjson`: one `Token` per
piece of text, then exactly one `Done` or `Failed`; a request that can not begin (unreadable model,
wrong shape) answers status 400 or above with one `Failed`. A caller who closes the connection
cancels the generation within a second. The worker ends at SIGTERM, and when its parent is gone.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

STATUS_PATH = "/status"
GENERATE_PATH = "/generate"


class ServedModel(BaseModel):
    """What answers: a model folder, with the adapter folder of a LoRA run on top of it.

    `name` identifies it in `WorkerStatus.loaded`. A worker keeps one base loaded and switches
    adapters on it, so that base and tuned answers side by side need the memory of one.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    path: str
    adapter_path: str | None = None


class Message(BaseModel):
    """One turn."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str


class GenerateRequest(BaseModel):
    """Ask for one answer. Temperature 0 is greedy."""

    model_config = ConfigDict(extra="forbid")

    model: ServedModel
    messages: Annotated[list[Message], Field(min_length=1)]
    max_new_tokens: Annotated[int, Field(ge=1, le=8192)] = 256
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    repetition_penalty: Annotated[float, Field(ge=0.5, le=2)] = 1.0
    seed: int | None = None


class Token(BaseModel):
    """The next piece of the answer; never half a character."""

    type: Literal["token"] = "token"
    text: str


class Done(BaseModel):
    """The answer is complete, or as long as allowed."""

    type: Literal["done"] = "done"
    finish_reason: Literal["stop", "length"]
    prompt_tokens: int
    completion_tokens: int
    tokens_per_s: float | None = None
    time_to_first_token_s: float | None = None


class Failed(BaseModel):
    """There is no (further) answer: closed code, plain sentence, next action."""

    type: Literal["failed"] = "failed"
    code: Literal["model_not_found", "out_of_memory", "prompt_too_long", "bad_request", "internal"]
    message: str
    hint: str


class WorkerStatus(BaseModel):
    """The worker as it is now."""

    state: Literal["ready", "busy"]
    device: str
    memory_bytes: int
    loaded: list[str]


Line = Annotated[Token | Done | Failed, Field(discriminator="type")]
_adapter: TypeAdapter[Line] = TypeAdapter(Line)


def parse_line(line: bytes | str) -> Line:
    """One line of an answer; raises `pydantic.ValidationError` for anything unknown."""
    return _adapter.validate_json(line)
