"""How far an export is, and whether somebody has asked it to end."""

from collections.abc import Callable

from training_engine.contract.names import Phase
from training_engine.control import StopRequests
from training_engine.events import Reporter


class Stopped(Exception):
    """Somebody asked the export to end."""


class Progress:
    """Says how far it is, and looks whether it is to stop."""

    def __init__(self, reporter: Reporter, stop: StopRequests) -> None:
        self._reporter, self._stop = reporter, stop
        self._fraction = 0.0

    def look(self) -> None:
        """Raises `Stopped` when that is asked for."""
        if self._stop.wanted() is not None:
            raise Stopped

    def step(self, phase: Phase, fraction: float, detail: str) -> None:
        """A new part of the work."""
        self.look()
        self._fraction = fraction
        self._reporter.phase(phase, detail, fraction=fraction)
        self._reporter.say(detail)

    def within(
        self, phase: Phase, begin: float, end: float, detail: str
    ) -> Callable[[float], None]:
        """Tells a part's own fraction as one between `begin` and `end`, each hundredth once."""

        def report(fraction: float) -> None:
            self.look()
            now = begin + (end - begin) * fraction
            if now - self._fraction >= 0.01:
                self._fraction = now
                self._reporter.phase(phase, detail, fraction=round(now, 3))

        return report
