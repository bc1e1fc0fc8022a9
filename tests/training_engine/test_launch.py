"""Whoever of several processes fails first, one reason is found, and nobody is left."""

import time
from pathlib import Path

import pytest

from training_engine import launch
from training_engine.control import StopRequests
from training_engine.failures import EngineFailure


def run(folder: Path, *words: str) -> tuple[int, EngineFailure | None]:
    for rank, word in enumerate(words):
        (folder / f"rank-{rank}").write_text(word)
    return launch.run_members(folder, len(words), StopRequests(folder), "tests.fakes.member")


@pytest.mark.parametrize("code", [0, 3])
def test_all_well(tmp_path: Path, code: int) -> None:
    assert run(tmp_path, str(code), str(code)) == (code, None)


def test_who_ends_is_not_torn_down(tmp_path: Path) -> None:
    assert run(tmp_path, "0", "fragile") == (0, None)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("waits", "killed"), "engine_crashed", "Process 2 of 2 was ended by SIGKILL."),
        (("internal", "killed"), "engine_crashed", "Process 2 of 2 was ended by SIGKILL."),
        (("killed", "waits"), "engine_crashed", "Process 1 of 2 was ended by SIGKILL."),
        (("waits", "out_of_memory"), "out_of_memory", "out_of_memory happened."),
        (("internal", "out_of_memory"), "out_of_memory", "out_of_memory happened."),
        (("waits", "internal"), "internal", "internal happened."),
        (("waits", "waits", "7"), "engine_crashed", "Process 3 of 3 ended unexpectedly"),
    ],
)
def test_the_reason_is_found_at_once(
    tmp_path: Path, words: tuple[str, ...], code: str, message: str
) -> None:
    """The cause, not the lost connection that followed; who waits is not waited for."""
    started = time.monotonic()
    _, failure = run(tmp_path, *words)
    assert time.monotonic() - started < 300  # they would wait for ten minutes
    assert failure is not None
    assert failure.code == code
    assert failure.message.startswith(message)
