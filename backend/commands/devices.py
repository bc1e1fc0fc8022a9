"""Which devices compute, found out by computing on them in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator

from backend.commands.checks import Check, Level
from backend.processes.spawn import environment
from backend.settings import PROJECT_ROOT
from backend.system.gpus import GpuFacts

TIMEOUT_S = 120
CPU_BUILD = "Install torch with CUDA: remove .venv and run `make run` on this machine again."


def device_checks() -> Iterator[Check]:
    """One check per device and precision, and one for a GPU that torch does not see."""
    facts, problem = _probe()
    if problem:
        yield Check("devices", Level.ERROR, problem, "Run `make run` to set up torch again.")
    for fact in facts:
        name = f"device {fact['device']} ({fact['name']}), {fact['precision']}"
        if "error" in fact:
            yield Check(name, Level.WARNING, f"does not work: {fact['error']}")
        else:
            yield Check(name, Level.OK, f"{fact['gflops']} GFLOP/s")
    gpus, error = GpuFacts().now()
    if error:
        yield Check("NVIDIA driver", Level.WARNING, error, "Check the driver with nvidia-smi.")
    if gpus and not problem and not any("cuda" in fact["device"] for fact in facts):
        names = ", ".join(gpu.name for gpu in gpus)
        yield Check("CUDA", Level.WARNING, f"{names} is there, but torch can not use it", CPU_BUILD)


def _probe() -> tuple[list[dict[str, str]], str | None]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "backend.commands.device_probe"],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            cwd=PROJECT_ROOT,
            env=environment(),
        )
    except subprocess.TimeoutExpired:
        return [], f"torch did not answer within {TIMEOUT_S} s"
    facts = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return facts, f"torch does not work: {last}"
    return facts, None
