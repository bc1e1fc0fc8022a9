"""F18–F20, F28: the database is killed or cut off, answers get lost; nothing is made twice."""

import secrets
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.drills.platform import Platform, busy, wait_until
from tests.drills.test_backend_killed import once_and_whole

pytestmark = pytest.mark.long


def told_plainly(answer: httpx.Response) -> None:
    """503 as problem+json with a time to come back, and nothing of a traceback."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert int(answer.headers["Retry-After"]) >= 1
    assert "Traceback" not in answer.text
    assert answer.json()["code"]


def test_the_database_is_killed_in_the_midst_of_a_training(platform: Platform) -> None:
    task = platform.create(steps=300, step_s=0.03)
    platform.until(task, "RUNNING", step=5)
    host, engine = platform.host_and_engine(task)
    platform.database.process.send_signal(signal.SIGQUIT)  # as `pg_ctl stop -m immediate`
    platform.database.process.wait(30)
    for _ in range(3):
        told_plainly(platform.http.get(f"/tasks/{task}"))
    assert (host.is_running(), engine.is_running()) == (True, True)
    platform.start_database()
    began = time.monotonic()
    wait_until(
        lambda: platform.http.get(f"/tasks/{task}").status_code == 200, "an answer", busy(10)
    )
    # It hears again as well: work that comes now starts.
    light = platform.create(steps=2)
    platform.until(light, "COMPLETED")
    assert time.monotonic() - began < busy(60)
    assert once_and_whole(platform, task, 300)["attempt"] == 1


def test_away_for_longer_than_the_lease_lasts(platform: Platform) -> None:
    """A minute stands for half an hour: what matters is that the lease is long gone."""
    platform.again(timeouts={"lease_s": 2.0, "renew_s": 0.5})
    ends, lasts = platform.create(steps=40, step_s=0.03), platform.create(steps=600, step_s=0.03)
    platform.until(lasts, "RUNNING", step=3)
    platform.proxy.cut(refuse=True)
    time.sleep(6)
    told_plainly(platform.http.get("/tasks"))
    platform.proxy.mend()
    for task, steps in ((ends, 40), (lasts, 600)):
        assert once_and_whole(platform, task, steps)["attempt"] == 1
        assert platform.moves(task) == ["PENDING", "PREPARING", "RUNNING", "COMPLETED"]


def created(platform: Platform, name: str) -> list[str]:
    """Ids of the tasks of that name."""
    found = platform.http.get("/tasks", params={"limit": 100}).json()["items"]
    return [task["id"] for task in found if task["name"] == name]


def test_the_answer_to_a_commit_is_lost(platform: Platform) -> None:
    """The transaction is in the database; the backend never hears so, and the client retries."""
    body, key = platform.new_task(steps=3), secrets.token_hex(8)
    headers = {"Idempotency-Key": key}
    answers = []
    for _ in range(20):
        platform.proxy.cut_answer_to(lambda chunk: b"COMMIT" in chunk)
        answers.append(platform.http.post("/tasks", json=body, headers=headers))
        if platform.proxy.swallowed:
            break
    platform.proxy.cut_answer_to(lambda chunk: False)
    assert platform.proxy.swallowed == 1
    again = wait_until(
        lambda: (
            (answer := platform.http.post("/tasks", json=body, headers=headers)).status_code == 201
            and answer
        ),
        "the retry is answered",
    )
    assert created(platform, body["name"]) == [again.json()["id"]]
    once_and_whole(platform, again.json()["id"], 3)


@pytest.mark.parametrize("place", ["request.committed", "request.before_commit"])
def test_the_backend_dies_around_a_commit(platform: Platform, tmp_path: Path, place: str) -> None:
    platform.again(failpoints=f"{place}:kill9@{tmp_path / 'once'}")
    body, headers = platform.new_task(steps=3), {"Idempotency-Key": secrets.token_hex(8)}
    with pytest.raises(httpx.TransportError):
        platform.http.post("/tasks", json=body, headers=headers)
    platform.gone()
    platform.start()
    kept = created(platform, body["name"])
    assert len(kept) == (1 if place == "request.committed" else 0)
    answer = platform.http.post("/tasks", json=body, headers=headers)
    assert answer.status_code == 201
    assert created(platform, body["name"]) == (kept or [answer.json()["id"]])
    once_and_whole(platform, answer.json()["id"], 3)


def test_a_click_that_comes_twenty_times(platform: Platform) -> None:
    body, headers = platform.new_task(steps=2), {"Idempotency-Key": secrets.token_hex(8)}
    ready = threading.Barrier(20)

    def click() -> httpx.Response:
        ready.wait()
        return platform.http.post("/tasks", json=body, headers=headers)

    with ThreadPoolExecutor(20) as pool:
        answers = [future.result() for future in [pool.submit(click) for _ in range(20)]]
    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(ids) == 1
    assert created(platform, body["name"]) == list(ids)
    platform.until(ids.pop(), "COMPLETED")
