"""What the engine says: events for the backend, and the same in short lines for people."""

import os
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from training_engine.contract.event_writer import EventWriter
from training_engine.contract.events import Scalar
from training_engine.contract.names import Phase

__all__ = ["EventWriter", "Pace", "Reporter", "Unheard"]

PROGRESS_INTERVAL_S = 0.5
STEPS_BEFORE_ETA = 10
PACE_STEPS = 50


class Unheard(EventWriter):
    """Takes events and drops them: of several processes only one writes."""

    def __init__(self) -> None:
        self._descriptor = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        self._seq, self.ended = 0, False


class Pace:
    """Seconds and tokens of steps and evaluations, of late; what is left follows from them."""

    def __init__(self) -> None:
        self._steps: deque[float] = deque(maxlen=PACE_STEPS)
        self._tokens: deque[int] = deque(maxlen=PACE_STEPS)
        self._evaluations: deque[float] = deque(maxlen=3)
        self._seen = 0

    def step(self, seconds: float, tokens: int) -> None:
        """A step of so many tokens took this long, evaluation and saving not counted."""
        self._steps.append(seconds)
        self._tokens.append(tokens)
        self._seen += 1

    def evaluation(self, seconds: float) -> None:
        """An evaluation took this long."""
        self._evaluations.append(seconds)

    @property
    def tokens_per_s(self) -> float:
        """Over the last steps together; there must be one."""
        return sum(self._tokens) / sum(self._steps)

    def eta_s(self, steps: int, evaluations: int) -> float | None:
        """Seconds until the end; None before ten steps are known."""
        if self._seen < STEPS_BEFORE_ETA:
            return None
        each = sum(self._steps) / len(self._steps)
        pause = sum(self._evaluations) / len(self._evaluations) if self._evaluations else 0.0
        return round(steps * each + evaluations * pause, 1)


class Reporter:
    """Writes events, not more often than anybody can see, and the log of the run."""

    def __init__(self, events: EventWriter) -> None:
        self.events = events
        self._last_progress = 0.0

    def say(self, text: str) -> None:
        """A line of the log."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def notice(
        self,
        level: Literal["info", "warning", "error"],
        code: str,
        message: str,
        **params: Scalar,
    ) -> None:
        """Something the user should know, in the log too."""
        self.events.write("notice", level=level, code=code, message=message, params=params)
        self.say(message if level == "info" else f"{level.upper()}: {message}")

    def phase(self, phase: Phase, detail: str, **fields: Any) -> None:
        """A new phase, said at once."""
        self.events.write("progress", phase=phase, detail=detail, **fields)
        self._last_progress = time.monotonic()

    def metrics(
        self, step: int, epoch: float, values: Mapping[str, float | None], shown: Sequence[str]
    ) -> None:
        """Numbers of a step; `shown` are pieces of its line in the log."""
        self.events.write("metrics", step=step, epoch=epoch, values=dict(values))
        self.say("  ".join(shown))

    def progress_due(self) -> bool:
        """Whether the last word is so old that another is heard."""
        return time.monotonic() - self._last_progress >= PROGRESS_INTERVAL_S

    def progress(
        self, *, at_once: bool = False, phase: Phase = Phase.TRAINING, **fields: Any
    ) -> None:
        """Where a phase stands; left out when the last word is younger than half a second."""
        if at_once or self.progress_due():
            self.events.write("progress", phase=phase, **fields)
            self._last_progress = time.monotonic()
