"""Alive and ready are two questions."""

import httpx
import pytest
from fastapi import FastAPI

from backend.database import make_engine
from backend.system import health


async def test_ready(anonymous_client: httpx.AsyncClient) -> None:
    assert (await anonymous_client.get("/healthz")).json()["status"] == "ok"
    answer = await anonymous_client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {"database": "ok", "schema": "ok", "disk": "ok"},
    }


async def test_without_a_database_alive_but_not_ready(
    app: FastAPI, anonymous_client: httpx.AsyncClient
) -> None:
    engine = app.state.engine
    app.state.engine = make_engine("postgresql://nobody:secret@127.0.0.1:1/nothing")
    try:
        assert (await anonymous_client.get("/healthz")).status_code == 200
        answer = await anonymous_client.get("/readyz")
    finally:
        app.state.engine = engine
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.json()["checks"]["database"] == "away"
    assert "secret" not in answer.text


async def test_closing_is_red_first(app: FastAPI, anonymous_client: httpx.AsyncClient) -> None:
    app.state.closing.set()
    answer = await anonymous_client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["closing"] == "closing"


async def test_a_full_disk_is_not_ready(
    anonymous_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "MIN_FREE_BYTES", 1 << 60)
    answer = await anonymous_client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["disk"] == "full"
