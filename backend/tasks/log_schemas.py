"""API shapes of a search in a log, and of its parts."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from backend.tasks.history_schemas import LogLine

Section = Literal["prepare", "train", "evaluate", "save"]


class LogMatches(BaseModel):
    """Where lines match, for a scroll bar. Ask again when it is not `complete`: it goes on."""

    matched: int | None = Field(description="Lines that match; null while not all were looked at")
    total: int
    complete: bool
    marks: list[int] = Field(description="Numbers of lines that match, at most 1000, thinned")


class LogFound(BaseModel):
    """The `index`th of `matched` lines; null where the log is too long to be counted at once."""

    index: int | None
    matched: int | None
    line: LogLine | None


class LogSection(BaseModel):
    """A part of a run and the lines it printed; what is still going on has no end."""

    name: Section
    first_number: int
    last_number: int | None
    started_at: datetime
    finished_at: datetime | None


class LogSections(BaseModel):
    """The parts of an attempt, and the first line that is an error."""

    sections: list[LogSection]
    first_error: LogLine | None
