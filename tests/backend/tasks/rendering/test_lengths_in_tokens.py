"""Lengths in tokens: counted once in the background, exact, kept beside the version."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import psutil
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from backend.accounts.tables import UserRow
from backend.database import SessionFactory
from backend.datasets.files import version_dir
from backend.settings import Settings
from backend.tasks.rendering import counts
from backend.tasks.rendering.counts import LengthsFile
from backend.tasks.rendering.length_statistics import statistics
from tests.backend.tasks.rendering.stored import chat, keep, make_model
from tests.training_engine.data.templates import DEFAULT_SYSTEM, MISTRAL
from training_engine.contract.choices import Objective

API = "/api/v1/datasets"
# <|im_start|>user\n…<|im_end|>\n<|im_start|>assistant\n…<|im_end|>\n, a byte each but for the marks
AROUND = 1 + 5 + 1 + 1 + 1 + 10 + 1 + 1


async def lengths(client: httpx.AsyncClient, dataset: UUID, **params: Any) -> dict[str, Any]:
    """Until they are counted."""
    values = {name: str(value) for name, value in params.items()}
    for _ in range(600):
        answer = await client.get(f"{API}/{dataset}/lengths", params=values)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        if found["status"] != "counting":
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("it never ended")


async def test_exact_lengths(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
) -> None:
    rows = [chat("Hi", "a" * n) for n in range(100)]
    data = await keep(sessions, settings, administrator.id, rows)
    model, _ = await make_model(sessions, settings, context_length=60)
    found = await lengths(client, data.id, model_id=model.id)
    short = AROUND + 2
    assert (found["counted_rows"], found["num_rows"]) == (100, 100)
    assert (found["refused"], found["objective"]) == (0, "sft")
    assert found["max"] == short + 99
    assert found["mean"] == short + 49.5
    assert found["median"] == short + 49
    assert found["p95"] == short + 94
    assert sum(each["count"] for each in found["bins"]) == 100
    assert {each["limit"]: each["rows"] for each in found["over"]} == {
        60: 99 - (60 - short),
        512: 0,
        1024: 0,
        2048: 0,
    }
    kept = list(version_dir(settings, data.id, 1).glob("lengths-*"))
    assert [file.suffix for file in kept] == [".json"]

    # Another template is another count; a second question is none.
    other = await lengths(client, data.id, model_id=model.id, chat_template=DEFAULT_SYSTEM)
    assert other["max"] > found["max"]
    assert len(list(version_dir(settings, data.id, 1).glob("lengths-*"))) == 2
    assert await lengths(client, data.id, model_id=model.id) == found


async def test_refused_rows_say_why(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
) -> None:
    rows = [chat("Hi", "yes"), *[chat("Hi", "yes", system="Be brief.")] * 3]
    data = await keep(sessions, settings, administrator.id, rows)
    model, _ = await make_model(sessions, settings, MISTRAL)
    found = await lengths(client, data.id, model_id=model.id)
    assert (found["counted_rows"], found["refused"]) == (4, 3)
    assert found["reasons"] == [{"reason": "Roles must alternate user and assistant.", "rows": 3}]


async def test_large_sets_are_sampled_evenly(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counts, "MOST_ROWS", 150)
    rows = [{"text": "a" * (1 + n)} for n in range(1000)]
    data = await keep(sessions, settings, administrator.id, rows, "language_modeling")
    model, _ = await make_model(sessions, settings)
    found = await lengths(client, data.id, model_id=model.id)
    assert (found["counted_rows"], found["num_rows"]) == (150, 1000)
    assert found["max"] >= 990
    assert abs(found["mean"] - 502) < 8, "with the end of text"


@pytest.mark.long  # a second process with a tokenizer, and thousands of rows to be counted
async def test_a_worker_that_dies_while_it_counts(
    client: httpx.AsyncClient,
    app: FastAPI,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
) -> None:
    data = await keep(sessions, settings, administrator.id, [chat("Hi", "b" * 500)] * 3000)
    model, _ = await make_model(sessions, settings)
    url, params = f"{API}/{data.id}/lengths", {"model_id": str(model.id)}
    progress = 0.0
    while not 0 < progress < 1:
        found = (await client.get(url, params=params)).json()
        assert found["status"] == "counting"
        progress = found["progress"]
        await asyncio.sleep(0.02)
    psutil.Process(app.state.token_desk._worker._process.pid).kill()
    found = await lengths(client, data.id, model_id=model.id)
    assert (found["status"], found["counted_rows"]) == ("ready", 3000)


async def test_a_model_that_can_not_be_read_fails_once(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
) -> None:
    data = await keep(sessions, settings, administrator.id, [chat("Hi", "yes")])
    model, folder = await make_model(sessions, settings)
    whole = (folder / "tokenizer.json").read_text("utf-8")
    (folder / "tokenizer.json").write_text("{")
    found = await lengths(client, data.id, model_id=model.id)
    assert found["status"] == "failed"
    assert "tokenizer" in found["error"]["message"]
    (folder / "tokenizer.json").write_text(whole, "utf-8")
    assert (await lengths(client, data.id, model_id=model.id))["status"] == "ready"


@given(st.dictionaries(st.integers(0, 5000), st.integers(1, 9), max_size=30), st.integers(0, 5))
def test_figures_add_up(found: dict[int, int], refused: int) -> None:
    rows = sorted(length for length, count in found.items() for _ in range(count))
    file = LengthsFile(num_rows=9999, lengths=found, refused=refused, reasons={})
    told = statistics(file, Objective.SFT, 700)
    assert told.counted_rows == len(rows) + refused
    assert sum(each.count for each in told.bins) == len(rows)
    assert all(each.low < each.high for each in told.bins)
    assert {each.limit: each.rows for each in told.over} == {
        limit: sum(length > limit for length in rows) for limit in (512, 700, 1024, 2048)
    }
    if not rows:
        assert told.max is None
        assert told.median is None
        return
    assert told.max == rows[-1]
    assert told.median == rows[(len(rows) - 1) // 2]
    assert told.p99 == rows[-(-99 * len(rows) // 100) - 1]
