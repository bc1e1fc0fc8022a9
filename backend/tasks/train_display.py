"""How a run in the foreground looks: a moving bar on a terminal, plain lines anywhere else."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from training_engine.contract import events

LINE_EVERY_S = 5.0
SHOWN_METRICS = ("loss", "eval_loss")


class Display:
    """Takes the events of a run as they come."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[detail]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=1.0, detail="")
        self._metrics: dict[str, float] = {}
        self._said_at = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def tell(self, event: events.Event) -> None:
        """Show what an event says."""
        match event:
            case events.Started():
                self._console.print(f"Computes on {event.device}: {event.device_reason}")
            case events.Progress():
                self._progress(event)
            case events.Metrics():
                shown = {k: v for k, v in event.values.items() if k in SHOWN_METRICS}
                self._metrics |= {k: v for k, v in shown.items() if v is not None}
            case events.Notice():
                style = {"warning": "yellow", "error": "red"}.get(event.level)
                self._console.print(event.message, style=style, markup=False)
            case events.Checkpoint():
                self._console.print(f"Checkpoint at step {event.step}")
            case _:
                pass

    def _progress(self, event: events.Progress) -> None:
        steps = (
            f"step {event.step}/{event.total_steps}" if event.total_steps else event.detail or ""
        )
        parts = [steps, *(f"{name} {value:.3f}" for name, value in self._metrics.items())]
        if event.tokens_per_s:
            parts.append(f"{event.tokens_per_s:.0f} tokens/s")
        if event.eta_s is not None:
            parts.append(f"about {_duration(event.eta_s)} left")
        detail = "  ".join(part for part in parts if part)
        self._bar.update(
            self._task,
            description=event.phase.value,
            completed=event.fraction or 0.0,
            detail=detail,
        )
        if not self._console.is_terminal and time.monotonic() - self._said_at > LINE_EVERY_S:
            self._said_at = time.monotonic()
            self._console.print(f"{event.phase.value}  {detail}", soft_wrap=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes} min"
        if hours
        else f"{minutes} min {rest} s"
        if minutes
        else f"{rest} s"
    )
