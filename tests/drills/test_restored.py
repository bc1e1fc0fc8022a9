"""F24: the database is yesterday's, the run folders are today's; today is found again."""

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from backend.embedded_postgres.place import find_binaries
from tests.drills.platform import Platform, wait_until

pytestmark = pytest.mark.long


def program(name: str) -> str:
    """A client program of the database that belongs to the platform, or the system's."""
    own = find_binaries() / "bin" / name
    return str(own) if own.exists() else name


def test_yesterdays_database_with_todays_runs(platform: Platform, tmp_path: Path) -> None:
    running = platform.create(steps=80, step_s=0.03)
    platform.until(running, "RUNNING", step=2)
    known = platform.folders(running)[0]
    dump = tmp_path / "yesterday"
    url = platform.database.url
    clients = {"check": True, "env": {"PATH": os.environ["PATH"]}}
    subprocess.run([program("pg_dump"), "-Fc", "-f", str(dump), url], **clients)
    unknown = platform.create(steps=5)
    platform.until(unknown, "COMPLETED")
    (folder,) = platform.folders(unknown)
    platform.until(running, "COMPLETED")
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    platform.kill()
    database = urlsplit(url).path.removeprefix("/")
    restore = [program("pg_restore"), "--clean", "--if-exists", "--no-owner", "-d", url, str(dump)]
    subprocess.run(restore, **clients)
    platform.start()
    found = platform.until(running, "COMPLETED")
    assert found["attempt"] == known.attempt
    assert found["recovered"] is True, (
        f"{database}: it is told that its end was found in the folder"
    )
    assert {path: path.read_bytes() for path in before} == before, "unknown files are not touched"
    wait_until(lambda: not platform.descendants(), "its end")
