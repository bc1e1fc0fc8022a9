"""API shapes of what a trial of some steps says."""

from typing import Any

from pydantic import BaseModel, Field

from backend.datasets.content_schemas import DatasetRow
from training_engine.contract.names import RecordType


class StepOutlook(BaseModel):
    """What a step would make of the rows."""

    kind: str
    rows_in: int
    rows_out: int
    exact: bool = Field(description="False: extrapolated from a part of the rows")
    dropped: int = Field(description="Rows of `rows_in` that could not be used any more")
    record_type: RecordType = Field(description="What the records are after it")


class PreparedRow(BaseModel):
    """A row of the result; `origin` is its number in the version, null when it is from another
    data set. `before` is the record there."""

    index: int
    origin: int | None
    line: int | None
    split: str | None
    before: dict[str, Any] | None
    after: dict[str, Any]


class PreparePreview(BaseModel):
    """What the steps would make, tried out on `tried_rows` of the `num_rows` rows."""

    num_rows: int
    tried_rows: int
    exact: bool = Field(description="All rows were tried: the first rows are the real ones too")
    steps: list[StepOutlook]
    splits: dict[str, int] = Field(description="Name → rows, as far as they were tried")
    items: list[PreparedRow] = Field(description="The first 20 rows of the result")
    removed: list[DatasetRow] = Field(description="The first 20 rows that are no longer there")
