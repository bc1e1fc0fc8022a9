"""Curves, events, samples and checkpoints, over all attempts and while they grow."""

import csv
import math
import time
from typing import Any

import httpx
import orjson
import pytest

from backend.database import SessionFactory, transaction
from backend.jobs import service as jobs
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus
from backend.tasks.downsample import kept_indexes
from tests.backend.tasks.conftest import MakeRun, Run
from training_engine.contract.names import SPEC_FILE


async def _get(client: httpx.AsyncClient, run: Run, what: str, **query: Any) -> Any:
    answer = await client.get(f"/api/v1/tasks/{run.id}/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _started(events: Any) -> None:
    events.write("started", device="cpu", dtype="float32", device_reason="no GPU", versions={})


async def test_curves_grow_with_the_file(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    assert (await _get(client, run, "metrics"))["series"] == {}
    with run.events() as events:
        _started(events)
        events.write("metrics", step=1, values={"loss": 2.5})
        first = await _get(client, run, "metrics")
        events.write("metrics", step=2, values={"loss": math.nan, "eval_loss": 1.5})
        second = await _get(client, run, "metrics")
    assert [(p["step"], p["value"]) for p in first["series"]["loss"]] == [(1, 2.5)]
    assert [(p["step"], p["value"]) for p in second["series"]["loss"]] == [(1, 2.5), (2, None)]
    assert [(p["step"], p["value"]) for p in second["series"]["eval_loss"]] == [(2, 1.5)]
    assert first["next"] != second["next"]
    assert second["attempts"] == {"1": 0}


async def test_a_resumed_attempt_replaces_what_it_did_again(
    client: httpx.AsyncClient, make_run: MakeRun, sessions: SessionFactory
) -> None:
    run = await make_run()
    with run.events() as events:
        _started(events)
        for step in range(1, 8):
            events.write("metrics", step=step, values={"loss": 10.0 + step})
            if step in {2, 4, 6}:
                _checkpoint(run, events, step)
    await run.move(JobStatus.FAILED, resumable=True)
    async with transaction(sessions) as session:
        await jobs.requeue(session, run.job_id, resume=True)
    folder = run.folder(2)
    spec = {"resume_from": str(run.folder().checkpoints_dir / "step-4")}
    (folder.path / SPEC_FILE).write_bytes(orjson.dumps(spec))
    with run.events(2) as events:
        _started(events)
        events.write("metrics", step=5, values={"loss": 25.0})
        found = await _get(client, run, "metrics")
    assert [(p["step"], p["value"]) for p in found["series"]["loss"]] == [
        *((step, 10.0 + step) for step in range(1, 5)),
        (5, 25.0),
    ]
    assert found["attempts"] == {"1": 0, "2": 4}
    assert found["checkpoints"] == [2, 4]


def _checkpoint(run: Run, events: Any, step: int, *, exists: bool = True) -> None:
    if exists:
        folder = run.folder().checkpoints_dir / f"step-{step}"
        folder.mkdir(parents=True)
        (folder / "MANIFEST.json").write_text("{}")
    events.write(
        "checkpoint", step=step, name=f"step-{step}", size_bytes=7, manifest_sha256="0" * 64
    )


async def test_thinning_keeps_every_spike_and_hole(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    with run.events() as events:
        _started(events)
        for step in range(2000):
            value = 99.0 if step == 777 else -99.0 if step == 778 else 1.0
            events.write("metrics", step=step, values={"loss": math.nan if step == 779 else value})
    points = (await _get(client, run, "metrics", max_points=50))["series"]["loss"]
    assert len(points) <= 50
    values = {p["step"]: p["value"] for p in points}
    assert (values[777], values[778], values[779]) == (99.0, -99.0, None)
    assert {0, 1999} <= set(values)


@pytest.mark.parametrize("count", [1, 9, 10, 11, 49, 50, 51, 1000, 12345])
@pytest.mark.parametrize("most", [10, 50, 2000])
def test_thinning_never_exceeds_its_limit(count: int, most: int) -> None:
    values = [math.sin(i) for i in range(count)]
    kept = kept_indexes(values, most)
    assert len(kept) <= most
    assert kept == sorted(set(kept))
    assert (kept[0], kept[-1]) == (0, count - 1)
    assert max(values[i] for i in kept) == max(values)
    assert min(values[i] for i in kept) == min(values)


async def test_events_tell_moves_and_remarks_in_order(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    with run.events() as events:
        _started(events)
        events.write(
            "notice", level="warning", code="truncated", message="3 rows.", params={"n": 3}
        )
        _checkpoint(run, events, 2)
        events.write("failed", code="disk_full", message="No space.", hint="Free some.")
    await run.move(JobStatus.FAILED)
    found = await _get(client, run, "events")
    assert [(e["type"], e["code"], e["level"]) for e in found] == [
        ("transition", "PENDING", "info"),
        ("transition", "PREPARING", "info"),
        ("transition", "RUNNING", "info"),
        ("started", "started", "info"),
        ("notice", "truncated", "warning"),
        ("checkpoint", "saved", "info"),
        ("failed", "disk_full", "error"),
        ("transition", "FAILED", "error"),
    ]
    assert found[4]["params"] == {"n": 3}
    assert len({event["id"] for event in found}) == len(found)


async def test_samples_and_checkpoints(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    with run.events() as events:
        _started(events)
        item = {"prompt": "Hi", "expected": "Hello", "answer": "你好"}
        events.write("samples", step=3, items=[item])
        _checkpoint(run, events, 2, exists=False)
        _checkpoint(run, events, 4)
    (samples,) = await _get(client, run, "samples")
    assert (samples["step"], samples["items"]) == (3, [item])
    checkpoints = await _get(client, run, "checkpoints")
    assert [(c["step"], c["exists"], c["attempt"]) for c in checkpoints] == [
        (2, False, 1),
        (4, True, 1),
    ]


async def test_a_line_that_nobody_knows_holds_nothing_up(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    with run.events() as events:
        _started(events)
        with run.events_file().open("ab") as file:
            file.write(b'{"type": "surprise"}\nnot json\n')
        events.write("metrics", step=1, values={"loss": 1.0})
    assert len((await _get(client, run, "metrics"))["series"]["loss"]) == 1


async def test_a_folder_that_was_made_anew_is_read_anew(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    with run.events() as events:
        events.write("metrics", step=1, values={"loss": 1.0})
    await _get(client, run, "metrics")
    folder: RunFolder = run.folder()
    folder.events_file.rename(folder.events_file.with_suffix(".old"))
    with run.events() as events:
        events.write("metrics", step=9, values={"loss": 9.0})
    points = (await _get(client, run, "metrics"))["series"]["loss"]
    assert [p["step"] for p in points] == [9]


async def test_every_point_as_a_table(
    client: httpx.AsyncClient, make_run: MakeRun, sessions: SessionFactory
) -> None:
    run = await make_run(output_name="bot")
    with run.events() as events:
        _started(events)
        for step in range(1, 6):
            events.write("metrics", step=step, epoch=step / 4, values={"loss": 1 / step})
        events.write("metrics", step=5, values={"=odd, name": math.nan})
    await run.move(JobStatus.FAILED)
    async with transaction(sessions) as session:
        await jobs.requeue(session, run.job_id, resume=False)
    run.folder(2).spec_file.write_bytes(orjson.dumps({"resume_from": "/x/step-3"}))
    with run.events(attempt=2) as events:
        _started(events)
        for step in range(4, 3004):
            events.write("metrics", step=step, values={"loss": 2.0})
    answer = await client.get(f"/api/v1/tasks/{run.id}/metrics", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "bot.metrics.csv" in answer.headers["Content-Disposition"]
    head, *rows = csv.reader(answer.text.splitlines())
    assert head == ["name", "attempt", "step", "epoch", "value", "at"]
    assert [row[:5] for row in rows[:4]] == [
        ["loss", "1", "1", "0.25", "1.0"],
        ["loss", "1", "2", "0.5", "0.5"],
        ["loss", "1", "3", "0.75", repr(1 / 3)],
        ["loss", "2", "4", "", "2.0"],
    ]
    assert len(rows) == 3 + 3000  # what the second attempt did again is its own


async def test_names_and_numbers_that_need_care_in_a_table(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    with run.events() as events:
        _started(events)
        events.write("metrics", step=5, values={"=odd, name": math.nan, 'a"b': 1e-7})
    answer = await client.get(f"/api/v1/tasks/{run.id}/metrics", params={"format": "csv"})
    rows = [row[:5] for row in csv.reader(answer.text.splitlines())][1:]
    assert rows == [["'=odd, name", "1", "5", "", "NaN"], ['a"b', "1", "5", "", "1e-07"]]


async def test_a_long_run_shows_its_curves_quickly(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    """100,000 points: at first parsed once, then only what is new."""
    run = await make_run()
    with run.events() as events:
        _started(events)
        events.write("metrics", step=1, values={"loss": 1.0, "grad_norm": 2.0})
    line = run.events_file().read_bytes().splitlines()[-1]
    with run.events_file().open("ab") as file:
        file.writelines(line.replace(b'"step":1', b'"step":%d' % n) + b"\n" for n in range(50_000))
    await _get(client, run, "metrics")
    begun = time.process_time()
    found = await _get(client, run, "metrics")
    assert time.process_time() - begun < 1
    assert len(found["series"]["loss"]) <= 2000
