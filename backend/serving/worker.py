"""One worker process: started, asked over its unix socket, ended."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from backend.ids import new_id
from backend.processes.identity import ProcessIdentity, identify
from backend.processes.spawn import environment, python_module, spawn
from backend.processes.stop import stop_tree
from backend.processes.usage import usage
from training_engine.contract.predictions import CLASSIFY_PATH, ClassifyRequest, Predictions
from training_engine.contract.serving import (
    GENERATE_PATH,
    HEALTH_PATH,
    Done,
    Failure,
    GenerateRequest,
    Health,
    Token,
    parse_line,
)

MODULE = "training_engine.serve"
MAX_SOCKET_PATH = 100  # bytes; the kernel takes 107
START_TIMEOUT_S = 120.0
LOOK_EVERY_S = 0.05
STOP_GRACE_S = 5.0
# The kernel takes a talking model before a training run, and both before the backend.
OOM_SCORE = 700
NICENESS = 5
IDENTITY_FILE = "playground.json"


class WorkerEnded(Exception):
    """The worker process is no more; the message is the last thing that it said."""


class Worker:
    """Made by `start`; usable after `wait_until_ready`."""

    def __init__(self, folder: Path) -> None:
        import httpx  # here, because a start without a playground need not pay for it

        self._folder = folder
        self._private = None if _fits(folder) else Path(tempfile.mkdtemp(prefix="easytune-"))
        self._socket = (self._private or folder) / f"{new_id().hex[-12:]}.sock"
        self._output = folder / "playground.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._identity: ProcessIdentity | None = None
        self.ready = False
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(self._socket)),
            base_url="http://worker",
            timeout=httpx.Timeout(None, connect=5),
        )

    def start(self) -> None:
        """Spawn the process; raises `OSError`. Blocks for some milliseconds."""
        self._output.unlink(missing_ok=True)
        self._process = spawn(
            python_module(MODULE, str(self._socket)),
            cwd=self._folder,
            env=environment(),
            output=self._output,
            oom_score=OOM_SCORE,
            niceness=NICENESS,
        )
        self._identity = identify(self._process.pid)
        _remember(self._folder, self._identity)

    @property
    def ended(self) -> bool:
        """Whether the process is gone, or was never there."""
        return self._process is None or self._process.poll() is not None

    async def wait_until_ready(self) -> None:
        """Until it answers; raises `WorkerEnded`."""
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while asyncio.get_running_loop().time() < deadline:
            if self.ended:
                raise WorkerEnded(self.last_words())
            health = await self.health(timeout_s=5) if self._socket.exists() else None
            if health is not None and health.status == "ready":
                self.ready = True
                return
            if health is not None and health.status == "failed":
                raise WorkerEnded(health.device_reason or self.last_words())
            await asyncio.sleep(LOOK_EVERY_S)
        raise WorkerEnded(f"It did not answer within {START_TIMEOUT_S:.0f} seconds.")

    async def health(self, timeout_s: float = 2.0) -> Health | None:
        """What it says of itself; None when it does not answer in time."""
        import httpx

        try:
            answer = await self._http.get(HEALTH_PATH, timeout=timeout_s)
            return Health.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError):
            return None

    async def generate(
        self, request: GenerateRequest
    ) -> AsyncGenerator[Token | Done | Failure, None]:
        """The lines of one answer; raises `WorkerEnded`. Closing the iterator cancels the work."""
        import httpx

        last: Any = None
        body = request.model_dump(mode="json")
        try:
            async with self._http.stream("POST", GENERATE_PATH, json=body) as answer:
                async for line in answer.aiter_lines():
                    if line:
                        last = parse_line(line)
                        yield last
        except (httpx.HTTPError, ValidationError) as error:
            raise WorkerEnded(self.last_words() or type(error).__name__) from error
        if not isinstance(last, Done | Failure):  # a stream that just ends looks like success
            raise WorkerEnded(self.last_words())

    async def classify(self, request: ClassifyRequest) -> Predictions | Failure:
        """Classes or scores of texts; raises `WorkerEnded`. Cancelling cancels the work."""
        import httpx

        body = request.model_dump(mode="json")
        try:
            answer = await self._http.post(CLASSIFY_PATH, json=body)
            shape = Predictions if answer.is_success else Failure
            return shape.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise WorkerEnded(self.last_words() or type(error).__name__) from error

    def memory_bytes(self) -> int | None:
        """Main memory of the process and its children."""
        return usage(self._identity).memory_bytes if self._identity is not None else None

    def last_words(self) -> str:
        """The last line that the process printed."""
        try:
            lines = self._output.read_bytes()[-4000:].decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1][:500] if lines else ""

    async def stop(self) -> None:
        """End the process and everything it started."""
        if self._identity is not None:
            await stop_tree(self._identity, grace_s=STOP_GRACE_S)
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)
        await self._http.aclose()
        self._socket.unlink(missing_ok=True)
        (self._folder / IDENTITY_FILE).unlink(missing_ok=True)
        if self._private is not None:
            shutil.rmtree(self._private, ignore_errors=True)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / "012345678901.sock")) <= MAX_SOCKET_PATH


def _remember(folder: Path, identity: ProcessIdentity | None) -> None:
    if identity is not None:
        facts = {
            "pid": identity.pid,
            "start_ticks": identity.start_ticks,
            "boot_id": identity.boot_id,
        }
        (folder / IDENTITY_FILE).write_bytes(orjson.dumps(facts))


async def end_leftover(folder: Path) -> None:
    """End the worker that a killed platform left, should it not have ended by itself."""
    try:
        facts = orjson.loads((folder / IDENTITY_FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return
    identity = ProcessIdentity.from_facts(facts if isinstance(facts, dict) else None)
    if identity is not None:
        await stop_tree(identity, grace_s=STOP_GRACE_S)
    for file in (*folder.glob("*.sock"), folder / IDENTITY_FILE):
        file.unlink(missing_ok=True)
