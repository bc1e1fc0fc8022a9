"""The second contract: what is said to and by `python -m training_engine.serve SOCKET`.

HTTP/1.1 over a unix socket. `GET /health` answers a `Health`. `POST /generate` with a
`GenerateRequest` answers `application/x-ndjson`: one `Token` per piece of text, then exactly one
`Done` or `Failure`; a request that can not begin (unreadable model, wrong shape) answers status
400 or above with one `Failure`. Encoder–decoders answer there, too: what was said is their source.
`POST /classify` stands in `contract/predictions.py`, what shows and counts tokens in
`contract/tokens.py`. A caller who closes the connection cancels
the generation within a second. The worker ends at SIGTERM, and when its parent is gone.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from training_engine.contract.records import Role

HEALTH_PATH = "/health"
GENERATE_PATH = "/generate"
MAX_BODY_BYTES = 32 * 1024 * 1024
_Stop = Annotated[str, Field(min_length=1, max_length=200)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, protected_namespaces=())


class ChatMessage(_Request):
    """One turn of the conversation so far."""

    role: Role
    content: str


class GenerateRequest(_Request):
    """Continue a conversation with a model folder, and the adapter folder of a LoRA run on it.

    `temperature` 0 is greedy; `repetition_penalty` null takes the model's own value. A worker keeps
    a base loaded and switches adapters on it, so that base and tuned answers side by side need the
    memory of one. `trusted_code_sha256`: of the program in the model folder that may be executed.
    """

    model_path: str
    adapter_path: str | None = None
    trusted_code_sha256: str | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    max_new_tokens: Annotated[int, Field(ge=1, le=131_072)] = 512
    temperature: Annotated[float, Field(ge=0, le=5)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    repetition_penalty: Annotated[float | None, Field(gt=0, le=10)] = None
    seed: Annotated[int | None, Field(ge=0, lt=2**63)] = None
    stop: Annotated[list[_Stop], Field(max_length=16)] = []


class LoadRequest(_Request):
    """Load a model now, so that the first answer comes sooner."""

    model_path: str
    adapter_path: str | None = None
    trusted_code_sha256: str | None = None


class UnloadRequest(_Request):
    """Give memory back; without a path everything that is not in use."""

    model_path: str | None = None


class LoadedModelInfo(BaseModel):
    """A model in memory, and the adapters beside it."""

    model_config = ConfigDict(protected_namespaces=())

    model_path: str
    adapters: list[str]
    memory_bytes: int


class Health(BaseModel):
    """`starting` until the libraries are loaded and the device is chosen."""

    status: Literal["starting", "ready", "failed"]
    device: str | None = None
    dtype: str | None = None
    device_reason: str | None = None
    loaded: list[LoadedModelInfo] = []
    busy: bool = False
    active: int = 0


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


StreamItem = Token | Done | Failure
_adapter: TypeAdapter[StreamItem] = TypeAdapter(
    Annotated[Token | Done | Failure, Field(discriminator="type")]
)


def parse_line(line: bytes | str) -> StreamItem:
    """One line of an answer; raises `pydantic.ValidationError` for anything unknown."""
    return _adapter.validate_json(line)
