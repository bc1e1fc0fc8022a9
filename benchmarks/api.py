"""How quickly lists and the overview answer when 50 people look at them. Run: `make bench-api`.

A platform of its own with 10,000 tasks and 1,000 data sets in the database; then 50 signed-in users
with a connection each (a process of its own, see `crowd.py`) make the calls that the pages make,
half of them administrators, who see everything. Twice: as the pages do, which ask again after a
second or two (the target is for these), and closed loop, where each asks again at once, which shows
how much the platform can do. The controls run among the others at the same moments: `/healthz`,
which asks no database, and `/auth/me`, which only looks up who asks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from client import Platform, fresh_folder, platform
from population import PURPOSES, Population, fill

from backend.embedded_postgres import running_url

USERS, TASKS, DATASETS = 50, 10_000, 1_000
PAUSE_S = 1.5
LIVE = "status=PENDING&status=PREPARING&status=RUNNING&status=STOPPING"
CONTROLS = ("control: /healthz", "control: /auth/me")
# How often a page makes each call, against the others.
WEIGHTS = {
    "tasks, first page": 4.0,
    "tasks, a later page": 2.0,
    "tasks of one status": 2.0,
    "tasks, searched": 1.0,
    "tasks that wait or run": 4.0,
    "one task": 3.0,
    "data sets, first page": 2.0,
    "data sets, searched": 1.0,
    "models": 1.0,
    "overview": 4.0,
    "system": 2.0,
    **dict.fromkeys(CONTROLS, 1.0),
}


def paths_of(made: Population, user: UUID) -> dict[str, list[str]]:
    """For each call the addresses that this user asks."""
    api, chance = "/api/v1", made.chance
    every = [id_ for ids in made.tasks.values() for id_ in ids]
    seen = every if user in made.administrators else made.tasks[user]
    some = chance.sample(seen, min(40, len(seen)))
    return {
        "tasks, first page": [f"{api}/tasks"],
        "tasks, a later page": [f"{api}/tasks?cursor={id_}" for id_ in some],
        "tasks of one status": [f"{api}/tasks?status={s}" for s in ("FAILED", "COMPLETED")],
        "tasks, searched": [f"{api}/tasks?q={word}" for word in (*PURPOSES, "try%20777", "zzz")],
        "tasks that wait or run": [f"{api}/tasks?{LIVE}&limit=50"],
        "one task": [f"{api}/tasks/{id_}" for id_ in some],
        "data sets, first page": [f"{api}/datasets?limit=50"],
        "data sets, searched": [f"{api}/datasets?limit=50&q={word}" for word in (*PURPOSES, "77")],
        "models": [f"{api}/models?limit=50"],
        "overview": [f"{api}/system/overview"],
        "system": [f"{api}/system"],
        CONTROLS[0]: ["/healthz"],
        CONTROLS[1]: [f"{api}/auth/me"],
    }


def crowd(running: Platform, made: Population, seconds: float, pause_s: float) -> dict[str, Any]:
    """Let them ask; seconds of every answer by call."""
    place = urlsplit(running.url)
    plan = {
        "host": place.hostname,
        "port": place.port,
        "users": [
            {"cookie": cookie, "paths": paths_of(made, user)}
            for user, cookie in made.cookies.items()
        ],
        "weights": WEIGHTS,
        "seconds": seconds,
        "pause_s": pause_s,
    }
    program = str(Path(__file__).with_name("crowd.py"))
    done = subprocess.run(
        [sys.executable, program], input=json.dumps(plan), stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise SystemExit("The users were not answered.")
    return dict(json.loads(done.stdout))


def p99(times: list[float]) -> float:
    """The time that one answer in a hundred takes longer than."""
    return sorted(times)[max(0, round(len(times) * 0.99) - 1)]


def show(title: str, took: dict[str, list[float]], seconds: float, target: str) -> None:
    """One table."""
    every = [s for call, times in took.items() if call not in CONTROLS for s in times]
    print(f"\n{title}\n{'':<28}{'answers':>9}{'median':>11}{'p99':>11}")
    for call, times in {**took, "all but the controls": every}.items():
        if times:
            middle, tail = 1000 * statistics.median(times), 1000 * p99(times)
            print(f"{call:<28}{len(times):>9}{middle:>8.1f} ms{tail:>8.1f} ms")
    total = sum(map(len, took.values()))
    print(f"{total / seconds:.0f} answers a second; target {target}", flush=True)


class Processor:
    """How much processor time the API process and the database take; other programs' does not
    count, so it tells the same on a busy machine."""

    def __init__(self, running: Platform) -> None:
        self._api = psutil.Process(running.process.pid)
        below = self._api.children(recursive=True)
        self._database = [each for each in below if "postgres" in each.name()]
        self._before = self._now()

    def _now(self) -> tuple[float, float]:
        return self._of([self._api]), self._of(self._database)

    @staticmethod
    def _of(processes: list[psutil.Process]) -> float:
        total = 0.0
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def show(self, answers: int) -> None:
        """Since it was made, for each answer."""
        used = [
            1000 * (now - then) / answers
            for now, then in zip(self._now(), self._before, strict=True)
        ]
        print(f"processor time for each: API {used[0]:.1f} ms, database {used[1]:.1f} ms")


def measure(running: Platform, made: Population, seconds: float) -> None:
    """Both ways, each after a moment of warming up."""
    api = psutil.Process(running.process.pid)
    crowd(running, made, 3, 0.2)
    took = crowd(running, made, seconds, PAUSE_S)
    title = f"{USERS} users, each asks about every {PAUSE_S} s"
    show(title, took, seconds, "<= 50 ms median, <= 150 ms p99")
    processor = Processor(running)
    took = crowd(running, made, seconds, 0)
    show(f"{USERS} users, each asks again at once", took, seconds, "as near to the same as can be")
    processor.show(sum(map(len, took.values())))
    print(f"memory of the API process {api.memory_info().rss / 2**20:.0f} MiB")


def main() -> None:
    """Measure everything on a platform of its own."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each of the two")
    parser.add_argument("--wait", action="store_true", help="keep it running, to be looked at")
    asked = parser.parse_args()
    with fresh_folder() as folder, platform(folder) as running:
        url = running_url(folder)
        assert url is not None
        made = asyncio.run(fill(url, USERS, TASKS, DATASETS))
        print(f"{psutil.cpu_count()} cores; {TASKS} tasks, {DATASETS} data sets, {USERS} users")
        measure(running, made, asked.seconds)
        while asked.wait:
            input(f"{running.process.pid} at {running.url}; Enter measures again: ")
            measure(running, made, asked.seconds)


if __name__ == "__main__":
    main()
