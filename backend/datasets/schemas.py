"""API shapes of data sets."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.datasets.hubs.schemas import DatasetSource, Revision, ShortText
from backend.jobs.schemas import Trouble, Use
from training_engine.contract.choices import Objective
from training_engine.contract.names import RecordType

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)]


class DatasetStatus(StrEnum):
    """Where a data set is on its way in."""

    IMPORTING = "importing"
    READY = "ready"
    BLOCKED = "blocked"
    NEEDS_MAPPING = "needs_mapping"
    FAILED = "failed"


Tag = Annotated[str, StringConstraints(min_length=1, max_length=200)]
MappedPart = Literal[
    "prompt", "input", "completion", "completions", "system", "history", "tools",
    "text", "label", "labels", "messages", "chosen", "rejected",
]  # fmt: skip


class MappingTags(BaseModel):
    """How the turns in a list of messages are written, where it is not one of the usual ways."""

    model_config = ConfigDict(extra="forbid")

    role: Tag | None = Field(None, description="Key of the role in a turn")
    content: Tag | None = Field(None, description="Key of the text in a turn")
    user: Tag | None = Field(None, description="What the role of the user is called")
    assistant: Tag | None = Field(None, description="What the role of the assistant is called")
    observation: Tag | None = Field(None, description="What the role of a tool's result is called")
    function_call: Tag | None = Field(
        None, description="What the role of a turn is called that is a call of a tool"
    )
    system: Tag | None = Field(None, description="What the role of the system message is called")


class Mapping(BaseModel):
    """Which column is what, when the columns do not say it themselves.

    `PARTS` of `importers/mapped.py` says which parts each record type needs and may have.
    """

    model_config = ConfigDict(extra="forbid")

    record_type: RecordType
    columns: dict[MappedPart, str] = Field(description="Part of the record → column of the file")
    tags: MappingTags | None = None
    system_text: Annotated[str, StringConstraints(max_length=5000)] | None = Field(
        None, description="The same system message for every row that brings none"
    )
    label_true: Tag | None = Field(
        None,
        description="The value of the label that means good; every other one means bad",
    )
    label_columns: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = Field(
        None,
        description="Instead of a label: a column for each class, with 1 where a row is of it and "
        "0 where it is not",
    )


class ReadingOptions(BaseModel):
    """How to read the files, where what is recognised is not right."""

    model_config = ConfigDict(extra="forbid")

    encoding: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")] | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=8)] | None = None
    documents: Literal["blank_line", "file"] | None = Field(
        None, description="What one document of a text file is"
    )
    archive_member: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = Field(
        None, description="The file to take from an archive"
    )


class StoredFile(BaseModel):
    """One of several files of an upload."""

    filename: str
    size_bytes: int


class SameAs(BaseModel):
    """A data set of the same bytes, read in the same way."""

    id: UUID
    name: str


class DatasetError(Trouble):
    """Why a data set is blocked or failed."""


class Preparation(BaseModel):
    """A version that is being made of this data set, or could not be made."""

    status: Literal["running", "failed"]
    progress: float | None = Field(description="0–1 while running")
    version: int = Field(description="The number that it gets")
    steps: list[dict[str, Any]] = Field(description="As they were asked for")
    error: DatasetError | None


class Counts(BaseModel):
    """What became of the rows of the file; `kept + repaired + dropped` is all of them.

    `truncated` is counted per run, which knows the model; it is 0 here.
    """

    kept: int = 0
    repaired: int = 0
    truncated: int = 0
    dropped: int = 0


class DatasetWork(BaseModel):
    """How far a version is that is being made."""

    progress: float = Field(description="0–1")
    rows: int | None = Field(description="Rows that have been read")
    rows_per_s: float | None
    eta_s: float | None = Field(description="Seconds until it is there")


class DatasetEntry(BaseModel):
    """One data set of a `dataset_info.json`; without an id `refusal` says why there is none."""

    name: str
    dataset_id: UUID | None
    refusal: str | None
    warnings: list[str]


class Dataset(BaseModel):
    """A data set and its current version."""

    id: UUID
    name: str
    description: str
    version: int
    format: str | None = Field(description="Recognised file format, e.g. `openai_messages`")
    record_type: RecordType | None
    objectives: list[Objective] = Field(
        description="What its rows can be used for, the usual choice first"
    )
    num_rows: int | None = Field(description="Rows that can be used")
    size_bytes: int = Field(description="Size of the file as uploaded")
    filename: str | None
    files: list[StoredFile] = Field([], description="Of an upload of several files; else empty")
    same_as: SameAs | None = Field(
        None, description="An older data set of the same owner made of the same bytes"
    )
    encoding: str | None
    sha256: str | None = Field(description="Hash of the canonical records")
    status: DatasetStatus
    progress: float | None = Field(description="0–1 while importing")
    work: DatasetWork | None = Field(None, description="While a version is being made")
    error: DatasetError | None
    preparation: Preparation | None = None
    counts: Counts
    mapping: Mapping | None
    options: ReadingOptions | None = None
    columns: list[str] = Field(description="Columns seen in the file, for the mapping dialog")
    max_dropped_rows: int = Field(description="More dropped rows than this block the version")
    entry: str | None = Field(None, description="Its name in the `dataset_info.json` of the upload")
    entries: list[DatasetEntry] = Field(
        [], description="All of that file, listed by the first data set that was made of it"
    )
    source: DatasetSource | None = Field(None, description="The hub that it was fetched from")
    used_by: list["DatasetUse"] = Field([], description="The newest")
    used_by_count: int = Field(0, description="All of them")
    created_at: datetime
    updated_at: datetime


class DatasetUse(Use):
    """A task that trains or was trained on it."""

    version: int


class DatasetUpdate(BaseModel):
    """Rename, describe; give a mapping or options to import the stored files again; allow more
    dropped rows.

    Another subset, split or revision fetches a data set of a hub again.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Description | None = None
    mapping: Mapping | None = None
    options: ReadingOptions | None = None
    max_dropped_rows: Annotated[int, Field(ge=0)] | None = None
    subset: ShortText | None = None
    split: ShortText | None = None
    revision: Revision | None = None


class ExampleRequest(BaseModel):
    """Add one of the data sets that come with EasyTune."""

    model_config = ConfigDict(extra="forbid")

    example: str


class Example(BaseModel):
    """A data set in `examples/`."""

    id: str
    filename: str
    title: str
    description: str
    num_rows: int
    mapping: Mapping | None = None
