"""Whose fault a failure is, and which failures are worth another try by themselves.

The list is closed (`docs/decisions/0011-automatic-retry.md`): what a user asked for and what does
not change by waiting is never tried again automatically.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from training_engine.contract.names import FailureCode


class FailureKind(StrEnum):
    """Where the cause of a failure lies."""

    INFRASTRUCTURE = "infrastructure"  # the machine, its disk, its processes
    OWN = "own"  # the data, the model, the settings
    INTERNAL = "internal"  # EasyTune itself


_KINDS: Mapping[FailureCode, FailureKind] = {
    FailureCode.OUT_OF_MEMORY: FailureKind.OWN,
    FailureCode.HOST_OUT_OF_MEMORY: FailureKind.OWN,
    FailureCode.NAN_LOSS: FailureKind.OWN,
    FailureCode.BAD_DATASET: FailureKind.OWN,
    FailureCode.BAD_SPEC: FailureKind.OWN,
    FailureCode.MODEL_NOT_FOUND: FailureKind.OWN,
    FailureCode.DISK_FULL: FailureKind.INFRASTRUCTURE,
    FailureCode.ENGINE_CRASHED: FailureKind.INTERNAL,  # by a signal: the machine
    FailureCode.ENGINE_HUNG: FailureKind.INFRASTRUCTURE,
    FailureCode.LAUNCH_TIMEOUT: FailureKind.INFRASTRUCTURE,
    FailureCode.CHECKPOINT_CORRUPT: FailureKind.INFRASTRUCTURE,
    FailureCode.SUPERVISOR_LOST: FailureKind.INFRASTRUCTURE,
    FailureCode.HOST_REBOOTED: FailureKind.INFRASTRUCTURE,
    FailureCode.DEPENDENCY: FailureKind.INFRASTRUCTURE,
    FailureCode.INTERNAL: FailureKind.INTERNAL,
}
# These may be gone with the next try; a full disk, a damaged checkpoint and a missing library
# wait for a person.
_PASSING = frozenset(
    {
        FailureCode.ENGINE_CRASHED,
        FailureCode.ENGINE_HUNG,
        FailureCode.LAUNCH_TIMEOUT,
        FailureCode.SUPERVISOR_LOST,
        FailureCode.HOST_REBOOTED,
    }
)


def kind_of(error: Mapping[str, Any]) -> FailureKind:
    """Where the cause of a stored `{code, params, …}` lies; unknown codes are ours."""
    try:
        code = FailureCode(error.get("code", ""))
    except ValueError:
        return FailureKind.INTERNAL
    killed = code is FailureCode.ENGINE_CRASHED and bool((error.get("params") or {}).get("signal"))
    return FailureKind.INFRASTRUCTURE if killed else _KINDS[code]


def may_pass(error: Mapping[str, Any]) -> bool:
    """Whether the same run may well succeed when it is just tried again."""
    return kind_of(error) is FailureKind.INFRASTRUCTURE and error.get("code") in _PASSING
