"""`easytune up` as a user runs it: a real process with its own database."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from backend.embedded_postgres import running_url
from backend.settings import PROJECT_ROOT

EASYTUNE = [sys.executable, "-m", "backend.cli"]
READY = "EasyTune is ready at "
TOKEN = "Setup token: "
LONG = pytest.mark.long  # a process of seconds for every case
PASSWORD = "four unrelated words here"


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT_ROOT),
        "EASYTUNE_DATA_DIR": str(data_dir),
        "EASYTUNE_PORT": "0",
        **more,
    }


class Platform:
    """A running `easytune up`."""

    def __init__(self, data_dir: Path, **more: str) -> None:
        self.log = data_dir.parent / "up.log"
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [*EASYTUNE, "up"],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=PROJECT_ROOT,
                env=environment(data_dir, **more),
            )
        self.url = self.line(READY)

    def line(self, beginning: str) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self.log.read_text().splitlines():
                if line.startswith(beginning):
                    return line.removeprefix(beginning)
            time.sleep(0.05)
        raise AssertionError(f"no line {beginning!r}:\n{self.log.read_text()}")

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder; whatever platform still runs on it is ended after the test."""
    folder = tmp_path / "data"
    yield folder
    lock = folder / "lock"
    if lock.exists() and lock.read_text().isdigit():
        pid = int(lock.read_text())
        if psutil.pid_exists(pid) and "backend.cli" in " ".join(psutil.Process(pid).cmdline()):
            os.kill(pid, signal.SIGKILL)


def run(*arguments: str, data_dir: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*EASYTUNE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT_ROOT,
        env=environment(data_dir, **more),
        timeout=60,
    )


def set_up(platform: Platform) -> None:
    answer = httpx.post(
        f"{platform.url}/api/v1/auth/setup",
        json={
            "setup_token": platform.line(TOKEN),
            "username": "ada",
            "password": PASSWORD,
        },
    )
    assert answer.status_code == 201, answer.text


def sign_in(platform: Platform) -> int:
    body = {"username": "ada", "password": PASSWORD}
    return httpx.post(f"{platform.url}/api/v1/auth/login", json=body).status_code


def test_a_whole_life(data_dir: Path) -> None:
    """Start, set up, second start refused, killed, started again, ended in order."""
    platform = Platform(data_dir)
    assert (data_dir / "setup_token").read_text().strip() == platform.line(TOKEN)
    assert httpx.get(f"{platform.url}/readyz").status_code == 200
    set_up(platform)
    assert not (data_dir / "setup_token").exists()

    second = run("up", data_dir=data_dir)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert "already runs" in second.stderr

    users = run("user", "list", data_dir=data_dir)  # beside the running platform
    assert users.stdout == "ada\tadministrator\tactive\n"

    platform.end(signal.SIGKILL)
    again = Platform(data_dir)
    assert sign_in(again) == 200, "what was acknowledged is kept"
    assert TOKEN not in again.log.read_text()
    began = time.monotonic()
    assert again.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 20
    assert running_url(data_dir) is None, "its database ended with it"
    users = run("user", "list", data_dir=data_dir)  # with a database started for this
    assert users.stdout == "ada\tadministrator\tactive\n"


def test_a_killed_database_comes_back(data_dir: Path) -> None:
    platform = Platform(data_dir)
    set_up(platform)
    connection = data_dir / "postgres/connection.json"
    old = json.loads(connection.read_text())["server_pid"]
    os.kill(old, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = sign_in(platform)
        assert status in {200, 503}, status
        if status == 200 and json.loads(connection.read_text())["server_pid"] != old:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("no new database server")
    assert platform.end(signal.SIGTERM) == 0


def test_a_taken_port(data_dir: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        refused = run("up", data_dir=data_dir, EASYTUNE_PORT=port)
    assert refused.returncode == 1
    assert refused.stderr == (
        f"✖ Port {port} on 127.0.0.1 is taken by another program; stop it, or set EASYTUNE_PORT "
        "to a free port.\n"
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"EASYTUNE_DATA_DIR": "/proc/nothing"}, "can not be written"),
        pytest.param(
            {"EASYTUNE_HOST": "no.such.host.invalid"}, "is not an address here", marks=LONG
        ),
        ({"EASYTUNE_DATABASE_URL": "postgresql://x:y@127.0.0.1:1/z"}, "database does not answer"),
        pytest.param(
            {"EASYTUNE_DATABASE_URL": "sqlite:///x"}, "must begin with postgresql://", marks=LONG
        ),
        pytest.param({"EASYTUNE_SECRET_KEY": "changeme" * 8}, "too weak", marks=LONG),
        ({"EASYTUNE_COLOUR": "blue"}, "no such setting"),
    ],
)
def test_what_is_wrong_is_one_line(data_dir: Path, settings: dict[str, str], sentence: str) -> None:
    refused = run("up", data_dir=data_dir, **settings)
    assert refused.returncode == 1, refused.stdout
    assert refused.stderr.startswith("✖ ")
    assert refused.stderr.count("\n") == 1, refused.stderr
    assert sentence in refused.stderr


def test_a_wrong_password_of_the_database_is_said_without_it(
    data_dir: Path, postgres_url: str
) -> None:
    _, _, place = postgres_url.partition("@")
    url = f"postgresql://nobody:hunter2@{place}"
    refused = run("up", data_dir=data_dir, EASYTUNE_DATABASE_URL=url)
    assert refused.returncode == 1
    assert "password authentication failed" in refused.stderr
    assert "hunter2" not in refused.stderr + refused.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk(data_dir: Path) -> None:
    data_dir.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(data_dir)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        refused = run("up", data_dir=data_dir)
    finally:
        subprocess.run(["umount", str(data_dir)], check=True)
    assert refused.returncode == 1
    assert refused.stderr.startswith("✖ The disk is full")
    assert refused.stderr.count("\n") == 1
