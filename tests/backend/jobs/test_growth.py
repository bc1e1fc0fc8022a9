"""Many readers of one file wait; one look tells them all."""

import asyncio
from pathlib import Path

import pytest

from backend.jobs import growth
from backend.jobs.growth import GrowthWatch


async def test_readers_are_told_when_their_file_grows(tmp_path: Path) -> None:
    watch, file = GrowthWatch(0.01), tmp_path / "a.log"
    readers = [asyncio.create_task(watch.beyond(file, 0, 10)) for _ in range(20)]
    ahead = asyncio.create_task(watch.beyond(file, 5, 10))
    await asyncio.sleep(0.05)
    file.write_bytes(b"12345")
    assert await asyncio.gather(*readers) == [5] * 20
    assert not ahead.done()
    file.write_bytes(b"123456")
    assert await ahead == 6
    await watch.close()


async def test_what_is_there_already_needs_no_waiting(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_bytes(b"123")
    assert await GrowthWatch(60).beyond(file, 2, 60) == 3


async def test_waiting_ends_with_its_time_and_nobody_looks_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, looks = GrowthWatch(0.005), 0
    size = growth._size

    def counted(file: Path) -> int:
        nonlocal looks
        looks += 1
        return size(file)

    monkeypatch.setattr(growth, "_size", counted)
    assert await watch.beyond(tmp_path / "a.log", 0, 0.05) == 0
    await asyncio.sleep(0.02)
    after = looks
    await asyncio.sleep(0.05)
    assert looks == after


async def test_a_reader_that_leaves_does_not_disturb_the_others(tmp_path: Path) -> None:
    watch, file = GrowthWatch(0.01), tmp_path / "a.log"
    leaving = asyncio.create_task(watch.beyond(file, 0, 10))
    staying = asyncio.create_task(watch.beyond(file, 0, 10))
    await asyncio.sleep(0.03)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    file.write_bytes(b"1")
    assert await staying == 1
