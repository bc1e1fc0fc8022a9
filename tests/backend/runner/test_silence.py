"""For how long silence is usual, by phase, and where the deadlines come from."""

import pytest

from backend.runner.silence import Silence
from backend.runner.timeouts import Timeouts
from backend.settings import Settings
from training_engine.contract.names import Phase

TIMES = Timeouts()


@pytest.mark.parametrize(
    ("phase", "limit_s"),
    [
        (Phase.LAUNCHING, 1800),
        (Phase.PREPARING, 1800),
        (Phase.TRAINING, 600),
        (Phase.EVALUATING, 600),
        (Phase.SAVING, 900),
        (None, 1800),
    ],
)
def test_each_phase_has_its_own_patience(phase: Phase | None, limit_s: float) -> None:
    assert Silence(0.0).limit_s(phase, TIMES) == limit_s


def test_a_run_of_slow_steps_is_given_twenty_of_them() -> None:
    silence = Silence(0.0)
    for step in range(1, 6):
        silence.broken(step * 100.0)
    assert silence.limit_s(Phase.TRAINING, TIMES) == 2000


def test_one_long_pause_is_not_the_rule() -> None:
    """A process that was suspended for an hour is not given twenty hours the next time."""
    silence, now = Silence(0.0), 0.0
    for pause in (1.0, 1.0, 3600.0, 1.0):
        now += pause
        silence.broken(now)
    assert silence.limit_s(Phase.TRAINING, TIMES) == 600


def test_what_is_said_clears_the_warning() -> None:
    silence = Silence(0.0, warned=True)
    silence.broken(5.0)
    assert (silence.warned, silence.heard_at) == (False, 5.0)


def test_a_stop_is_over_in_150_seconds_and_a_zombie_in_60() -> None:
    assert TIMES.save_s + TIMES.terminate_s <= 150
    assert TIMES.reap_s + 2 * TIMES.tick_idle_s <= 60
    assert 3 * TIMES.renew_s < TIMES.lease_s


def test_the_defaults_of_the_settings_are_those_of_the_supervisor() -> None:
    assert Timeouts.of(Settings(_env_file=None)) == TIMES


def test_settings_become_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "STALL_STEP_S": "5",
        "RETRY_AFTER_S": "1, 2.5",
        "SAVE_TIMEOUT_S": "7",
    }.items():
        monkeypatch.setenv(f"EASYTUNE_{name}", value)
    times = Timeouts.of(Settings(_env_file=None))
    assert (times.stall_step_s, times.save_s, times.retry_after_s) == (5.0, 7.0, (1.0, 2.5))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RETRY_AFTER_S", ""),
        ("RETRY_AFTER_S", "-1"),
        ("RETRY_AFTER_S", "soon"),
        ("STALL_STEP_S", "inf"),
        ("LAUNCH_TIMEOUT_S", "0"),
        ("SAVE_TIMEOUT_S", "nan"),
    ],
)
def test_impossible_deadlines_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"EASYTUNE_{name}", value)
    with pytest.raises(ValueError, match=name.lower()):
        Settings(_env_file=None)
