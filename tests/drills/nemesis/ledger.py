"""What the platform has acknowledged and shown: the client writes it down, the checker asks it."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Known:
    """One task, as its user knows it."""

    key: str
    body: dict[str, Any]
    id: str = ""
    more_to_come: bool = False  # its user resumes it when it fails
    # Attempts whose stop was acknowledged with STOPPING or STOPPED.
    stopped: set[int] = field(default_factory=set)
    # Attempts that an acknowledged resume or restart began.
    begun: set[int] = field(default_factory=set)
    # Lines of the live log in the order in which they came: id, text.
    lines: list[tuple[str, str]] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)
    # Metric points of the live curve: attempt (of the id), step, values.
    points: list[tuple[str, int, Any]] = field(default_factory=list)


class Ledger:
    """Of one round; many threads write."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.tasks: list[Known] = []
        # Data sets whose upload was acknowledged: id → name.
        self.uploads: dict[str, str] = {}
        self.story: list[str] = []
        # What must never happen and was seen at once, such as a 500.
        self.wrong: list[str] = []
        self._lock, self._began = threading.Lock(), time.monotonic()

    def tell(self, what: str) -> None:
        """A line for whoever reads why a round failed, with its time."""
        with self._lock:
            self.story.append(f"{time.monotonic() - self._began:6.2f} s  {what}")

    def accuse(self, what: str) -> None:
        """Something that must not happen at all."""
        with self._lock:
            self.wrong.append(what)
