"""Rounds of the nemesis: a seed decides what is done to the platform, and when.

`python -m tests.drills.nemesis.rounds --rounds 100 --seed 1` plays them; a round that fails prints
its seed, and `--rounds 1 --seed SEED` plays it again.
"""

import argparse
import random
import secrets
import sys
import threading
import time
from dataclasses import dataclass
from random import Random

from tests.drills.nemesis.checker import Checker
from tests.drills.nemesis.client import Client
from tests.drills.nemesis.faults import Faults
from tests.drills.nemesis.ledger import Known, Ledger
from tests.drills.platform import Platform
from tests.drills.proxy import Proxy

MOST_TASKS, MOST_FAULTS = 3, 3
DISK_MB = 600  # the platform starts with 300 free


@dataclass(frozen=True)
class Result:
    """How a round ended: what was wrong (nothing, it is hoped), and its story."""

    seed: int
    wrong: list[str]
    story: list[str]
    took_s: float


class Arena:
    """A platform that is played with, and the way from the browser to it."""

    def __init__(self) -> None:
        self.platform = Platform(disk_mb=DISK_MB)
        self.platform.start()
        self.platform.set_up()
        self.web = Proxy(("127.0.0.1", self.platform.port))
        self.cookies = dict(self.platform.http.cookies)

    def close(self) -> None:
        """End it."""
        self.web.close()
        self.platform.close()

    def play(self, seed: int) -> Result:
        """One round."""
        began, dice = time.monotonic(), Random(seed)
        ledger = Ledger(seed)
        client = Client(f"http://127.0.0.1:{self.web.port}/api/v1", self.cookies, ledger)
        faults = Faults(self.platform, self.web, dice)
        users = [
            threading.Thread(target=self._user, args=(client, known, plan), daemon=True)
            for known, plan in self._plans(dice, ledger)
        ]
        for user in users:
            user.start()
        for _ in range(dice.randint(1, MOST_FAULTS)):
            time.sleep(dice.uniform(0.1, 1.2))
            fault = dice.choice(faults.choices())
            ledger.tell(fault.__name__)
            fault()
        self.platform.ready()
        ledger.tell("all is well again")
        for user in users:
            user.join(120)
            if user.is_alive():
                ledger.accuse("a user still waits")
        ledger.tell("checking")
        wrong = Checker(self.platform, client, ledger).check()
        client.close()
        ledger.tell("checked")
        return Result(seed, wrong, ledger.story, time.monotonic() - began)

    def _plans(self, dice: Random, ledger: Ledger) -> list[tuple[Known, Random]]:
        """Who does what; each user has dice of his own, so that threads do not share any."""
        plans = []
        for number in range(dice.randint(1, MOST_TASKS)):
            steps = dice.choice([10, 40, 80])
            body = self.platform.new_task(steps=steps, step_s=dice.choice([0.01, 0.03]))
            known = Known(f"{ledger.seed}-{number}-{secrets.token_hex(4)}", body)
            ledger.tasks.append(known)
            plans.append((known, Random(dice.random())))
        return plans

    def _user(self, client: Client, known: Known, dice: Random) -> None:
        """Create, watch, perhaps stop, go on after failures, to the end."""
        try:
            if dice.random() < 0.2:
                client.upload(f"rows-{known.key}")
            client.create(known)
            known.more_to_come = True
            threads = client.watch(known)
            if dice.random() < 0.35:
                time.sleep(dice.uniform(0, 2.0))
                client.stop(known, save=dice.random() < 0.5)
            task = client.to_the_end(known, goes_on=2)
            known.more_to_come = False
            client.ledger.tell(f"{known.key}: {task['status']} attempt {task['attempt']}")
            for thread in threads:
                thread.join(60)
                if thread.is_alive():
                    client.ledger.accuse(f"{known.key}: a live stream never ended")
            client.ledger.tell(f"{known.key}: streams ended")
        except Exception as error:  # noqa: BLE001 - a user whose thread dies must be heard
            client.ledger.accuse(f"{known.key}: {error!r}")


def main() -> int:
    """Play rounds; exit code 1 when any was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--story", action="store_true", help="tell what happened in every round")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    given = parser.parse_args()
    print(f"seeds {given.seed} … {given.seed + given.rounds - 1}", flush=True)
    arena, lost = Arena(), 0
    try:
        for seed in range(given.seed, given.seed + given.rounds):
            result = arena.play(seed)
            lost += bool(result.wrong)
            print(f"{'✖' if result.wrong else '✔'} seed {seed}  {result.took_s:.1f} s", flush=True)
            if result.wrong or given.story:
                print("\n".join([*result.story, *result.wrong]), flush=True)
    finally:
        arena.close()
    print(f"{given.rounds - lost} of {given.rounds} rounds held")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
