"""API shapes of what is in a data set: its rows, what was counted, what became of each row."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from backend.datasets.schemas import Counts


class DatasetRow(BaseModel):
    """One canonical record; `line` is its 1-based line or item in the file as uploaded."""

    index: int
    line: int | None
    record: dict[str, Any]


class DatasetRows(BaseModel):
    """A window of rows; `total` counts all (that match `q`)."""

    items: list[DatasetRow]
    total: int
    offset: int


class FieldSummary(BaseModel):
    """What one field of the file holds."""

    name: str
    types: dict[str, int] = Field(description="JSON type → rows")
    missing: int
    min_length: int | None = Field(description="Characters or items")
    mean_length: float | None
    max_length: int | None
    examples: list[str] = Field(description="Up to three short values")


class LabelCount(BaseModel):
    """Rows with this label."""

    label: str
    count: int


class HistogramBin(BaseModel):
    """Rows whose length in characters is in [`low`, `high`)."""

    low: int
    high: int
    count: int


class DatasetStatistics(BaseModel):
    """Computed once per version."""

    fields: list[FieldSummary]
    num_turns: dict[str, int] = Field(description="Turns in a conversation → rows")
    lengths: list[HistogramBin]
    labels: list[LabelCount]
    roles: dict[str, int]
    characters: int


class ReportItem(BaseModel):
    """A row that was not simply kept."""

    file: str | None = Field(None, description="Which file, when there were several")
    line: int
    byte_offset: int | None
    field: str | None
    rule: str = Field(description="Stable code, e.g. `missing_answer`")
    action: Literal["repaired", "dropped"]
    message: str
    excerpt: str


class DatasetReport(BaseModel):
    """Counts that add up to the rows of the file, and every row that was not simply kept."""

    counts: Counts
    total_rows: int
    rules: dict[str, int] = Field(description="Rule → rows")
    items: list[ReportItem]
    total_items: int
    offset: int
    format: str | None
    encoding: str | None
    delimiter: str | None
    detected_because: str | None
