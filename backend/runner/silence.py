"""How long an attempt has said nothing, and for how long that is usual."""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

from backend.runner.timeouts import Timeouts
from training_engine.contract.names import Phase

REMEMBERED = 101


@dataclass
class Silence:
    """Monotonic seconds. One long pause, of a process that was suspended say, is not the rule:
    what is usual is the median of the last pauses."""

    heard_at: float
    warned: bool = False
    _pauses: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def begin(self, now: float) -> None:
        """It is started now."""
        self.heard_at = now

    def broken(self, now: float) -> None:
        """It has said something."""
        self._pauses.append(now - self.heard_at)
        self.heard_at, self.warned = now, False

    def limit_s(self, phase: str | None, times: Timeouts) -> float:
        """Silence for longer than this is worth a warning."""
        usual = times.stall_factor * median(self._pauses) if self._pauses else 0.0
        match phase:
            case Phase.TRAINING | Phase.EVALUATING:
                return max(times.stall_step_s, usual)
            case Phase.SAVING:
                return max(times.stall_saving_s, usual)
            case _:
                return max(times.stall_preparing_s, usual)
