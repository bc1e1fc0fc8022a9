"""Starts run hosts for tests, and waits for what they write."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training_engine.contract.events import Event, parse_event
from training_engine.contract.log_lines import LogLine, parse_line
from training_engine.contract.names import EVENTS_FILE, EXIT_FILE, IDENTITY_FILE, LOG_FILE

REPOSITORY = Path(__file__).parents[2]
FAKE = "tests.fakes.engine"


def make_run(folder: Path, spec: dict[str, Any]) -> Path:
    """A run folder with its spec."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.json").write_text(json.dumps(spec))
    return folder


def start_host(
    run_dir: Path, *options: str, child: str | None = FAKE, **variables: str
) -> subprocess.Popen[bytes]:
    """A run host as the backend would start it."""
    argv = [sys.executable, "-m", "training_engine", str(run_dir)]
    if child:
        argv += ["--child", child]
    return subprocess.Popen(
        [*argv, *options],
        cwd=REPOSITORY,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def finish(host: subprocess.Popen[bytes], timeout_s: float = 60) -> str:
    """Wait for a run host; returns what it printed itself. Kills it when it takes too long."""
    try:
        printed, _ = host.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        host.send_signal(signal.SIGKILL)
        host.communicate()
        raise
    return printed.decode()


def wait_until(true: Callable[[], Any], timeout_s: float = 30) -> Any:
    """Poll until something holds; returns what it returned."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.02)
    raise TimeoutError("it never came true")


def exit_facts(run_dir: Path) -> dict[str, Any]:
    """`exit.json`."""
    return json.loads((run_dir / EXIT_FILE).read_text())


def identity(run_dir: Path) -> dict[str, Any] | None:
    """`identity.json` once it names the child."""
    try:
        facts = json.loads((run_dir / IDENTITY_FILE).read_text())
    except FileNotFoundError:
        return None
    return facts if facts["child_pid"] else None


def events(run_dir: Path) -> list[Event]:
    """Every event, checked by the contract."""
    try:
        lines = (run_dir / EVENTS_FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [parse_event(line) for line in lines]


def log_lines(run_dir: Path) -> list[LogLine]:
    """Every line of the log; each must be in the format."""
    content = (run_dir / LOG_FILE).read_bytes()
    assert not content or content.endswith(b"\n")
    found = [parse_line(line) for line in content.split(b"\n")[:-1]]
    assert None not in found
    return found


def is_running(pid: int) -> bool:
    """Alive and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
