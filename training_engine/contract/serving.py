"""The second contract: what the backend says to `python -m training_engine.serve SOCKET`.

HTTP/1.1 over a unix socket. `GET /health` answers a `Health`. `POST /generate` with a
`GenerateRequest` answers `application/x-ndjson`: one `Token` per piece of text, then exactly one
`Done` or `Failure`; a request that can not begin (unreadable model, wrong shape) answers status
400 or above with one `Failure`. A caller who closes the connection cancels the generation within
a second. The worker ends at SIGTERM, and when its parent is gone.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

HEALTH_PATH = "/health"
GENERATE_PATH = "/generate"


class ChatMessage(BaseModel):
    """One turn of the conversation so far."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str


class GenerateRequest(BaseModel):
    """Continue a conversation with a model folder, and the adapter folder of a LoRA run on it.

    Temperature 0 is greedy. A worker keeps a base loaded and switches adapters on it, so that base
    and tuned answers side by side need the memory of one.
    """

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model_path: str
    adapter_path: str | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
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
    """The answer is complete, or as long as allowed; times in seconds from the request on."""

    type: Literal["done"] = "done"
    finish_reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    completion_tokens: int
    tokens_per_s: float | None = None
    time_to_first_token_s: float | None = None


class Failure(BaseModel):
    """There is no (further) answer: code, plain sentence, next action."""

    type: Literal["error"] = "error"
    code: str
    message: str
    hint: str


class LoadedModel(BaseModel):
    """A model in memory, and the adapters beside it."""

    model_config = ConfigDict(protected_namespaces=())

    model_path: str
    adapters: list[str]
    memory_bytes: int


class Health(BaseModel):
    """`starting` until the libraries are loaded and the device is chosen."""

    status: Literal["starting", "ready", "failed"]
    device: str | None = None
    device_reason: str | None = None
    loaded: list[LoadedModel] = []
    busy: bool = False


Line = Annotated[Token | Done | Failure, Field(discriminator="type")]
_adapter: TypeAdapter[Line] = TypeAdapter(Line)


def parse_line(line: bytes | str) -> Line:
    """One line of an answer; raises `pydantic.ValidationError` for anything unknown."""
    return _adapter.validate_json(line)
