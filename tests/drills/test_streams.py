"""F13, F22, F56–F58: many readers, a server that says good-bye, lines that are cut and held."""

import asyncio
import resource
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

import asyncpg
import httpx
import psutil
import pytest

from tests.drills.nemesis.client import events_of
from tests.drills.platform import PASSWORD, Platform, busy
from tests.drills.proxy import Proxy
from tests.drills.streams import crowd
from tests.drills.test_backend_killed import once_and_whole

pytestmark = pytest.mark.long


def cookie(platform: Platform) -> str:
    return "; ".join(f"{name}={value}" for name, value in platform.http.cookies.items())


async def asked(platform: Platform) -> float:
    """Seconds that 99 of 100 normal requests took at most, five at a time."""
    took: list[float] = []
    async with httpx.AsyncClient(
        base_url=str(platform.http.base_url), cookies=dict(platform.http.cookies), timeout=30
    ) as http:

        async def ask() -> None:
            began = time.monotonic()
            answer = await http.get("/auth/me")
            took.append(time.monotonic() - began)
            assert answer.status_code == 200, answer.text

        for _ in range(20):
            await asyncio.gather(*(ask() for _ in range(5)))
    return sorted(took)[98]


async def open_transactions(platform: Platform) -> list[int]:
    """How many connections are in the midst of a transaction, at 40 moments of two seconds."""
    database = await asyncpg.connect(platform.database.url)
    found = []
    for _ in range(40):
        found.append(
            await database.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
            )
        )
        await asyncio.sleep(0.05)
    await database.close()
    return found


