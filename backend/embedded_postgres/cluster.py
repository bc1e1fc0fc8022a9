"""Making the database's files, and what the server must hold before the application connects."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.embedded_postgres.credentials import APPLICATION, SUPERUSER, Credentials
from backend.embedded_postgres.failure import EmbeddedPostgresError
from backend.embedded_postgres.place import Place

MIN_FREE_BYTES = 200 * 1024**2
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def as_owner(place: Place) -> dict[str, Any]:
    """Arguments of `Popen` that drop to the server's user."""
    if place.owner is None:
        return {}
    return {"user": place.owner.uid, "group": place.owner.gid, "extra_groups": []}


def create(place: Place, credentials: Credentials, *, sync: bool = True) -> None:
    """`initdb` beside the final place and a rename: interrupted, there is none or a whole one.

    Without `sync` a power cut may destroy it; for tests.
    """
    if (place.cluster / "PG_VERSION").exists():
        return
    parent = place.cluster.parent
    free = shutil.disk_usage(parent).free
    if free < MIN_FREE_BYTES:
        raise EmbeddedPostgresError(
            f"The disk is full: the database needs {MIN_FREE_BYTES // 1024**2} MB in {parent}, "
            f"{free // 1024**2} MB are free."
        )
    for left in parent.glob("new-*"):
        shutil.rmtree(left)
    new = parent / f"new-{os.getpid()}"
    new.mkdir(mode=0o700)
    password = parent / f"new-{os.getpid()}.password"
    try:
        _hand_over(new, place)
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            f.write(credentials.superuser_password)
        _hand_over(password, place)
        # The built-in locale sorts the same on every system, also where libc has no C.UTF-8.
        _run(
            place,
            [
                place.program("initdb"), "-D", str(new), "-U", SUPERUSER, f"--pwfile={password}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--locale=C", *([] if sync else ["--no-sync"]),
            ],
        )  # fmt: skip
        new.rename(place.cluster)
    finally:
        password.unlink(missing_ok=True)
        shutil.rmtree(new, ignore_errors=True)


def _hand_over(path: Path, place: Place) -> None:
    if place.owner is not None:
        os.chown(path, place.owner.uid, place.owner.gid)


def _run(
    place: Place, command: Sequence[str], *, text: str = "", env: Mapping[str, str] | None = None
) -> None:
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**ENVIRONMENT, **(env or {})},
        **as_owner(place),
    )
    if done.returncode == 0:
        return
    if "No space left on device" in done.stderr:
        raise EmbeddedPostgresError(
            f"The disk is full: no space left for the database in {place.cluster.parent}."
        )
    last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    raise EmbeddedPostgresError(f"{Path(command[0]).name} failed: {last}")


def prepare(place: Place, credentials: Credentials) -> None:
    """Create the application's user and database; running it again changes nothing."""
    # The names are our own, and the password has letters, digits, - and _ only.
    sql = rf"""
\set ON_ERROR_STOP on
\set secret '{credentials.password}'
SELECT 'CREATE ROLE {APPLICATION} LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APPLICATION}') \gexec
ALTER ROLE {APPLICATION} PASSWORD :'secret';
SELECT 'CREATE DATABASE {APPLICATION} OWNER {APPLICATION}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{APPLICATION}') \gexec
"""  # noqa: S608
    _run(
        place,
        [
            place.program("psql"), "--no-psqlrc", "--quiet", "--host=127.0.0.1",
            f"--port={credentials.port}", f"--username={SUPERUSER}", "postgres",
        ],
        text=sql,
        env={"PGPASSWORD": credentials.superuser_password},
    )  # fmt: skip
