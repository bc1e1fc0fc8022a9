"""What a first search needs is got ready once a page is shown, and nobody waits for it."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from backend.datasets.reading.desk import ReadingDesk
from backend.datasets.versions import search_index
from backend.datasets.versions.names import RECORDS_FILE, SEARCH_FILE
from tests.backend.datasets.preparing.made import talk, version


@pytest.fixture
async def desk() -> AsyncIterator[ReadingDesk]:
    found = ReadingDesk()
    yield found
    await found.close()


def process_of(desk: ReadingDesk) -> psutil.Process:
    """The child that reads."""
    assert desk._process is not None
    return psutil.Process(desk._process.pid)


def is_mapped(desk: ReadingDesk, file: Path) -> bool:
    """Whether the child has the file open in its memory."""
    return any(each.path == str(file) for each in process_of(desk).memory_maps())


async def test_a_page_opens_the_index_before_somebody_searches(
    tmp_path: Path, desk: ReadingDesk
) -> None:
    folder = version(tmp_path, [talk(f"Question {n}", "yes") for n in range(9_000)])
    search_index.build(folder)
    assert (await desk.rows(folder, 0, 10))["total"] == 9_000
    async with asyncio.timeout(20):
        while not is_mapped(desk, folder / SEARCH_FILE):
            await asyncio.sleep(0.02)
    assert (await desk.rows(folder, 0, 10, query="question 777"))["total"] == 11


async def test_a_data_set_that_is_shown_is_opened_before_its_rows_are_asked_for(
    tmp_path: Path, desk: ReadingDesk
) -> None:
    folder = version(tmp_path, [talk(f"Question {n}", "yes") for n in range(9_000)])
    search_index.build(folder)
    async with asyncio.timeout(20):
        for shown in (None, tmp_path / "deleted meanwhile", folder):
            desk.expect_questions(shown)
            while any(task and not task.done() for task in desk._ahead()):
                await asyncio.sleep(0.01)
        while not is_mapped(desk, folder / SEARCH_FILE):
            await asyncio.sleep(0.02)
    assert (await desk.rows(folder, 0, 10, query="question 777"))["total"] == 11


async def test_a_version_that_can_not_be_opened_in_time_ends_no_more_than_the_process(
    tmp_path: Path, desk: ReadingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = version(tmp_path, [talk("Who?", "I")])
    stuck = tmp_path / "stuck"
    stuck.mkdir()
    os.mkfifo(stuck / RECORDS_FILE)  # whoever opens it waits for ever
    monkeypatch.setattr(ReadingDesk._ask, "__defaults__", (0.5,))
    desk.expect_questions(stuck)
    async with asyncio.timeout(20):
        while desk._opening is None or not desk._opening.done():
            await asyncio.sleep(0.01)
    assert desk._opening.exception() is None
    monkeypatch.undo()
    assert (await desk.rows(folder, 0, 1))["total"] == 1


async def test_without_an_index_only_a_search_makes_one(tmp_path: Path, desk: ReadingDesk) -> None:
    folder = version(tmp_path, [talk("Who?", "I")])
    await desk.rows(folder, 0, 1)
    await desk.diff(folder, folder, mixed=False)  # what was to be done after the page is done
    await asyncio.sleep(0.2)
    assert not (folder / SEARCH_FILE).exists()
    assert (await desk.rows(folder, 0, 1, query="who"))["total"] == 1


async def test_pages_do_not_wait_for_an_index_that_opens_slowly(
    tmp_path: Path, desk: ReadingDesk
) -> None:
    slow, other = (version(tmp_path, [talk("Who?", "I")]) for _ in range(2))
    os.mkfifo(slow / SEARCH_FILE)  # whoever opens it waits for ever
    search_index.build(other)
    async with asyncio.timeout(30):
        for _ in range(8):
            for folder in (slow, other):
                assert (await desk.rows(folder, 0, 1))["total"] == 1
        assert (await desk.rows(other, 0, 1, query="who"))["total"] == 1


async def test_a_damaged_index_harms_no_page(tmp_path: Path, desk: ReadingDesk) -> None:
    long = talk("Who?", "I, as I have said before")  # short texts are not left in the file
    damaged, other = (version(tmp_path, [long]) for _ in range(2))
    (damaged / SEARCH_FILE).write_bytes(b"not an index")
    search_index.build(other)
    await desk.rows(damaged, 0, 1)
    await desk.rows(other, 0, 1)
    async with asyncio.timeout(20):
        while not is_mapped(desk, other / SEARCH_FILE):
            await asyncio.sleep(0.02)
    assert (await desk.rows(damaged, 0, 1))["total"] == 1
