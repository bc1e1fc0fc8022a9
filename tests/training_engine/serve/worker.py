"""A real worker process and a client for it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

REPOSITORY = Path(__file__).resolve().parents[3]
PATIENCE_S = 60.0


class Worker:
    """`python -m training_engine.serve` on a socket of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]", path: Path) -> None:
        self.process, self.socket = process, path
        transport = httpx.HTTPTransport(uds=str(path))
        self.client = httpx.Client(transport=transport, base_url="http://worker", timeout=120)

    def async_client(self) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket))
        return httpx.AsyncClient(transport=transport, base_url="http://worker", timeout=120)

    def wait_ready(self) -> dict[str, Any]:
        """Until the libraries are loaded."""
        return self.wait_until(lambda health: health["status"] == "ready")

    def wait_until(self, condition: Any) -> dict[str, Any]:
        """Ask for the health until `condition` holds."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the worker ended"
            if self._answers():
                health: dict[str, Any] = self.client.get("/health").json()
                if condition(health):
                    return health
            time.sleep(0.02)
        raise AssertionError("the worker did not get there in time")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def items(self, model: Path, text: str, **options: Any) -> list[dict[str, Any]]:
        """All lines of an answer."""
        body = request(model, text, **options)
        with self.client.stream("POST", "/generate", json=body) as response:
            assert response.status_code == 200
            return [json.loads(line) for line in response.iter_lines()]

    def answer(self, model: Path, text: str, **options: Any) -> tuple[str, dict[str, Any]]:
        """The text of an answer and its last line."""
        *tokens, last = self.items(model, text, **options)
        assert all(item["type"] == "token" for item in tokens)
        return "".join(item["text"] for item in tokens), last


def request(model: Path, text: str, **options: Any) -> dict[str, Any]:
    """The body of a request for an answer to one message."""
    options = {k: str(v) if isinstance(v, Path) else v for k, v in options.items()}
    return {
        "model_path": str(model),
        "messages": [{"role": "user", "content": text}],
        "max_new_tokens": 24,
        **options,
    }


def start(path: Path, **options: Any) -> "subprocess.Popen[bytes]":
    """Start the worker; the caller ends it."""
    command = [sys.executable, "-m", "training_engine.serve", str(path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, **options)


@contextmanager
def running() -> Iterator[Worker]:
    """A worker, ended afterwards however the test went."""
    with tempfile.TemporaryDirectory(prefix="easytune-") as folder:
        path = Path(folder) / "serve.sock"
        worker = Worker(start(path), path)
        try:
            yield worker
        finally:
            worker.client.close()
            worker.process.kill()
            worker.process.wait()
