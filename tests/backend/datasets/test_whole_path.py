"""From the upload to a ready data set with the real supervisor, run host and child."""

import asyncio
import time

import httpx

from backend.database import SessionFactory
from backend.runner.supervisor import Supervisor
from backend.settings import Settings
from tests.backend.datasets.conftest import API

PATIENCE_S = 60.0


async def test_import_by_the_supervisor(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    supervisor = Supervisor(settings, sessions)
    running = asyncio.create_task(supervisor.run())
    try:
        posted = await client.post(f"{API}/examples", json={"example": "customer-service"})
        assert posted.json()["status"] == "importing"
        url = f"{API}/{posted.json()['id']}"
        deadline = time.monotonic() + PATIENCE_S
        while (found := (await client.get(url)).json())["status"] == "importing":
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.02)
    finally:
        supervisor.stop()
        await running
    assert found["status"] == "ready"
    assert found["num_rows"] >= 200
    assert found["counts"]["dropped"] == 0
    rows = (await client.get(f"{url}/rows", params={"limit": 1})).json()
    assert rows["items"][0]["record"]["messages"][-1]["role"] == "assistant"
