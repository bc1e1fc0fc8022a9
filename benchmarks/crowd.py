"""Many users at once, as a process of its own: raw connections that are kept open, nothing more.

Reads a plan from standard input (JSON, see `Plan`) and prints for each call how long each answer
took. The client's own work per answer is a few system calls, so that on a small machine most of the
time goes to what is measured.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Each user has a cookie and the paths of each call that it may make; one of a call's paths is
    taken by chance. `pause_s` is what a user waits between two calls on average; 0: nothing."""

    host: str
    port: int
    users: list[dict[str, object]]
    weights: dict[str, float]
    seconds: float
    pause_s: float


class User:
    """One connection and its requests, one after the other."""

    def __init__(self, plan: Plan, number: int) -> None:
        self._plan, self._chance = plan, random.Random(number)
        user = plan.users[number]
        self._head = (
            f" HTTP/1.1\r\nHost: {plan.host}:{plan.port}\r\nCookie: easytune={user['cookie']}\r\n"
            "X-EasyTune: 1\r\nAccept: application/json\r\n\r\n"
        )
        self._paths: dict[str, list[str]] = user["paths"]  # type: ignore[assignment]
        self.took: dict[str, list[float]] = {call: [] for call in plan.weights}

    async def live(self, until: float) -> None:
        """Ask until then."""
        reader, writer = await asyncio.open_connection(self._plan.host, self._plan.port)
        calls, weights = list(self._plan.weights), list(self._plan.weights.values())
        if self._plan.pause_s:  # not all in the same moment
            await asyncio.sleep(self._chance.uniform(0, self._plan.pause_s))
        while time.perf_counter() < until:
            (call,) = self._chance.choices(calls, weights)
            path = self._chance.choice(self._paths[call])
            begun = time.perf_counter()
            writer.write(f"GET {path}{self._head}".encode())
            await self._answer(reader, path)
            self.took[call].append(time.perf_counter() - begun)
            if self._plan.pause_s:
                await asyncio.sleep(self._chance.uniform(0.5, 1.5) * self._plan.pause_s)
        writer.close()

    @staticmethod
    async def _answer(reader: asyncio.StreamReader, path: str) -> None:
        """Read one answer whole; anything but 200 ends the measurement."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(f"{path}: {head.decode()} {body[:500].decode()}")


async def run(plan: Plan) -> dict[str, list[float]]:
    """Seconds that every answer took, by call."""
    users = [User(plan, number) for number in range(len(plan.users))]
    until = time.perf_counter() + plan.seconds
    await asyncio.gather(*(user.live(until) for user in users))
    return {call: [s for user in users for s in user.took[call]] for call in plan.weights}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(Plan(**json.load(sys.stdin))))))
