"""Pages of a log: every line once and in order, whatever the way through it."""

import gzip

import httpx
import pytest

from backend.jobs import log_blocks
from backend.jobs.schemas import JobStatus
from backend.tasks import log_search
from tests.backend.tasks.conftest import MakeRun, Run
from training_engine.contract.log_lines import format_head


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


async def test_a_search_without_time_goes_on_from_the_side_that_is_asked_for(
    client: httpx.AsyncClient, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "WORK_S", 0)
    monkeypatch.setattr(log_blocks, "BLOCK_BYTES", 2000)
    run = await make_run()
    run.log(*(f"hit {i}" for i in range(1000)))
    tail = await _page(client, run, q="hit", tail=True, limit=5)
    assert _texts(tail) == [f"hit {i}" for i in range(995, 1000)]
    assert tail["items"][-1]["number"] == 1000
    assert (tail["matched"], tail["hidden"]) == (None, None)
    seen, after = [], "1-"
    while page := (await _page(client, run, q="99", limit=50, after=after)):
        if page["next"] == after:
            break
        seen += _texts(page)
        after = page["next"]
    assert seen == [f"hit {i}" for i in range(1000) if "99" in str(i)]
    assert (await _page(client, run, q="99", limit=1))["matched"] == len(seen)  # remembered


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


