"""One's way in a log: the k-th of n, the next and the previous one, marks, sections."""

from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from backend.jobs import log_blocks
from backend.jobs.log_file import total_lines
from backend.tasks import log_search
from tests.backend.tasks.conftest import START, MakeRun, Run, log_line
from training_engine.run_host.log_file import LogFile


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small log has many."""
    monkeypatch.setattr(log_blocks, "BLOCK_BYTES", 700)


async def _get(client: httpx.AsyncClient, run: Run, what: str, **query: Any) -> Any:
    answer = await client.get(f"/api/v1/tasks/{run.id}/logs/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _numbered(make_run: MakeRun) -> Run:
    """300 lines of which every seventh is a hit: 7, 14, …"""
    run = await make_run()
    run.log(*(f"{'hit' if i % 7 == 0 else 'miss'} {i} {'x' * (i % 50)}" for i in range(1, 301)))
    return run


async def test_the_kth_of_n(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await _numbered(make_run)
    for k in (1, 2, 21, 42):
        found = await _get(client, run, "find", q="hit", index=k)
        assert (found["index"], found["matched"]) == (k, 42)
        assert found["line"]["number"] == 7 * k
        assert found["line"]["text"].startswith(f"hit {7 * k}")
    for k in (43, 10**15):
        found = await _get(client, run, "find", q="hit", index=k)
        assert found == {"index": None, "matched": 42, "line": None}


async def test_the_next_and_the_previous_one(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await _numbered(make_run)

    async def found(**query: Any) -> tuple[int, int]:
        answer = await _get(client, run, "find", q="^hit", regex=True, **query)
        assert answer["matched"] == 42
        return answer["line"]["number"], answer["index"]

    assert await found() == (7, 1)
    at, seen = 0, []
    for _ in range(43):
        at, index = await found(**{"from": at})
        seen.append((at, index))
    assert seen == [(7 * k, k) for k in range(1, 43)] + [(7, 1)]  # goes round
    assert await found(**{"from": 100}, direction="previous") == (98, 14)
    assert await found(**{"from": 98}, direction="previous") == (91, 13)
    assert await found(**{"from": 7}, direction="previous") == (294, 42)
    assert await found(**{"from": 0}, direction="previous") == (294, 42)
    assert await found(**{"from": 10**15}) == (7, 1)
    assert await found(**{"from": 10**15}, direction="previous") == (294, 42)
    nothing = await _get(client, run, "find", q="absent")
    assert nothing == {"index": None, "matched": 0, "line": None}


async def test_marks_and_growth(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await _numbered(make_run)
    found = await _get(client, run, "matches", q="hit")
    assert found == {
        "matched": 42,
        "total": 300,
        "complete": True,
        "marks": [7 * k for k in range(1, 43)],
    }
    for number in range(301, 400):
        run.log("hit" if number % 2 else "miss")
        if number % 20 == 0:
            now = await _get(client, run, "matches", q="hit")
            assert now["matched"] == 42 + (number - 300) // 2
            assert now["marks"][42:] == list(range(301, number, 2))
    every = await _get(client, run, "matches")
    assert (every["matched"], every["total"]) == (399, 399)


async def test_marks_are_thinned(
    client: httpx.AsyncClient, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_blocks, "BLOCK_BYTES", 50_000)
    run = await make_run()
    run.log(*(f"hit {i}" for i in range(5000)))
    found = await _get(client, run, "matches", q="hit")
    assert found["matched"] == 5000
    assert 400 < len(found["marks"]) <= 1000
    assert found["marks"] == sorted(set(found["marks"]))
    assert found["marks"][-1] > 4900


async def test_what_is_not_known_in_time_says_so(
    client: httpx.AsyncClient, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "WORK_S", 0)
    run = await _numbered(make_run)
    found = await _get(client, run, "find", q="hit", **{"from": 200})
    assert found["line"]["number"] == 203
    assert (found["index"], found["matched"]) == (None, None)
    matches = await _get(client, run, "matches", q="hit")
    assert (matches["matched"], matches["complete"]) == (None, False)
    monkeypatch.setattr(log_search, "WORK_S", 60)
    matches = await _get(client, run, "matches", q="hit")
    assert (matches["matched"], matches["complete"]) == (42, True)


async def test_no_log_yet(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    empty = {"matched": 0, "total": 0, "complete": True, "marks": []}
    assert await _get(client, run, "matches", q="x") == empty
    nothing = {"index": None, "matched": 0, "line": None}
    for query in ({}, {"index": 3}, {"direction": "previous", "from": 5}):
        assert await _get(client, run, "find", q="x", **query) == nothing
    assert await _get(client, run, "sections") == {"sections": [], "first_error": None}


async def test_a_hole_is_stepped_over(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    file = run.folder().log_file
    writer = LogFile(file, max_bytes=30_000, head_bytes=5_000, step_bytes=6_000)
    for i in range(1, 1201):
        writer.write(log_line(f"{'hit' if i % 7 == 0 else 'miss'} {i}", i), "")
        if i in (500, 900):
            await _get(client, run, "matches", q="hit")  # what is known changes with the hole
    writer.close("")
    content = file.read_bytes()
    kept = [int(line.split()[4]) for line in content.split(b"\n") if b" hit " in line]
    found = await _get(client, run, "matches", q="hit")
    assert found == {"matched": len(kept), "total": 1200, "complete": True, "marks": kept}
    assert total_lines(file) == 1200
    for k in (1, len(kept) // 2, len(kept)):
        line = (await _get(client, run, "find", q="hit", index=k))["line"]
        assert (line["number"], line["text"]) == (kept[k - 1], f"hit {kept[k - 1]}")
    gone = await _get(client, run, "find", q="dropped:")
    assert "reached its limit" in gone["line"]["text"]
    after = next(number for number in kept if number > gone["line"]["number"])
    assert after - gone["line"]["number"] > 500
    following = await _get(client, run, "find", q="hit", **{"from": gone["line"]["number"]})
    assert following["line"]["number"] == after
    answer = await client.get(f"/api/v1/tasks/{run.id}/logs/download")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert b"\0" not in answer.content
    assert [int(x.split()[4]) for x in answer.content.split(b"\n") if b" hit " in x] == kept


async def test_sections(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    run.log("reading", "step 1", "step 2", "evaluated", "step 3")
    run.log("boom", level="error")
    run.log("saved")

    def at(second: float) -> str:
        return (START + timedelta(seconds=second)).isoformat()

    events = [
        ("started", 0, {"device": "cpu", "dtype": "f", "device_reason": "x", "versions": {}}),
        ("progress", 0.1, {"phase": "preparing"}),
        ("progress", 0.5, {"phase": "training", "step": 1}),
        ("progress", 1.5, {"phase": "training", "step": 2}),
        ("progress", 2.5, {"phase": "evaluating"}),
        ("progress", 3.5, {"phase": "training"}),
    ]
    lines = []
    for seq, (type_, second, fields) in enumerate(events):
        body = {"v": 1, "seq": seq, "at": at(second), "type": type_, **fields}
        lines.append(orjson.dumps(body) + b"\n")
    run.events_file().write_bytes(b"".join(lines))

    async def sections() -> list[tuple[str, int, int | None]]:
        found = await _get(client, run, "sections")
        assert (found["first_error"]["number"], found["first_error"]["text"]) == (6, "boom")
        return [(s["name"], s["first_number"], s["last_number"]) for s in found["sections"]]

    begun = [("prepare", 1, 1), ("train", 2, 3), ("evaluate", 4, 4)]
    assert await sections() == [*begun, ("train", 5, None)]
    more = {"v": 1, "seq": 6, "at": at(5.5), "type": "progress", "phase": "saving"}
    last = {"v": 1, "seq": 7, "at": at(9), "type": "finished", "step": 3}
    with run.events_file().open("ab") as file:
        file.write(orjson.dumps(more) + b"\n" + orjson.dumps(last) + b"\n")
    assert await sections() == [*begun, ("train", 5, 6), ("save", 7, 7)]
