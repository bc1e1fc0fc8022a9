"""Drives a platform from outside, as the benchmarks need it: start, sign in, call, measure."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "a benchmark of four words"
READY = re.compile(r"EasyTune is ready at (\S+)")
TOKEN = re.compile(r"Setup token: (\S+)")


class Platform:
    """A running `easytune up` with a data folder of its own."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        url: str,
        start_s: float,
        token: str,
        data_dir: Path,
    ) -> None:
        self.process = process
        self.data_dir = data_dir
        self.url = url
        self.start_s = start_s
        self.token = token
        self.http = httpx.Client(base_url=url + "/api/v1", timeout=60)

    def sign_in(self) -> None:
        """Create the administrator; the session cookie stays in the client."""
        body = {"setup_token": self.token, "username": "bench", "password": PASSWORD}
        self.call("POST", "/auth/setup", json=body)

    def call(self, method: str, path: str, **rest: Any) -> Any:
        """One request; fails loudly with the server's own sentence."""
        answer = self.http.request(method, path, headers={"X-EasyTune": "1"}, **rest)
        if answer.is_error:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def stop_all(self) -> None:
        """End what still runs: engines outlive their server, also the one of a benchmark."""
        live = ["PENDING", "PREPARING", "RUNNING", "STOPPING"]
        for task in self.call("GET", "/tasks", params={"status": live})["items"]:
            self.call("POST", f"/tasks/{task['id']}/stop", json={"save": False})
            self.wait(f"/tasks/{task['id']}", ("STOPPED", "COMPLETED", "FAILED"), 180)

    def wait(
        self, path: str, done: tuple[str, ...], limit_s: float = 600, every_s: float = 0.1
    ) -> Any:
        """Poll until `status` is one of `done`, after 5 s no more than twice a second."""
        begun = time.monotonic()
        deadline = begun + limit_s
        while time.monotonic() < deadline:
            thing = self.call("GET", path)
            if thing["status"] in done:
                return thing
            # Who asks often takes the processor from what is waited for.
            time.sleep(every_s if time.monotonic() - begun < 5 else max(every_s, 0.5))
        raise SystemExit(f"{path} is still {thing['status']} after {limit_s:.0f} s")


@contextmanager
def platform(data_dir: Path) -> Iterator[Platform]:
    """Start the platform on a free port; stop it at the end."""
    environment = {**os.environ, "EASYTUNE_DATA_DIR": str(data_dir), "EASYTUNE_PORT": "0"}
    begun = time.monotonic()
    drain: subprocess.Popen[bytes] | None = None
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "easytune"), "up"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        token, url = "", ""
        assert process.stdout
        for line in process.stdout:
            token = token or (m.group(1) if (m := TOKEN.search(line)) else "")
            if m := READY.search(line):
                url = m.group(1)
                break
        start_s = time.monotonic() - begun
        if not url:
            raise SystemExit("The platform did not start.")
        # Its log goes on; an unread pipe would block it.
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        if not token and (file := data_dir / "setup_token").exists():
            token = file.read_text().strip()
        yield Platform(process, url, start_s, token, data_dir)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        if drain:
            drain.wait(timeout=5)


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A data folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="easytune-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
