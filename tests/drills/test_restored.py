"""F24: the database is yesterday's, the run folders are today's; today is found again."""

import os
import subprocess
from pathlib import Path

import pytest

from backend.embedded_postgres.place import find_binaries
from tests.drills.platform import Platform, wait_until

pytestmark = pytest.mark.long


def program(name: str) -> str:
    """A client program of the database that belongs to the platform, or the system's."""
    own = find_binaries() / "bin" / name
    return str(own) if own.exists() else name


def test_yesterdays_database_with_todays_runs(platform: Platform, tmp_path: Path) -> None:
    """One that went on today is found where it is; one that yesterday did not know is kept."""
    stopped = platform.create(steps=60, step_s=0.03)
    platform.until(stopped, "RUNNING", step=6)
    platform.act(stopped, "stop", save=True)
    assert platform.until(stopped, "STOPPED")["resumable"]
    running = platform.create(steps=400, step_s=0.03)
    platform.until(running, "RUNNING", step=2)
    dump, url = tmp_path / "yesterday", platform.database.url
    variables = {"PATH": os.environ["PATH"]}
    save = [program("pg_dump"), "-Fc", "-f", str(dump), url]
    subprocess.run(save, check=True, env=variables)
    platform.act(stopped, "resume")
    unknown = platform.create(steps=5)
    for task in (stopped, unknown, running):
        platform.until(task, "COMPLETED")
    (folder,) = platform.folders(unknown)
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    platform.kill()
    restore = [program("pg_restore"), "--clean", "--if-exists", "--no-owner", "-d", url, str(dump)]
    subprocess.run(restore, check=True, env=variables)
    platform.start()
    # What ran yesterday has ended meanwhile: the ordinary adoption.
    assert platform.until(running, "COMPLETED")["attempt"] == 1
    # What was resumed today is two attempts long, and yesterday's row knows one.
    found = platform.until(stopped, "COMPLETED")
    assert (found["attempt"], found["recovered"]) == (2, True)
    assert {path: path.read_bytes() for path in before} == before, "unknown files are not touched"
    wait_until(lambda: not platform.descendants(), "its end")
