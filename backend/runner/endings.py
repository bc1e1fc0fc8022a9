"""How a job ended, never guessed: its last event, else `exit.json`, else it is lost.

Every failure becomes a code of the closed list, a plain sentence and the next step.
"""

import signal
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from backend.jobs.schemas import JobStatus
from training_engine.contract.events import Event, Failed, Finished, Stopped
from training_engine.contract.names import ExitCode, FailureCode


class Cause(StrEnum):
    """What the supervisor itself knows about the end of an attempt."""

    LAUNCH_FAILED = "launch_failed"
    LAUNCH_TIMEOUT = "launch_timeout"
    HUNG = "hung"
    LOST = "lost"
    REBOOTED = "rebooted"
    FOLDER_GONE = "folder_gone"


@dataclass(frozen=True)
class Ending:
    """The move that ends an attempt; `error` is `{code, message, hint, params}`."""

    status: JobStatus
    reason: str
    error: dict[str, Any] | None = None


@dataclass(frozen=True)
class Evidence:
    """Everything that is known when an attempt is over."""

    last: Event | None = None
    exit_facts: dict[str, Any] | None = None
    stop_requested: bool = False
    cause: Cause | None = None
    detail: str = ""
    params: dict[str, Any] = field(default_factory=dict)


RESUME_HINT = "Resume it from its last checkpoint, or restart it."
LOG_HINT = (
    "The last lines of its log show what happened; when they say nothing, somebody or the system "
    "ended it, often because memory ran out."
)


def failure(code: FailureCode, message: str, hint: str, **params: Any) -> Ending:
    """FAILED, with what the user is told."""
    error = {"code": code.value, "message": message, "hint": hint, "params": params}
    return Ending(JobStatus.FAILED, code.value, error)


def judge(evidence: Evidence) -> Ending:
    """The one true end of an attempt."""
    match evidence.last:
        case Finished():
            return Ending(JobStatus.COMPLETED, "finished")
        case Failed() as event:
            return failure(event.code, event.message, event.hint, **event.params)
        case Stopped() if evidence.stop_requested:
            return Ending(JobStatus.STOPPED, "user_stop")
        case Stopped() if evidence.cause is None:
            return Ending(JobStatus.STOPPED, "terminated")  # a signal from outside, obeyed
        case _:
            pass
    if evidence.stop_requested and evidence.cause is not Cause.REBOOTED:
        return Ending(JobStatus.STOPPED, "user_stop")
    if evidence.cause is not None:
        return _from_cause(evidence)
    return _from_exit(evidence.exit_facts or {})


def _from_cause(evidence: Evidence) -> Ending:
    params = evidence.params
    match evidence.cause:
        case Cause.LAUNCH_FAILED:
            return failure(
                FailureCode.DEPENDENCY,
                f"The engine could not be started: {evidence.detail or 'no reason was given'}.",
                "Run `easytune doctor`, repair what it names, then restart.",
                **params,
            )
        case Cause.LAUNCH_TIMEOUT:
            return failure(
                FailureCode.LAUNCH_TIMEOUT,
                "The engine did not start in time; it was ended.",
                "The host may be overloaded. Restart it when there is less to do.",
                **params,
            )
        case Cause.HUNG:
            return failure(
                FailureCode.ENGINE_HUNG,
                "The engine gave no sign of progress for too long; it was ended.",
                RESUME_HINT,
                **params,
            )
        case Cause.REBOOTED:
            return failure(
                FailureCode.HOST_REBOOTED,
                "The machine was restarted while this was running.",
                RESUME_HINT,
                **params,
            )
        case Cause.FOLDER_GONE:
            return failure(
                FailureCode.SUPERVISOR_LOST,
                "The folder of this run disappeared while it was running.",
                "Check the data folder and its disk, then restart it.",
                **params,
            )
        case _:
            return failure(
                FailureCode.SUPERVISOR_LOST,
                "The process that watches over the engine was ended from outside.",
                RESUME_HINT,
                **params,
            )


def _from_exit(facts: dict[str, Any]) -> Ending:
    """The child is gone and has not said how it ended."""
    number, code = facts.get("signal"), facts.get("exit_code")
    if isinstance(number, int) and number > 0:
        return _from_signal(number, bool(facts.get("oom_killed")))
    if code == ExitCode.STOPPED:
        return Ending(JobStatus.STOPPED, "terminated")
    if code == ExitCode.SPEC_REFUSED:
        return failure(
            FailureCode.BAD_SPEC,
            "The engine refused what it was asked to do.",
            f"{LOG_HINT} Change the settings it names and create it again.",
            exit_code=code,
        )
    if facts.get("disk_full") is True:  # so full that the engine could not even say so
        return failure(
            FailureCode.DISK_FULL,
            "The disk was full: the engine could not write any more.",
            f"Free some space on the disk of the data folder. {RESUME_HINT}",
        )
    if code == ExitCode.FINISHED:
        return failure(
            FailureCode.ENGINE_CRASHED,
            "The engine ended without saying that it had finished.",
            f"{LOG_HINT} {RESUME_HINT}",
            exit_code=code,
        )
    return failure(
        FailureCode.ENGINE_CRASHED,
        f"The engine ended unexpectedly (exit code {code}).",
        f"{LOG_HINT} {RESUME_HINT}",
        exit_code=code if isinstance(code, int) else None,
    )


def _from_signal(number: int, out_of_memory: bool) -> Ending:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if number == signal.SIGKILL and out_of_memory:
        return failure(
            FailureCode.HOST_OUT_OF_MEMORY,
            "The machine ran out of memory and ended the engine.",
            "Use a smaller batch, a shorter maximum length or a smaller model, or free memory.",
            signal=name,
        )
    return failure(
        FailureCode.ENGINE_CRASHED,
        f"The engine was ended by {name}.",
        f"{LOG_HINT} {RESUME_HINT}",
        signal=name,
    )
