"""What every executor must do, whatever machine it stands for: give `make_executor` another one.

The run hosts are real, the engine is the fake one.
"""

import asyncio
import inspect
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from backend.ids import new_id
from backend.jobs.event_file import last_event
from backend.jobs.run_folder import RunFolder
from backend.processes.identity import carrying
from backend.runner.executors.executor import Executor, Observation, Order, Sign
from backend.runner.executors.local import LocalExecutor
from backend.runner.kinds import Kind
from tests.backend.runner.conftest import ENDLESS, FAKE
from training_engine.contract.names import RUN_DIR_VARIABLE

PATIENCE_S = 60.0
Make = Callable[[Path], Executor]


@pytest.fixture(params=[LocalExecutor], ids=["local"])
def make_executor(request: pytest.FixtureRequest) -> Make:
    """Makes an executor whose attempts appear below a folder; another one of the same machine
    knows what the first has started."""
    make: Make = request.param
    return make


class Place:
    """An executor at work, and what the contract is asked of."""

    def __init__(self, make: Make, runs_dir: Path) -> None:
        self.make, self.runs_dir = make, runs_dir
        self.executor = make(runs_dir)

    def folder(self, **fake: Any) -> RunFolder:
        folder = RunFolder.of(self.runs_dir, new_id(), 1)
        folder.create({"kind": "fake", "attempt": 1, "fake": fake or {"steps": 2}})
        return folder

    async def started(self, kind: Kind = FAKE, **fake: Any) -> RunFolder:
        folder = self.folder(**fake)
        await self.executor.start(folder, kind, {"CUDA_VISIBLE_DEVICES": ""})
        return folder

    async def look(self, folder: RunFolder) -> Observation:
        return (await self.executor.probe([folder]))[folder]

    async def until(self, folder: RunFolder, *signs: Sign) -> Observation:
        deadline = time.monotonic() + PATIENCE_S
        while (seen := await self.look(folder)).sign not in signs:
            assert time.monotonic() < deadline, f"still {seen.sign}"
            await asyncio.sleep(0.03)
        return seen

    async def until_step(self, folder: RunFolder) -> None:
        """Until the engine is at work."""
        deadline = time.monotonic() + PATIENCE_S
        while last_event(folder.events_file) is None:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.03)


