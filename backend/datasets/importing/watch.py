"""Who is told how far an import is, and may end it by raising."""

from typing import Protocol


class Watch(Protocol):
    """What `backend.jobs.child.Ticker` is to an import."""

    def stage(self, total_bytes: int, low: float, high: float) -> None:
        """The work of these bytes begins; it is the part from `low` to `high` of all."""

    def __call__(self, done_bytes: int, detail: str | None = None, rows: int | None = None) -> None:
        """So many bytes of the stage are done, and so many rows of all."""

    def listen(self) -> None:
        """Raise when the import shall end."""


class Nobody:
    """An import that nobody watches."""

    def stage(self, total_bytes: int, low: float, high: float) -> None:
        """Nothing."""

    def __call__(self, done_bytes: int, detail: str | None = None, rows: int | None = None) -> None:
        """Nothing."""

    def listen(self) -> None:
        """Nothing."""
