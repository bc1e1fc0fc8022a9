"""How fast this host trains: tried once by the engine, kept in the data folder.

Without it the first estimate of time would be off by all that computers differ.
"""

import asyncio
import json
import time
from asyncio.subprocess import DEVNULL, PIPE
from importlib.metadata import version
from pathlib import Path

import psutil
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from backend.processes.spawn import environment, python_module
from backend.system import host

log = structlog.get_logger(__name__)
FILE = "host_speed.json"
MODULE = "training_engine.speed"
# Changes with what the trial measures: what was kept of another one is measured anew.
TRIAL = "trial 2"
TIMEOUT_S = 120.0
# What is tried beside other work is slower than a run will be: a quiet moment is waited for.
QUIET_SHARE, LOOK_S, PATIENCE_S = 0.15, 1.0, 600.0


class Speed(BaseModel):
    """Operations per second of a training step on `device` in `dtype`; a layer's for one token."""

    model_config = ConfigDict(extra="forbid")

    device: str
    dtype: str
    flops: float
    layer_s: float


class Known(BaseModel):
    """What is kept: the speed, and of which computer with which torch, tried how."""

    model_config = ConfigDict(extra="forbid")

    computer: str
    speed: Speed


class HostSpeed:
    """Knows the speed of this host, or finds it out."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / FILE
        self.known: Speed | None = None

    async def find_out(self) -> None:
        """Take what was measured before, else measure; a failure leaves it unknown.

        What no quiet moment was found for is tried again at the next start.
        """
        computer = await asyncio.to_thread(_computer)
        kept = await asyncio.to_thread(self._read)
        if kept is not None and kept.computer == computer:
            self.known = kept.speed
            return
        quiet = await _quiet_moment()
        self.known = await _measure()
        if quiet and self.known is not None:
            text = Known(computer=computer, speed=self.known).model_dump_json()
            await asyncio.to_thread(self._write, text)

    def _read(self) -> Known | None:
        try:
            return Known.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            log.warning("speed of the host not readable", error=type(error).__name__)
            return None

    def _write(self, text: str) -> None:
        try:
            self._file.write_text(text)
        except OSError as error:  # it is measured again at the next start
            log.warning("speed of the host not kept", error=error.strerror)


def _computer() -> str:
    """What the speed depends on."""
    cpu = host.cpu()
    return f"{cpu.name}, {cpu.cores} cores, torch {version('torch')}, {TRIAL}"


async def _quiet_moment() -> bool:
    """Wait until little else computes; False when that does not happen in time."""
    begun = time.monotonic()
    while True:
        before = psutil.cpu_times()
        await asyncio.sleep(LOOK_S)
        passed = [b - a for a, b in zip(before, psutil.cpu_times(), strict=True)]
        idle = passed[before._fields.index("idle")]
        if sum(passed) > 0 and 1 - idle / sum(passed) < QUIET_SHARE:
            return True
        if time.monotonic() - begun >= PATIENCE_S:
            return False


async def _measure() -> Speed | None:
    """Let the engine try; None when it can not."""
    process = await asyncio.create_subprocess_exec(
        *python_module(MODULE), stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environment()
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate()
        return Speed.model_validate(json.loads(out))
    except TimeoutError:
        log.warning("speed of the host not measured", reason=f"no answer in {TIMEOUT_S:.0f} s")
    except ValueError:
        last = (err.decode(errors="replace").strip().splitlines() or [""])[-1]
        log.warning("speed of the host not measured", reason=last[:200])
    finally:
        if process.returncode is None:  # also when the platform ends meanwhile
            process.kill()
            await process.wait()
    return None
