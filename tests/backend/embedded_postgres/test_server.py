"""The embedded database: data survives whatever happens to the process that owns it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from backend.database import make_engine
from backend.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, running_url
from backend.embedded_postgres.place import NOTE
from backend.settings import PROJECT_ROOT
from tests.conftest import FAST

OWNER = """
import os, sys, time
from pathlib import Path
from backend.embedded_postgres import EmbeddedPostgres
if len(sys.argv) > 2:  # become a normal user now: the interpreter may lie where they can not go
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
with EmbeddedPostgres(Path(sys.argv[1]), {"fsync": "off"}) as server:
    print(server.pid, server.url, flush=True)
    time.sleep(600)
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="starts processes as other users")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that other users may pass through (pytest's own they may not)."""
    path = Path(tempfile.mkdtemp(prefix="easytune-pg-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


def start_owner(folder: Path, *user: int) -> tuple[subprocess.Popen[str], int, str]:
    """A process that owns a server; its pid, the server's pid and address."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder), *map(str, user)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT_ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT_ROOT)},
    )
    assert owner.stdout is not None
    pid, url = owner.stdout.readline().split()
    return owner, int(pid), url


def end(owner: subprocess.Popen[str], number: int) -> None:
    owner.send_signal(number)
    owner.wait()
    assert owner.stdout is not None
    owner.stdout.close()


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not psutil.pid_exists(pid)


async def query(url: str, *statements: str) -> list[object]:
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            return [(await connection.execute(text(s))).scalar() for s in statements]
    finally:
        await engine.dispose()


async def test_data_outlives_a_killed_owner(folder: Path) -> None:
    owner, server, url = start_owner(folder)
    create = "CREATE TABLE kept AS SELECT 7 AS n"
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text(create))
    await engine.dispose()
    end(owner, signal.SIGKILL)
    wait_until_gone(server)  # the kernel told it, nobody else could
    log = (folder / "postgres/server.log").read_text()
    assert "database system is shut down" in log
    with EmbeddedPostgres(folder, FAST) as again:
        assert await query(again.url, "SELECT n FROM kept") == [7]
        assert urlport(again.url) == urlport(url)
        assert running_url(folder) == again.url
    assert running_url(folder) is None


def urlport(url: str) -> str:
    return url.rsplit(":", 1)[1]


async def test_the_application_is_no_superuser(folder: Path) -> None:
    with EmbeddedPostgres(folder, FAST) as server:
        found = await query(
            server.url,
            "SELECT rolsuper FROM pg_roles WHERE rolname = current_user",
            "SHOW listen_addresses",
        )
        wrong = server.url.replace("easytune:", "easytune:x")
        with pytest.raises(Exception, match="password authentication failed"):
            await query(wrong, "SELECT 1")
    assert found == [False, "127.0.0.1"]


def test_secrets_are_for_the_owner_only(folder: Path) -> None:
    with EmbeddedPostgres(folder, FAST) as server:
        command = " ".join(psutil.Process(server.pid).cmdline())
        secret = server.url.split(":")[2].split("@")[0]
    assert (folder / "postgres/connection.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "postgres/cluster").stat().st_mode & 0o777 == 0o700
    assert secret not in command
    assert secret not in (folder / "postgres/server.log").read_text()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["dead", "zombie", "stranger"])
def test_a_pid_file_that_lies_is_removed(folder: Path, kind: str) -> None:
    with EmbeddedPostgres(folder, FAST):
        pid_file = (folder / "postgres/cluster/postmaster.pid").read_text()
    other = subprocess.Popen(["sleep", "600" if kind == "stranger" else "0"])
    if kind != "stranger":
        while psutil.Process(other.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
    if kind == "dead":
        other.wait()
    lines = pid_file.splitlines()
    lie = "\n".join([str(other.pid), *lines[1:]])
    (folder / "postgres/cluster/postmaster.pid").write_text(lie)
    with EmbeddedPostgres(folder, FAST) as server:
        assert psutil.pid_exists(server.pid)
    if kind == "stranger":
        assert other.poll() is None, "a stranger's process was ended"
        other.kill()
    other.wait()


async def test_a_server_that_outlived_its_owner_is_ended_first(folder: Path) -> None:
    first = EmbeddedPostgres(folder, FAST).start()
    old = first.pid
    with EmbeddedPostgres(folder, FAST) as second:  # as where no notice comes
        assert second.pid != old
        assert await query(second.url, "SELECT 1") == [1]
    first.stop()
    assert not psutil.pid_exists(old)


async def test_killed_server_recovers(folder: Path) -> None:
    server = EmbeddedPostgres(folder, FAST).start()
    await query(server.url, "SELECT 1")
    os.kill(server.pid, signal.SIGKILL)
    while not server.has_ended:
        time.sleep(0.01)
    url = server.url
    await server.start_again()
    assert server.url == url, "whoever holds the address can go on"
    assert await query(url, "SELECT 1") == [1]
    server.stop()


def test_a_taken_port_is_given_up(folder: Path) -> None:
    with EmbeddedPostgres(folder, FAST) as server:
        port = int(urlport(server.url).split("/")[0])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with EmbeddedPostgres(folder, FAST) as server:
            assert int(urlport(server.url).split("/")[0]) != port


def test_an_interrupted_first_start_leaves_nothing_half_made(folder: Path) -> None:
    half = folder / "postgres/new-12345"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder, FAST):
        pass
    assert not half.exists()


def test_lost_passwords_are_said(folder: Path) -> None:
    with EmbeddedPostgres(folder, FAST):
        pass
    (folder / "postgres/connection.json").unlink()
    with pytest.raises(EmbeddedPostgresError, match="passwords of the database are missing"):
        EmbeddedPostgres(folder, FAST).start()


@pytest.mark.long
@needs_root
def test_root_gives_the_server_another_user(folder: Path) -> None:
    with EmbeddedPostgres(folder, FAST) as server:
        assert psutil.Process(server.pid).uids().effective != 0


@needs_root
async def test_data_below_a_closed_folder_is_kept_elsewhere(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "data"
    data.mkdir()
    with EmbeddedPostgres(data, FAST) as server:
        assert await query(server.url, "SELECT 1") == [1]
    note = (data / "postgres" / NOTE).read_text()
    elsewhere = Path(note.split(" kept in ")[1].strip().rstrip("."))
    assert (elsewhere / "PG_VERSION").exists()
    shutil.rmtree(elsewhere.parent)


@needs_root
async def test_a_normal_user_owns_a_server_and_a_killed_owner_leaves_none(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chown(folder, nobody, nobody)
    owner, server, url = start_owner(folder, nobody)
    assert psutil.Process(server).uids().effective == nobody
    assert await query(url, "SELECT 1") == [1]
    end(owner, signal.SIGKILL)
    wait_until_gone(server)
    owner, server, url = start_owner(folder, nobody)
    assert await query(url, "SELECT 1") == [1]
    end(owner, signal.SIGKILL)
    wait_until_gone(server)


@needs_root
def test_a_full_disk_is_one_sentence(folder: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m,mode=711", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(EmbeddedPostgresError, match="disk is full"):
            EmbeddedPostgres(folder, FAST).start()
        with pytest.MonkeyPatch.context() as patch:
            # Now past the first look: initdb itself runs into the wall.
            patch.setattr("backend.embedded_postgres.cluster.MIN_FREE_BYTES", 0)
            with pytest.raises(EmbeddedPostgresError, match="disk is full"):
                EmbeddedPostgres(folder, FAST).start()
        assert not list((folder / "postgres").glob("new-*")), "half a cluster was left"
    finally:
        subprocess.run(["umount", str(folder)], check=True)
