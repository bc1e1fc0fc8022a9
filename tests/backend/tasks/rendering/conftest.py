"""One token worker for all apps of these tests: a fresh one takes seconds to load its libraries."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from backend.tasks.rendering.counts import LengthCounts
from backend.tasks.rendering.desk import TokenDesk


@pytest.fixture(scope="session")
async def lasting_desk() -> AsyncIterator[TokenDesk]:
    """A desk that outlives the apps; a test may kill its worker, the next question starts one."""
    with tempfile.TemporaryDirectory(prefix="easytune-") as folder:  # paths of sockets are short
        desk = TokenDesk(Path(folder))
        await desk.start()
        yield desk
        await desk.close()


@pytest.fixture
async def app(app: FastAPI, lasting_desk: TokenDesk) -> AsyncIterator[FastAPI]:
    """The application, with the desk that lasts."""
    app.state.token_desk = lasting_desk
    app.state.length_counts = LengthCounts(lasting_desk)
    yield app
    await app.state.length_counts.close()
