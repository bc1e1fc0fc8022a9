"""API shapes: rows as tokens, lengths in tokens."""

from typing import Literal

from pydantic import BaseModel, Field

from backend.jobs.schemas import Trouble
from training_engine.contract.choices import Objective
from training_engine.contract.tokens import RenderedSample


class TokenError(Trouble):
    """Why a row can not be trained on, or rows can not be counted."""


class TokenRow(BaseModel):
    """A row as it is trained; `error` says why it can not be."""

    index: int
    line: int | None
    samples: list[RenderedSample]
    num_samples: int = Field(description="With those that are not listed")
    error: TokenError | None


class TokenRows(BaseModel):
    """A window of rows as tokens; `total` counts all (that match `q`)."""

    items: list[TokenRow]
    total: int
    offset: int
    objective: Objective
    max_length: int = Field(description="Longest sample in tokens, as asked")
    reads_whole: bool = Field(description="No token is predicted: texts are read whole and judged")


class LengthBin(BaseModel):
    """Rows with `low` to `high` - 1 tokens."""

    low: int
    high: int
    count: int


class RowsOver(BaseModel):
    """Of the counted rows, those with more than `limit` tokens."""

    limit: int
    rows: int


class RefusalReason(BaseModel):
    """Rows that can not be trained on for this reason."""

    reason: str
    rows: int


class TokenLengths(BaseModel):
    """How long rows are for a model: tokens of the longest text of a row, before it is cut.

    `counted_rows` below `num_rows`: they are an even sample.
    """

    status: Literal["counting", "ready", "failed"]
    progress: float = Field(description="0–1")
    objective: Objective
    counted_rows: int
    num_rows: int
    mean: float | None = None
    median: int | None = None
    p95: int | None = None
    p99: int | None = None
    max: int | None = None
    bins: list[LengthBin] = []
    over: list[RowsOver] = []
    refused: int = Field(0, description="Counted rows that can not be trained on")
    reasons: list[RefusalReason] = []
    error: TokenError | None = None