@dataclass
class Felt:
    """What normal requests and the readers of streams felt, and what the readers cost."""

    alone_s: float
    took_s: float
    transactions: list[int]
    kb_each: float
    delays_s: list[float]

    @property
    def late_s(self) -> float:
        """95 of 100 lines came within this time."""
        return sorted(self.delays_s)[len(self.delays_s) * 95 // 100]


async def with_readers(platform: Platform, count: int, path: str) -> Felt:
    """Normal requests while `count` streams are open."""
    assert platform.process is not None
    backend = psutil.Process(platform.process.pid)
    before, alone = backend.memory_info().rss, await asked(platform)
    readers, reading = await crowd(count, platform.port, path, cookie(platform))
    deadline = time.monotonic() + min(240, busy(60 + count / 10))
    while (there := sum(bool(reader.events) for reader in readers)) < count:
        answers = Counter(reader.status for reader in readers)
        assert not reading.done(), f"{there} of {count}, answers {answers}: {reading}"
        assert time.monotonic() < deadline, f"{there} of {count}, answers {answers}"
        await asyncio.sleep(0.1)
    grown = backend.memory_info().rss - before
    for reader in readers:  # what is old when it comes tells nothing
        reader.delays_s.clear()
    transactions = await open_transactions(platform)
    delays = [delay for reader in readers for delay in reader.delays_s]
    took = await asked(platform)
    grown = max(grown, backend.memory_info().rss - before)
    assert not any(reader.status != 200 for reader in readers)
    for reader in readers:
        if reader.writer is not None:
            reader.writer.close()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return Felt(alone, took, transactions, grown / count / 1024, delays)


# A thousand beside other tests measure those tests: `make drill` plays them alone.
@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.drill)])
def test_readers_hold_no_connection_to_the_database(platform: Platform, count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("needs a limit of 4096 open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    task = platform.create(steps=3000, step_s=0.5)
    platform.until(task, "RUNNING", step=2)
    felt = asyncio.run(with_readers(platform, count, f"/tasks/{task}/logs/stream"))
    print(
        f"\n{count} readers: {felt.kb_each:.0f} KB each, 95 % of the lines within "
        f"{felt.late_s:.2f} s, 99 % of the requests within {felt.took_s:.2f} s"
    )
    # A stream that held a connection would be in a transaction for as long as it is open; what
    # is seen is the supervisor, and who is asked now and then whether a reader may still read.
    assert median(felt.transactions) <= 1, felt.transactions
    # Beside other work it is not slower than that work makes it without any readers.
    assert felt.took_s < max(busy(1.0), 5 * felt.alone_s)
    assert felt.late_s < busy(1.0)
    if count >= 1000:  # few readers do not pay for what is there once
        assert felt.kb_each < 200
    platform.act(task, "stop", save=False)
    platform.until(task, "STOPPED")


def test_sigterm_while_it_serves(platform: Platform) -> None:
    """Readiness is red first, streams say good-bye, an upload is not half there, engines go on."""
    task = platform.create(steps=6000, step_s=0.03)
    platform.until(task, "RUNNING", step=3)
    host, engine = platform.host_and_engine(task)
    heard: list[tuple[str, Any]] = []
    opened = threading.Event()

    def listen() -> None:
        with httpx.Client(cookies=dict(platform.http.cookies), timeout=30) as http:
            url = f"{platform.http.base_url}tasks/{task}/logs/stream"
            with http.stream("GET", url) as response:
                for kind, _, data in events_of(response):
                    heard.append((kind, data))
                    opened.set()

    def half_an_upload() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="half.jsonl"\r\n\r\n'
        for _ in range(200):
            yield b'{"messages": []}\n' * 10
            time.sleep(0.05)

    def upload() -> None:
        headers = {"X-EasyTune": "1", "Content-Type": "multipart/form-data; boundary=x"}
        with httpx.Client(cookies=dict(platform.http.cookies), timeout=30) as http:
            try:
                http.post(
                    f"{platform.http.base_url}datasets", content=half_an_upload(), headers=headers
                )
            except httpx.TransportError:
                return

    threads = [threading.Thread(target=work, daemon=True) for work in (listen, upload)]
    for thread in threads:
        thread.start()
    assert opened.wait(30)
    statuses: list[int] = []
    answer = None
    with httpx.Client(base_url=f"http://127.0.0.1:{platform.port}", timeout=30) as http:
        assert http.get("/readyz").status_code == 200
        late, too_late = platform.create(steps=5), platform.new_task(steps=5)
        began = time.monotonic()
        platform.signal(signal.SIGTERM)
        try:
            while platform.alive and time.monotonic() - began < busy(30):
                statuses.append(http.get("/readyz").status_code)
                if statuses.count(503) == 1:
                    answer = platform.http.post("/tasks", json=too_late)
                    assert answer.status_code in {201, 503}, answer.text
        except httpx.TransportError:
            pass  # it takes no connections any more
    assert platform.gone(busy(30)) == 0
    assert time.monotonic() - began < busy(20)
    assert 503 in statuses, "readiness turned red before connections were refused"
    assert 200 not in statuses[statuses.index(503) :]
    threads[0].join(10)
    assert heard[-1] == ("bye", {"reason": "shutdown"})
    specs = (platform.data_dir / "runs").glob("*/*/spec.json")
    assert not any(too_late["output_name"] in spec.read_text() for spec in specs), "it was launched"
    assert (host.is_running(), engine.is_running()) == (True, True)
    platform.start()
    assert platform.host_and_engine(task) == (host, engine)
    # What was about to be launched either was, or begins anew: there is one engine, once.
    assert once_and_whole(platform, late, 5)["attempt"] <= 2
    if answer is not None and answer.status_code == 201:
        assert once_and_whole(platform, answer.json()["id"], 5)["attempt"] == 1
    names = [d["name"] for d in platform.http.get("/datasets").json()["items"]]
    assert not any("half" in name for name in names)
    platform.act(task, "stop", save=False)
    platform.until(task, "STOPPED")


def test_a_line_that_is_held_and_cut(platform: Platform) -> None:
    """As a laptop that sleeps: the reader comes back with the last id and misses nothing."""
    web = Proxy(("127.0.0.1", platform.port))
    task = platform.create(steps=250, step_s=0.03)
    platform.until(task, "RUNNING", step=2)
    lines: list[tuple[str, str]] = []
    tries, done = 0, False
    while not done:
        tries += 1
        assert tries < 50
        headers = {"Last-Event-ID": lines[-1][0]} if lines else {}
        url = f"http://127.0.0.1:{web.port}/api/v1/tasks/{task}/logs/stream"
        try:
            with (
                httpx.Client(cookies=dict(platform.http.cookies), timeout=3) as http,
                http.stream("GET", url, headers=headers) as response,
            ):
                for kind, id_, data in events_of(response):
                    if kind == "line":
                        lines.append((id_, data["text"]))
                    done = done or kind == "end"
                    if tries == 1 and len(lines) == 20:
                        web.hold()
                    elif tries == 2 and len(lines) >= 40:
                        web.cut(refuse=True)
                        threading.Timer(2.0, web.mend).start()
        except httpx.TransportError:
            web.mend() if tries == 1 else None
            time.sleep(0.3)
    web.close()
    assert tries > 2
    assert len({id_ for id_, _ in lines}) == len(lines)
    assert [text for _, text in lines] == platform.log_texts(task)


def test_a_reader_who_is_disabled_is_sent_away(platform: Platform) -> None:
    """F58: the stream says `auth` within a minute, and the reader is let in no more."""
    task = platform.create(steps=4000, step_s=0.05)
    platform.until(task, "RUNNING", step=2)
    with httpx.Client(base_url=platform.http.base_url, headers={"X-EasyTune": "1"}) as other:
        body = {"username": "ada", "password": PASSWORD}
        assert other.post("/auth/login", json=body).status_code == 200
        told: list[str] = []

        def listen() -> None:
            with (
                httpx.Client(cookies=dict(other.cookies), timeout=90) as http,
                http.stream("GET", f"{platform.http.base_url}tasks/{task}/logs/stream") as response,
            ):
                told.extend(kind for kind, _, _ in events_of(response))

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        time.sleep(1)
        signed_out_at = time.monotonic()
        assert other.post("/auth/logout").status_code < 300
        listener.join(65)
        assert not listener.is_alive()
        assert time.monotonic() - signed_out_at < 60
        assert "auth" in told
        assert other.get(f"/tasks/{task}").status_code == 401
    platform.act(task, "stop", save=False)
    platform.until(task, "STOPPED")
