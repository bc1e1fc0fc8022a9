"""How long the supervisor waits before it acts, in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.settings import Settings


@dataclass(frozen=True)
class Timeouts:
    """Local deadlines (monotonic clock); the lease alone is judged by the database's clock."""

    lease_s: float = 60.0
    renew_s: float = 10.0
    tick_live_s: float = 0.5
    tick_idle_s: float = 5.0
    # The database is away.
    retry_s: float = 1.0
    hook_s: float = 30.0
    # From launch until the run host has said who it is.
    launch_s: float = 60.0
    # A stop: time to save, then SIGTERM, then SIGKILL.
    save_s: float = 120.0
    terminate_s: float = 30.0
    # The last event is written: time to leave.
    leave_s: float = 30.0
    # The engine is dead and its run host does not say so (it may be paused): time to do so.
    reap_s: float = 50.0
    # Trouble with one run: time until the next try.
    trouble_s: float = 2.0
    # The run host is gone: time for what it left behind to save and end.
    orphan_s: float = 8.0
    # No event at all: a warning; after three times as long, the end.
    stall_preparing_s: float = 1800.0
    stall_saving_s: float = 900.0
    stall_step_s: float = 600.0
    # … or this many times the usual pause between two events of the run.
    stall_factor: float = 20.0
    hard_factor: float = 3.0
    # Before the first automatic retry, the second, and all after.
    retry_after_s: Sequence[float] = (30.0, 120.0, 600.0)

    @classmethod
    def of(cls, settings: Settings) -> "Timeouts":
        """Those that the settings name; the rest is not for configuration."""
        return cls(
            launch_s=settings.launch_timeout_s,
            save_s=settings.save_timeout_s,
            terminate_s=settings.terminate_timeout_s,
            stall_preparing_s=settings.stall_preparing_s,
            stall_saving_s=settings.stall_saving_s,
            stall_step_s=settings.stall_step_s,
            retry_after_s=tuple(settings.retry_after_s),
        )
