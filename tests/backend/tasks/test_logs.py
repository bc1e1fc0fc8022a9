"""Pages of a log: every line once and in order, whatever the way through it."""

import httpx
import pytest

from backend.jobs.schemas import JobStatus
from backend.tasks import logs
from tests.backend.tasks.conftest import MakeRun, Run


async def _page(client: httpx.AsyncClient, run: Run, **query: object) -> dict:
    answer = await client.get(f"/api/v1/tasks/{run.id}/logs", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _texts(page: dict) -> list[str]:
    return [line["text"] for line in page["items"]]


async def test_pages_forward_show_every_line_once(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    run.log(*(f"line {i}" for i in range(25)))
    seen, after = [], None
    for _ in range(4):
        page = await _page(client, run, limit=10, **({"after": after} if after else {}))
        seen += page["items"]
        after = page["next"]
    assert [line["text"] for line in seen] == [f"line {i}" for i in range(25)]
    assert [line["number"] for line in seen] == list(range(1, 26))
    assert page["total"] == 25
    assert page["items"] == []
    run.log("one more")
    assert _texts(await _page(client, run, after=after)) == ["one more"]


async def test_the_id_is_the_place_in_the_file(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    run.log("first", "второй", "third")
    page = await _page(client, run)
    content = run.folder().log_file.read_bytes()
    for line in page["items"]:
        attempt, offset = line["id"].split("-")
        assert attempt == "1"
        assert content[int(offset) :].split(b"\n")[0].decode().endswith(line["text"])


async def test_tail_and_backwards(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    run.log(*(f"line {i}" for i in range(25)))
    page = await _page(client, run, tail=True, limit=10)
    assert _texts(page) == [f"line {i}" for i in range(15, 25)]
    assert [line["number"] for line in page["items"]] == list(range(16, 26))
    older = await _page(client, run, before=page["items"][0]["id"], tail=True, limit=10)
    assert _texts(older) == [f"line {i}" for i in range(5, 15)]
    oldest = await _page(client, run, before=older["items"][0]["id"], limit=10)
    assert _texts(oldest) == [f"line {i}" for i in range(5)]
    between = await _page(client, run, after=older["items"][0]["id"], before=page["items"][0]["id"])
    assert _texts(between) == [f"line {i}" for i in range(6, 15)]


async def test_an_empty_log_says_where_to_begin(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run(JobStatus.PENDING)
    page = await _page(client, run, tail=True)
    assert (page["items"], page["total"], page["next"]) == ([], 0, "1-")
    run.log("first", "second")
    assert _texts(await _page(client, run, after="1-")) == ["first", "second"]


async def test_filters_look_through_the_whole_log(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    run.log(*(f"step {i} LOSS 2.5" for i in range(3000)))
    run.log("Straße: disk is full", level="error")
    run.log(*(f"step {i}" for i in range(3000, 6000)))
    found = await _page(client, run, level="error", limit=5)
    assert _texts(found) == ["Straße: disk is full"]
    assert (found["items"][0]["number"], found["matched"], found["total"]) == (3001, 1, 6001)
    assert (await _page(client, run, q="loss", limit=1))["matched"] == 3000
    assert _texts(await _page(client, run, q="STRASSE")) == []
    assert _texts(await _page(client, run, q="straße")) == ["Straße: disk is full"]
    tail = await _page(client, run, q="loss", tail=True, limit=2)
    assert _texts(tail) == ["step 2998 LOSS 2.5", "step 2999 LOSS 2.5"]
    two = await _page(client, run, level=["error", "warning"], q="disk")
    assert two["matched"] == 1
    times = await _page(client, run, since="2026-01-01T12:00:10Z", until="2026-01-01T12:00:12")
    assert [line["number"] for line in times["items"]] == [11, 12, 13]


async def test_filtered_pages_go_on_where_they_ended(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    run.log(*(f"{'hit' if i % 3 == 0 else 'miss'} {i}" for i in range(100)))
    seen, after = [], "1-"
    while page := (await _page(client, run, q="hit", limit=7, after=after)):
        if not page["items"]:
            break
        seen += _texts(page)
        after = page["next"]
    assert seen == [f"hit {i}" for i in range(0, 100, 3)]


async def test_a_log_too_large_to_scan_is_searched_from_the_side_that_is_asked_for(
    client: httpx.AsyncClient, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "SCAN_BYTES", 2000)
    run = await make_run()
    run.log(*(f"hit {i}" for i in range(1000)))
    tail = await _page(client, run, q="hit", tail=True, limit=5)
    assert _texts(tail) == [f"hit {i}" for i in range(995, 1000)]
    assert tail["items"][-1]["number"] == 1000
    assert tail["matched"] is None
    seen, after = [], "1-"
    while page := (await _page(client, run, q="99", limit=50, after=after)):
        if page["next"] == after:
            break
        seen += _texts(page)
        after = page["next"]
    assert seen == [f"hit {i}" for i in range(1000) if "99" in str(i)]


async def test_a_torn_last_line_waits(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    run.log("whole")
    with run.folder().log_file.open("ab") as file:
        file.write(b"2026-01-01T12:00:01.000Z INFO out to")
    page = await _page(client, run)
    assert (_texts(page), page["total"]) == (["whole"], 1)
    with run.folder().log_file.open("ab") as file:
        file.write(b"rn\n")
    assert _texts(await _page(client, run, after=page["next"])) == ["torn"]


async def test_secrets_are_not_shown(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    run.log("using token hf_abcdefghijklmnop for the hub")
    assert "hf_abcdefgh" not in _texts(await _page(client, run))[0]
    answer = await client.get(f"/api/v1/tasks/{run.id}/logs/download")
    assert b"hf_abcdefgh" not in answer.content
    assert len(answer.content) == run.folder().log_file.stat().st_size


async def test_download_is_the_file_as_it_is(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run(output_name="bot-三")
    run.log("one", "two")
    answer = await client.get(f"/api/v1/tasks/{run.id}/logs/download")
    assert answer.content == run.folder().log_file.read_bytes()
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert "filename*=UTF-8''bot-%E4%B8%89-1.log.txt" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("bad", ["x", "1", "-5", "1-2-3", "1-x", "../1-2", "1-" + "9" * 40])
async def test_a_bad_position_is_a_sentence(
    client: httpx.AsyncClient, make_run: MakeRun, bad: str
) -> None:
    run = await make_run()
    answer = await client.get(f"/api/v1/tasks/{run.id}/logs", params={"after": bad})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadPosition")


async def test_unknown_attempts_are_not_found(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    for query in ({"attempt": 2}, {"after": "7-0"}):
        answer = await client.get(f"/api/v1/tasks/{run.id}/logs", params=query)
        assert (answer.status_code, answer.json()["code"]) == (404, "NoSuchAttempt")


async def test_a_position_inside_a_line_goes_on_with_the_next(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    run.log("first", "second")
    assert _texts(await _page(client, run, after="1-5")) == ["second"]
    assert _texts(await _page(client, run, after="1-999999")) == []