@pytest.fixture
async def place(make_executor: Make, tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(make_executor, tmp_path / "runs")
    yield made
    for process, value in carrying(RUN_DIR_VARIABLE):
        if Path(value).is_relative_to(tmp_path):
            process.kill()


def test_there_are_four_calls() -> None:
    def calls(kind: type) -> set[str]:
        named = inspect.getmembers(kind, inspect.isfunction)
        return {name for name, _ in named if not name.startswith("_")}

    assert calls(Executor) == calls(LocalExecutor) == {"start", "probe", "signal", "collect"}


async def test_from_start_to_end(place: Place) -> None:
    folder = place.folder(steps=3)
    assert (await place.look(folder)).sign is Sign.ABSENT
    await place.executor.start(folder, FAKE)
    assert (await place.look(folder)).sign in {Sign.STARTING, Sign.ALIVE}
    await place.until(folder, Sign.ALIVE, Sign.ENDED)
    await place.until(folder, Sign.ENDED)
    remains = await place.executor.collect(folder)
    assert remains.exit_facts is not None
    assert (remains.exit_facts["exit_code"], remains.host_output) == (0, "")
    assert (await place.look(folder)).sign is Sign.ENDED  # for ever
    last = last_event(folder.events_file)
    assert last is not None
    assert last.type == "finished"


@pytest.mark.parametrize(
    ("order", "exit_code", "saves"), [(Order.SAVE, 3, True), (Order.STOP, 3, False)]
)
async def test_mild_orders(place: Place, order: Order, exit_code: int, saves: bool) -> None:
    folder = await place.started(**ENDLESS, save_every=10**9)
    await place.until_step(folder)
    assert await place.executor.signal(folder, order) >= 1
    await place.executor.signal(folder, order)
    await place.until(folder, Sign.ENDED)
    facts = (await place.executor.collect(folder)).exit_facts
    assert facts is not None
    assert facts["exit_code"] == exit_code
    assert any(folder.checkpoints_dir.glob("step-*")) is saves


@pytest.mark.parametrize("order", [Order.TERMINATE, Order.KILL])
async def test_force_leaves_the_host_to_say_how_it_ended(place: Place, order: Order) -> None:
    folder = await place.started(**ENDLESS)
    await place.until_step(folder)
    assert await place.executor.signal(folder, order) == 1
    await place.until(folder, Sign.ENDED)
    facts = (await place.executor.collect(folder)).exit_facts
    assert facts is not None
    wanted = {Order.TERMINATE: (3, None), Order.KILL: (None, signal.SIGKILL)}
    assert (facts["exit_code"], facts["signal"]) == wanted[order]
    assert await place.executor.signal(folder, order) == 0  # nobody is left


async def test_the_end_takes_the_whole_tree(place: Place) -> None:
    folder = await place.started(**ENDLESS, spawn_at=1)
    await place.until_step(folder)
    assert folder in await place.executor.probe()
    assert await place.executor.signal(folder, Order.END, grace_s=0.0) == 0
    assert folder not in await place.executor.probe()
    assert (await place.look(folder)).sign in {Sign.LOST, Sign.ENDED}
    assert await place.executor.signal(folder, Order.END) == 0


async def test_an_engine_outlives_its_executor_and_the_next_one_knows_it(place: Place) -> None:
    folder = await place.started(**ENDLESS)
    await place.until(folder, Sign.ALIVE)
    place.executor = place.make(place.runs_dir)
    assert (await place.look(folder)).sign is Sign.ALIVE
    other = place.folder()
    found = await place.executor.probe()
    assert folder in found
    assert other not in found
    assert found[folder].sign is Sign.ALIVE
    assert await place.executor.signal(folder, Order.END) == 0


async def test_what_has_not_started_can_be_revoked(place: Place) -> None:
    folder = place.folder()
    assert await place.executor.signal(folder, Order.REVOKE) == 0
    await place.executor.start(folder, FAKE)  # late, by somebody who was paused
    await asyncio.sleep(1.0)
    # Still so when who revoked it could not write what follows from that.
    assert (await place.look(folder)).sign is Sign.ABSENT
    assert last_event(folder.events_file) is None
    assert "has ended" in (await place.executor.collect(folder)).host_output


async def test_what_lives_is_not_revoked(place: Place) -> None:
    folder = await place.started(**ENDLESS)
    await place.until(folder, Sign.ALIVE)
    assert await place.executor.signal(folder, Order.REVOKE) == 1
    assert (await place.look(folder)).sign is Sign.ALIVE
    assert await place.executor.signal(folder, Order.END) == 0


async def test_a_host_that_dies_takes_its_engine_along_and_is_lost(place: Place) -> None:
    folder = await place.started(**ENDLESS)
    await place.until_step(folder)
    facts = folder.identity()
    assert facts is not None
    os.kill(facts["pid"], signal.SIGKILL)
    await place.until(folder, Sign.LOST)
    assert await place.executor.signal(folder, Order.END, grace_s=5.0) == 0
    assert (await place.executor.collect(folder)).exit_facts is None


async def test_a_dead_engine_under_a_host_that_does_not_notice(place: Place) -> None:
    folder = await place.started(**ENDLESS)
    await place.until_step(folder)
    facts = folder.identity()
    assert facts is not None
    assert (await place.look(folder)) == Observation(Sign.ALIVE, engine_dead=False)
    host, engine = psutil.Process(facts["pid"]), psutil.Process(facts["child_pid"])
    host.suspend()
    engine.kill()
    deadline = time.monotonic() + PATIENCE_S
    while not (await place.look(folder)).engine_dead:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.03)
    assert await place.executor.signal(folder, Order.END) == 0
    assert (await place.look(folder)).sign is Sign.LOST


async def test_what_can_not_be_launched_says_why(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/does/not/exist")
    with pytest.raises(OSError, match="No such file"):
        await place.started()


async def test_nothing_there_is_absent_and_orders_to_it_are_no_error(place: Place) -> None:
    folder = RunFolder.of(place.runs_dir, new_id(), 1)
    assert (await place.look(folder)).sign is Sign.ABSENT
    for order in (Order.TERMINATE, Order.KILL, Order.END, Order.REVOKE):
        assert await place.executor.signal(folder, order) == 0
    assert (await place.executor.collect(folder)).exit_facts is None


async def test_a_child_that_ended_leaves_no_zombie(place: Place) -> None:
    folder = await place.started(steps=1)
    facts = None
    while facts is None:
        facts = folder.identity()
        await asyncio.sleep(0.02)
    await place.until(folder, Sign.ENDED)
    await place.executor.collect(folder)
    deadline = time.monotonic() + PATIENCE_S
    while psutil.pid_exists(facts["pid"]):
        assert time.monotonic() < deadline
        await place.executor.probe([])
        await asyncio.sleep(0.03)
