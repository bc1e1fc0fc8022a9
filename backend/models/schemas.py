"""API shapes of base models."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.jobs.schemas import Trouble, Use
from training_engine.contract.choices import Method, Objective


class ModelSource(StrEnum):
    """Where a base model comes from."""

    STARTER = "starter"
    HUGGINGFACE = "huggingface"
    MODELSCOPE = "modelscope"
    LOCAL = "local"
    REMOTE = "remote"


class ModelStatus(StrEnum):
    """Whether a model can be used."""

    DOWNLOADING = "downloading"
    CONVERTING = "converting"
    READY = "ready"
    FAILED = "failed"


class Fit(StrEnum):
    """Whether training fits into this host's memory."""

    FITS = "fits"
    TIGHT = "tight"
    WILL_NOT_FIT = "will_not_fit"
    UNKNOWN = "unknown"


class ModelCreate(BaseModel):
    """Add a base model. `reference`: hub id (`owner/name`), or `ROOT/RELATIVE` for a local one."""

    model_config = ConfigDict(extra="forbid")

    source: ModelSource
    reference: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    revision: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] | None = None


class ModelError(Trouble):
    """Why a model failed."""


class ModelProgram(BaseModel):
    """Program files that a model brings along; executed only while `trusted`."""

    sha256: str = Field(description="Of names and contents of all files")
    files: list[str]
    trusted: bool


class ModelTrust(BaseModel):
    """Allow the program files of a model, as they were read."""

    model_config = ConfigDict(extra="forbid")

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Model(BaseModel):
    """A base model of this installation."""

    id: UUID
    name: str = Field(description="Hub id, or the name that cards and adapters carry")
    source: ModelSource
    reference: str
    revision: str | None
    status: ModelStatus
    progress: float | None = Field(description="0–1 while downloading or converting")
    error: ModelError | None
    architecture: str | None = Field(description="Class name in config.json")
    num_parameters: int | None
    context_length: int | None
    size_bytes: int | None
    licence: str | None
    has_chat_template: bool
    program: ModelProgram | None = Field(description="Only of models that need one to be loaded")
    objectives: list[Objective] = Field(description="What it can be trained for here")
    methods: list[Method]
    used_by: list["ModelUse"] = Field([], description="The newest")
    used_by_count: int = Field(0, description="All of them")
    created_at: datetime


class ModelUse(Use):
    """A task that starts from it."""


class CatalogEntry(BaseModel):
    """A model worth knowing; `model_id` when it is already here."""

    source: ModelSource
    reference: str
    name: str
    family: str
    num_parameters: int
    context_length: int
    licence: str
    languages: list[str]
    download_bytes: int
    offline: bool = Field(description="Can be added without a network")
    objectives: list[Objective] = Field(description="What it can be trained for here")
    fit: dict[Method, Fit] = Field(description="Per method, on this host")
    model_id: UUID | None = None
    unavailable_reason: str | None = Field(
        None, description="Code of the reason why it can not be added here"
    )


class LocalFolder(BaseModel):
    """A folder below one of the configured roots that looks like a model."""

    reference: str = Field(description="`ROOT/RELATIVE`, to send as `reference`")
    name: str
    size_bytes: int
    usable: bool
    reason: str | None = Field(description="Code of the reason why it is not usable")


class LocalFolders(BaseModel):
    """What can be added from disk; no roots configured means an empty list."""

    roots: list[str]
    items: list[LocalFolder]
