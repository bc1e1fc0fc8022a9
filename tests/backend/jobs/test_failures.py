"""Every failure has a kind, and only what may pass by itself is worth another try."""

import pytest

from backend.jobs.failures import FailureKind, kind_of, may_pass
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