async def test_filters_by_stream_and_rank(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    run.log("of one process")
    at = "2026-01-01T12:00:05.000Z"
    with run.folder().log_file.open("a") as file:
        for rank in (0, 1, 12):
            head = format_head(at, "warning", "err", rank=rank, colours=[(0, 2, "1;31")])
            file.write(f"{head}of rank {rank}\n")
        file.write(format_head(at, "info", "host") + "of the host\n")
    lines = (await _page(client, run))["items"]
    assert [line["rank"] for line in lines] == [None, 0, 1, 12, None]
    assert lines[1]["colours"] == [[0, 2, "1;31"]]
    assert lines[0]["colours"] == []
    assert _texts(await _page(client, run, rank=1)) == ["of rank 1"]
    assert _texts(await _page(client, run, rank=[0, 12])) == ["of rank 0", "of rank 12"]
    assert _texts(await _page(client, run, stream="host")) == ["of the host"]
    two = await _page(client, run, stream=["err", "host"], level="warning", q="1")
    assert _texts(two) == ["of rank 1", "of rank 12"]
    assert (two["matched"], two["hidden"]) == (2, 3)


async def test_patterns(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    run.log("step 1 Loss 0.5", "Step 22 loss 1.5", "saved", "2026 of text", "")
    texts = ["step 1 Loss 0.5", "Step 22 loss 1.5"]
    assert _texts(await _page(client, run, q=r"^step \d+\b", regex=True)) == texts
    assert _texts(await _page(client, run, q="^step", regex=True, case=True)) == texts[:1]
    assert _texts(await _page(client, run, q="Loss", case=True)) == texts[:1]
    assert _texts(await _page(client, run, q=r"\d$|^$", regex=True)) == [*texts, ""]
    # What stands before the text is no part of it, and no pattern reaches into the next line.
    assert _texts(await _page(client, run, q="2026")) == ["2026 of text"]
    assert _texts(await _page(client, run, q=r"INFO|Z|\A2026-", regex=True)) == []
    assert _texts(await _page(client, run, q=r"saved\s+2026|[^x]{40}", regex=True)) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "pattern", ["(", "a{1001}", "(?=x)", r"\1", "a)(b", "[z-a]", "(((((x{9}){9}){9}){9}){9}){99}"]
)
async def test_a_bad_pattern_is_a_sentence(
    client: httpx.AsyncClient, make_run: MakeRun, pattern: str
) -> None:
    run = await make_run()
    run.log("one")
    for path in ("", "/matches", "/find", "/download", "/stream"):
        answer = await client.get(
            f"/api/v1/tasks/{run.id}/logs{path}", params={"q": pattern, "regex": True}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "BadPattern")
        assert answer.json()["params"]["reason"]
    assert (await _page(client, run, q=pattern))["matched"] == 0  # literally it is nothing bad


@pytest.mark.long
async def test_pages_around_a_line(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    run.log(*(f"{'hit' if i % 10 == 0 else 'miss'} {i}" for i in range(1, 201)))

    async def numbers(**query: object) -> list[int]:
        page = await _page(client, run, limit=10, **query)
        return [line["number"] for line in page["items"]]

    assert await numbers(line=100) == list(range(95, 105))
    assert await numbers(line=1) == list(range(1, 11))
    assert await numbers(line=200) == list(range(191, 201))
    assert await numbers(line=9999) == list(range(191, 201))
    assert await numbers(line=101, q="hit") == [60, 70, 80, 90, 100, 110, 120, 130, 140, 150]
    assert await numbers(line=3, q="hit") == list(range(10, 110, 10))
    assert await numbers(line=9999, q="hit") == list(range(110, 210, 10))
    page = await _page(client, run, limit=10, line=101, q="hit")
    following = await _page(client, run, limit=10, after=page["next"], q="hit")
    assert [line["number"] for line in following["items"]] == [160, 170, 180, 190, 200]


@pytest.mark.long
async def test_secrets_are_not_shown(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    run.log("using token hf_abcdefghijklmnop for the hub")
    assert "hf_abcdefgh" not in _texts(await _page(client, run))[0]
    answer = await client.get(f"/api/v1/tasks/{run.id}/logs/download")
    assert b"hf_abcdefgh" not in answer.content
    assert len(answer.content) == run.folder().log_file.stat().st_size


@pytest.mark.long
async def test_secrets_can_not_be_guessed_by_searching(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    run.log("plain", "using hf_abcdefghijklmnop", "Authorization: Bearer abc.def", "bearer")
    run.log("at postgres://me:word@host/x", "\N{CJK UNIFIED IDEOGRAPH-7EC8} sk-abcdefgh12345")
    for guess in ("hf_abc", "hf_[a-z]+", "abc.def", "me:w", "sk-a", "12345"):
        for regex in (False, True):
            assert (await _page(client, run, q=guess, regex=regex))["matched"] == 0
    shown = await _page(client, run, q="***")
    assert [line["number"] for line in shown["items"]] == [2, 3, 5, 6]
    for query in ({"q": "using"}, {"q": "postgres|Auth", "regex": True}, {"format": "gz"}):
        answer = await client.get(f"/api/v1/tasks/{run.id}/logs/download", params=query)
        content = answer.content
        content = gzip.decompress(content) if "format" in query else content
        assert content
        for secret in (b"hf_abc", b"abc.def", b"me:word", b"sk-a"):
            assert secret not in content
    # The word at a line's end covers nothing of the next.
    answer = await client.get(f"/api/v1/tasks/{run.id}/logs/download")
    assert answer.content.splitlines()[4].startswith(b"2026-01-01T12:00:04.000Z INFO out at ")
    assert len(answer.content) == run.folder().log_file.stat().st_size


async def test_colours_keep_their_place_beside_what_is_covered(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()
    text = "\N{ROCKET} hf_abcdefghijkl tail"
    colours = [(0, 1, "31"), (2, 17, "32"), (18, 22, "33")]
    head = format_head("2026-01-01T12:00:05.000Z", "info", "out", colours=colours)
    run.folder().log_file.write_text(f"{head}{text}\n", encoding="utf-8")
    line = (await _page(client, run))["items"][0]
    units = line["text"].encode("utf-16-le")
    shown = {code: units[2 * a : 2 * b].decode("utf-16-le") for a, b, code in line["colours"]}
    assert shown == {"31": "\N{ROCKET}", "32": "***", "33": "tail"}


async def test_download_of_what_is_wanted(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run(output_name="bot")
    run.log("one", "two")
    run.log("three", level="error")
    path = f"/api/v1/tasks/{run.id}/logs/download"
    whole = run.folder().log_file.read_bytes()
    answer = await client.get(path, params={"level": "error"})
    assert answer.content == whole.splitlines(keepends=True)[2]
    packed = await client.get(path, params={"format": "gz"})
    assert gzip.decompress(packed.content) == whole
    assert packed.headers["content-type"] == "application/gzip"
    assert "bot-1.log.txt.gz" in packed.headers["Content-Disposition"]
    both = await client.get(path, params={"format": "gz", "q": "t"})
    assert gzip.decompress(both.content) == b"".join(whole.splitlines(keepends=True)[1:])
    empty = await client.get(path, params={"q": "nothing"})
    assert (empty.status_code, empty.content) == (200, b"")


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


@pytest.mark.long
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
