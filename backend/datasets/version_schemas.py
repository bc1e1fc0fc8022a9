"""API shapes of versions: what each is made of, what changed between two of them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from backend.datasets.schemas import Counts, DatasetUse, Mapping, ReadingOptions
from training_engine.contract.names import RecordType


class VersionSource(BaseModel):
    """Another data set that rows were taken from, as it was then."""

    dataset_id: UUID
    version: int
    name: str


class DatasetVersion(BaseModel):
    """A version: it never changes, and says what it was made of."""

    version: int
    is_current: bool = Field(description="What the data set shows and new tasks train on")
    parent: int | None = Field(description="The version that it was made from")
    created_at: datetime
    made_by: str | None
    status: Literal["ready", "blocked"]
    record_type: RecordType
    num_rows: int
    sha256: str
    format: str | None
    encoding: str | None
    delimiter: str | None
    detected_because: str | None
    mapping: Mapping | None
    options: ReadingOptions | None
    counts: Counts
    rules: dict[str, int]
    steps: list[dict[str, Any]] = Field(description="How it was made; empty for an import")
    sources: list[VersionSource]
    splits: dict[str, int] = Field(description="Name → rows; empty for a version that is whole")
    used_by: list[DatasetUse]


class DiffItem(BaseModel):
    """A row that only one version has, or that the two have with different content."""

    change: Literal["added", "removed", "changed"]
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class DatasetDiff(BaseModel):
    """What `version` has that `against` has not, and the reverse.

    Rows with the same content are the same row wherever they stand. Of the others two that come
    from the same line of the upload are one row that has changed; where rows of several files are
    together, only when they ask, answer, or have beside them the same.
    """

    version: int
    against: int
    added: int
    removed: int
    changed: int
    unchanged: int
    items: list[DiffItem] = Field(description="The first 100 of each kind")
