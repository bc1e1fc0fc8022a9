"""A user who never gives up: retries with the same key, reconnects where the stream was cut.

Every answer that acknowledges something goes into the ledger. An answer of 500 never may be.
"""

import json
import threading
import time
from collections.abc import Callable
from random import Random
from typing import Any

import httpx

from tests.drills.nemesis.ledger import Known, Ledger
from tests.drills.platform import ENDED

RETRY_S = 0.2
# What tells a client to come again; everything else is an answer.
AGAIN = {502, 503, 504}
PATIENCE_S = 90.0


class Client:
    """Talks HTTP to `base_url` with the cookies of somebody who has signed in."""

    def __init__(self, base_url: str, cookies: dict[str, str], ledger: Ledger) -> None:
        self.ledger = ledger
        self._options: dict[str, Any] = {
            "base_url": base_url,
            "cookies": cookies,
            "headers": {"X-EasyTune": "1"},
            "timeout": httpx.Timeout(10.0),
        }
        self._http = httpx.Client(**self._options)
        self.closing = threading.Event()

    def close(self) -> None:
        """End all streams and connections."""
        self.closing.set()
        self._http.close()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, sent until it is answered."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                answer = None
                why = repr(error)
            if answer is not None and answer.status_code not in AGAIN:
                if answer.status_code >= 500:
                    self.ledger.accuse(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
                return answer
            if answer is not None:
                why = answer.text[:200]
                if "Retry-After" not in answer.headers:
                    self.ledger.accuse(f"{method} {path}: {answer.status_code} without Retry-After")
            assert time.monotonic() < deadline, f"{method} {path} was never answered: {why}"
            time.sleep(RETRY_S)

    def create(self, known: Known) -> None:
        """Create a task; sent again with the same key until it is acknowledged."""
        headers = {"Idempotency-Key": known.key}
        while True:
            answer = self.ask("POST", "/tasks", json=known.body, headers=headers)
            if answer.status_code != 409:  # the first one is still being worked on
                break
            time.sleep(RETRY_S)
        assert answer.status_code == 201, answer.text
        known.id = answer.json()["id"]

    def upload(self, name: str) -> None:
        """A small file. It has no key: a cut connection may leave a second one of that name."""
        row = {
            "messages": [{"role": "user", "content": name}, {"role": "assistant", "content": "."}]
        }
        content = (json.dumps(row) + "\n").encode() * 5
        answer = self.ask("POST", "/datasets", files={"file": (f"{name}.jsonl", content)})
        if answer.status_code < 300:
            self.ledger.uploads[answer.json()["id"]] = name

    def task(self, known: Known) -> dict[str, Any]:
        """The task now."""
        answer = self.ask("GET", f"/tasks/{known.id}")
        assert answer.status_code == 200, f"an acknowledged task is gone: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def stop(self, known: Known, save: bool) -> None:
        """Ask the present attempt to stop."""
        answer = self.ask("POST", f"/tasks/{known.id}/stop", json={"save": save})
        if answer.status_code == 200 and answer.json()["status"] in {"STOPPING", "STOPPED"}:
            known.stopped.add(answer.json()["attempt"])

    def go_on(self, known: Known, task: dict[str, Any]) -> None:
        """Have a failed task queued again, as its hint says."""
        action = "resume" if task["resumable"] else "restart"
        answer = self.ask("POST", f"/tasks/{known.id}/{action}")
        if answer.status_code == 200:
            known.begun.add(answer.json()["attempt"])
        elif answer.status_code != 409:  # 409: an earlier try was not lost after all
            self.ledger.accuse(f"{action}: {answer.status_code} {answer.text[:300]}")

    def to_the_end(self, known: Known, goes_on: int) -> dict[str, Any]:
        """Wait for a terminal state; failures are resumed `goes_on` times."""
        deadline = time.monotonic() + PATIENCE_S
        while (task := self.task(known))["status"] not in ENDED or (
            task["status"] == "FAILED" and goes_on > 0
        ):
            if task["status"] == "FAILED":
                goes_on -= 1
                self.go_on(known, task)
            assert time.monotonic() < deadline, f"it never ended: {task}"
            time.sleep(0.1)
        return task

    def watch(self, known: Known) -> list[threading.Thread]:
        """Read the live log and the live curve until they end, whatever is cut."""
        ways = [("logs/stream", self._log_event(known)), ("events/stream", self._point(known))]
        threads = [
            threading.Thread(target=self._follow, args=(known, path, note)) for path, note in ways
        ]
        for thread in threads:
            thread.daemon = True
            thread.start()
        return threads

    def _log_event(self, known: Known) -> Callable[[str, str, Any], None]:
        def note(kind: str, id_: str, data: Any) -> None:
            if kind == "line":
                known.lines.append((id_, data["text"]))
            elif kind == "gap":
                known.gaps.append(data)

        return note

    def _point(self, known: Known) -> Callable[[str, str, Any], None]:
        def note(kind: str, id_: str, data: Any) -> None:
            if kind == "metrics":
                known.points.append((id_.partition("-")[0], data["step"], data["values"]))

        return note

    def _follow(self, known: Known, way: str, note: Callable[[str, str, Any], None]) -> None:
        path = f"/tasks/{known.id}/{way}"
        last, jitter = "", Random(path)
        with httpx.Client(**{**self._options, "timeout": httpx.Timeout(5.0, read=25.0)}) as http:
            while not self.closing.is_set():
                # A run that failed ends its streams; who then resumes it looks at it again.
                more_to_come = known.more_to_come
                try:
                    headers = {"Last-Event-ID": last} if last else {}
                    with http.stream("GET", path, headers=headers) as response:
                        if response.status_code == 200:
                            kind = ""
                            for kind, id_, data in events_of(response):
                                last = id_ or last
                                note(kind, id_, data)
                            ended = kind == "bye" and data.get("reason") == "end"
                            if ended and not more_to_come:
                                return
                except (httpx.TransportError, httpx.StreamError, RuntimeError):
                    pass
                time.sleep(RETRY_S + jitter.uniform(0, 0.1))


def events_of(response: httpx.Response) -> Any:
    """Whole events of a stream: type, id, data. What a cut leaves of one is nothing."""
    kind, id_, data = "message", "", ""
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if not line:
            if data:
                yield kind, id_, json.loads(data)
            kind, id_, data = "message", "", ""
        elif name == "event":
            kind = value
        elif name == "id":
            id_ = value
        elif name == "data":
            data += value
