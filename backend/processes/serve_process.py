"""A process of `python -m training_engine.serve`: started, asked over its unix socket, ended."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import orjson
from pydantic import ValidationError

from backend.ids import new_id
from backend.processes.identity import ProcessIdentity, identify
from backend.processes.spawn import environment, python_module, spawn
from backend.processes.stop import stop_tree
from backend.processes.usage import usage
from training_engine.contract.serving import HEALTH_PATH, Health

MODULE = "training_engine.serve"
MAX_SOCKET_PATH = 100  # bytes; the kernel takes 107
START_TIMEOUT_S = 120.0
LOOK_EVERY_S = 0.05
STOP_GRACE_S = 5.0
# The kernel takes a talking model before a training run, and both before the backend.
OOM_SCORE = 700
NICENESS = 5


class WorkerEnded(Exception):
    """The worker process is no more; the message is the last thing that it said."""


class ServeProcess:
    """Made by `start`; usable after `wait_until_ready`. `name` is what its files are called."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        variables: Mapping[str, str] | None = None,
        niceness: int = NICENESS,
    ) -> None:
        """`variables`: further ones of its environment."""
        import httpx  # here, because a start without a worker need not pay for it

        self._folder, self._variables, self._niceness = folder, variables, niceness
        self._private = None if _fits(folder) else Path(tempfile.mkdtemp(prefix="easytune-"))
        self._socket = (self._private or folder) / f"{new_id().hex[-12:]}.sock"
        self._output, self._facts = folder / f"{name}.log", folder / f"{name}.json"
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
            env=environment(extra=self._variables),
            output=self._output,
            oom_score=OOM_SCORE,
            niceness=self._niceness,
        )
        self._identity = identify(self._process.pid)
        _remember(self._facts, self._identity)

    @property
    def ended(self) -> bool:
        """Whether the process is gone, or was never there; looking leaves no zombie."""
        return self._process is None or self._process.poll() is not None

    async def wait_until_ready(self) -> None:
        """Until it answers and has loaded its libraries; raises `WorkerEnded`."""
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while asyncio.get_running_loop().time() < deadline:
            if self.ended:
                raise WorkerEnded(self.last_words())
            health = await self.health(timeout_s=5) if self._socket.exists() else None
            if health is not None and health.status == "failed":
                raise WorkerEnded(health.device_reason or self.last_words())
            if health is not None and health.status == "ready":
                self.ready = True
                return
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

    async def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """End the process and everything it started; kill what is left after `grace_s`."""
        if self._identity is not None:
            await stop_tree(self._identity, grace_s=grace_s)
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)
        await self._http.aclose()
        self._socket.unlink(missing_ok=True)
        self._facts.unlink(missing_ok=True)
        if self._private is not None:
            shutil.rmtree(self._private, ignore_errors=True)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / "012345678901.sock")) <= MAX_SOCKET_PATH


def _remember(file: Path, identity: ProcessIdentity | None) -> None:
    if identity is not None:
        facts = {
            "pid": identity.pid,
            "start_ticks": identity.start_ticks,
            "boot_id": identity.boot_id,
        }
        file.write_bytes(orjson.dumps(facts))


async def end_leftover(folder: Path, name: str) -> None:
    """End the worker that a killed platform left, should it not have ended by itself."""
    file = folder / f"{name}.json"
    try:
        facts = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return
    identity = ProcessIdentity.from_facts(facts if isinstance(facts, dict) else None)
    if identity is not None:
        await stop_tree(identity, grace_s=STOP_GRACE_S)
    for each in (*folder.glob("*.sock"), file):
        each.unlink(missing_ok=True)
