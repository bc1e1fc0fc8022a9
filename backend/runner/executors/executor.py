"""The seam between the supervisor and the machine that a job runs on: four calls.

`start` launches the run host of an attempt, `probe` says what is known of its life, `signal` tells
it something, from "save and stop" to "end the whole tree", and `collect` brings in what is left of
it. The supervisor judges, counts the time and writes the database; an executor only acts and
reports. Whoever implements these four for another machine adds one file here and one entry to the
supervisor's `executors`, and lets `tests/backend/runner/test_executor_contract.py` run on it.

Which executor an attempt belongs to says `jobs.host`, written with the claim. How the run folder is
reached is the executor's own matter, with one rule: the folder of the attempt below this machine's
`runs_dir` is what everybody else here reads, and nobody reaches past it. On this machine it is the
run folder itself; with a file system that both machines mount under one path it is as well. Without
one an executor takes `spec.json` and what it names across at `start`, brings the new bytes of
`events.jsonl` and `output.log`, `identity.json` and `exit.json` here with `probe` (they are only
appended to, or appear whole), and fetches `checkpoints/` and `output/` with `collect`. That is also
why the commands that the engine finds in `control/` are signals here and not files of the caller.

A machine that does not answer is no sign: `probe` then raises `OSError`, and the attempt is looked
at again later. Only the machine itself can say that something is lost.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from backend.jobs.run_folder import RunFolder
from backend.runner.kinds import Kind


class Sign(Enum):
    """What the machine's evidence says of an attempt; the lock is the primary proof of life."""

    STARTING = "starting"  # launched, has not said who it is
    ALIVE = "alive"
    ENDED = "ended"  # `exit.json` says how
    LOST = "lost"  # nobody was left to say how
    REBOOTED = "rebooted"  # lost, and the machine was started since
    ABSENT = "absent"  # never started, or its folder is gone


@dataclass(frozen=True)
class Observation:
    """`engine_dead`: the engine has ended and its run host has not noticed yet."""

    sign: Sign
    engine_dead: bool = False


class Order(Enum):
    """What an attempt can be told, from the mildest to the hardest."""

    SAVE = "save"  # stop at the next step, with a checkpoint
    STOP = "stop"  # stop at the next step
    TERMINATE = "terminate"  # SIGTERM to all but the run host, which is to say how it ended
    KILL = "kill"  # SIGKILL to the same
    END = "end"  # the run host too: terminate, wait for `grace_s`, kill
    REVOKE = "revoke"  # what has not started by now must never start


@dataclass(frozen=True)
class Remains:
    """What an ended attempt left: facts of its end, and what the run host itself complained."""

    exit_facts: dict[str, Any] | None
    host_output: str


class Executor(Protocol):
    """A machine that runs attempts. No call forgets what lives: engines outlive the supervisor."""

    async def start(
        self, folder: RunFolder, kind: Kind, variables: Mapping[str, str] | None = None
    ) -> None:
        """Launch the run host for a folder that has its spec; raises `OSError`."""

    async def probe(
        self, folders: Collection[RunFolder] | None = None
    ) -> Mapping[RunFolder, Observation]:
        """What is known of these attempts, each of them; raises `OSError` when nothing is.

        None: of every attempt for which anything computes there, whoever started it.
        """

    async def signal(self, folder: RunFolder, order: Order, grace_s: float = 0.0) -> int:
        """Give an order; again is the same as once. Raises `OSError`.

        Returns how many processes of the attempt it found: those that were told or, after `END`
        and `REVOKE`, those that live in spite of it.
        """

    async def collect(self, folder: RunFolder) -> Remains:
        """Bring in what an ended attempt left behind; what was kept for it is given up."""
