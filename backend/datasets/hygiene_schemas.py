"""API shapes of hygiene: what the rows of a version hide, and what two versions share."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from backend.jobs.schemas import Trouble


class HygieneStatus(StrEnum):
    """Where the examination of a version stands."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class FindingName(StrEnum):
    """What can be found."""

    EXACT_DUPLICATES = "exact_duplicates"
    NEAR_DUPLICATES = "near_duplicates"
    EMAIL = "email"
    PHONE = "phone"
    ID_NUMBER = "id_number"
    PAYMENT_CARD = "payment_card"
    IBAN = "iban"
    SECRET = "secret"  # noqa: S105 (a name)
    EMPTY_ANSWER = "empty_answer"
    SHORT_ANSWER = "short_answer"
    LABEL_WITH_ONE_ROW = "label_with_one_row"
    LABEL_CONFLICT = "label_conflict"


class FindingExample(BaseModel):
    """A row with the finding. Personal data and secrets are covered, but for their beginning."""

    index: int = Field(description="Number of the row in the version, from 0")
    line: int | None = Field(description="1-based line or item in the file as uploaded")
    excerpt: str
    detail: str = Field(
        description="Kind and covered value; of duplicates “identical”, “case_and_space” or the "
        "likeness in percent; the label, or the labels that contradict each other"
    )
    other: int | None = Field(
        None, description="The row that stays for a duplicate, or that has another label"
    )
    column: str | None = Field(
        None, description="The column beside the record that has it; none: the record itself"
    )


class FindingColumn(BaseModel):
    """Rows that have the finding in a column beside the record, which no run learns from."""

    column: str
    rows: int


class HygieneFinding(BaseModel):
    """Rows that have something in common; of duplicates the first row does not count."""

    name: FindingName
    severity: Literal["info", "warning"]
    rows: int
    columns: list[FindingColumn] = Field(
        [], description="Columns beside the records that have it, those with most rows first"
    )
    examples: list[FindingExample]
    excludable: bool = Field(description="Whether a preparation can leave these rows out")


class LanguageShare(BaseModel):
    """Rows of the sample in one language (ISO 639; `und` where it can not be said)."""

    language: str
    rows: int
    share: float


class HygieneError(Trouble):
    """Why a version is not examined."""


class DatasetHygiene(BaseModel):
    """What an examination found; while one runs or after it failed, what the last one found."""

    version: int
    status: HygieneStatus
    progress: float | None = Field(description="0–1 while running")
    eta_s: float | None = None
    error: HygieneError | None
    examined_rows: int
    near_compared_rows: int = Field(
        0, description="Rows that were compared for near duplicates: of very many an even sample"
    )
    near_framed_rows: int | None = Field(
        None,
        description="Of these, rows that are nearly all a text that a tenth of the rows or more "
        "share, such as a template: it does not count as likeness, only the rest was compared. "
        "Not known of examinations by an older EasyTune",
    )
    near_left_out_rows: int | None = Field(
        None, description="Of these, rows with hardly a word of their own, compared with none"
    )
    language_rows: int = Field(0, description="Rows of the even sample looked at for language")
    findings: list[HygieneFinding]
    languages: list[LanguageShare]


class OverlapExample(BaseModel):
    """A row that is in both versions; personal data and secrets are covered."""

    index: int
    line: int | None
    other: int = Field(description="Number of the row in the other version")
    kind: Literal["exact", "near", "same_prompt"]
    excerpt: str


class DatasetOverlap(BaseModel):
    """How many of the rows of a version another version has, too; each counts once."""

    dataset_id: UUID
    version: int
    split: str | None
    with_dataset_id: UUID
    with_version: int
    with_split: str | None
    rows: int = Field(description="All rows of the version")
    exact: int = Field(description="The same, but for case and white space")
    near: int = Field(description="Nearly the same")
    same_prompt: int = Field(description="The same question with another answer")
    examples: list[OverlapExample]
