"""Every failure has a kind, and only what may pass by itself is worth another try."""

from typing import Any

import pytest

from backend.jobs.failures import FailureKind, kind_of, may_pass
from backend.jobs.retries import count, is_due
from backend.jobs.schemas import StopMode
from backend.jobs.tables import JobRow
from training_engine.contract.names import FailureCode

TRIED_AGAIN = {
    "engine_hung",
    "launch_timeout",
    "supervisor_lost",
    "host_rebooted",
}


@pytest.mark.parametrize("code", list(FailureCode))
def test_every_code_has_a_kind_and_few_are_tried_again(code: FailureCode) -> None:
    error = {"code": code.value, "params": {}}
    assert kind_of(error) in FailureKind
    assert may_pass(error) is (code.value in TRIED_AGAIN)
    if code.value in TRIED_AGAIN:
        assert kind_of(error) is FailureKind.INFRASTRUCTURE


@pytest.mark.parametrize(
    ("error", "kind", "again"),
    [
        ({"code": "engine_crashed", "params": {"signal": "SIGKILL"}}, "infrastructure", True),
        ({"code": "engine_crashed", "params": {"exit_code": 1}}, "internal", False),
        ({"code": "engine_crashed"}, "internal", False),
        ({"code": "nan_loss", "params": {"signal": "SIGKILL"}}, "own", False),
        ({"code": "of a newer version", "params": None}, "internal", False),
        ({}, "internal", False),
    ],
)
def test_a_crash_by_a_signal_is_the_machines(
    error: dict[str, object], kind: str, again: bool
) -> None:
    assert (kind_of(error), may_pass(error)) == (kind, again)


def job(**columns: Any) -> JobRow:
    given = {"automatic_retries": 2, "retries": 0, "forgotten": False, "failures": {}}
    return JobRow(**{**given, **columns})


HUNG = {"code": "engine_hung", "params": {}}


@pytest.mark.parametrize(
    ("columns", "error", "due"),
    [
        ({}, HUNG, True),
        ({"retries": 1}, HUNG, True),
        ({"retries": 2}, HUNG, False),
        ({"automatic_retries": 0}, HUNG, False),
        ({"stop_requested": StopMode.SAVE}, HUNG, False),
        ({"forgotten": True}, HUNG, False),
        ({}, {"code": "nan_loss", "params": {}}, False),
        ({}, None, False),
    ],
)
def test_when_another_try_is_due(
    columns: dict[str, Any], error: dict[str, Any] | None, due: bool
) -> None:
    assert is_due(job(**columns), error) is due


def test_failures_are_counted_by_kind() -> None:
    failures = count(job(), HUNG)
    failures = count(job(failures=failures), {"code": "nan_loss"})
    assert count(job(failures=failures), HUNG) == {"infrastructure": 2, "own": 1}
