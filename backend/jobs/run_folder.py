"""The folder of one attempt, as the backend sees it: layout, spec, commands, lock, how it ended.

Everything but `spec.json` and `control/` is written by the run host and the engine. What they
write is data: it is read with size limits, and what is torn or wrong reads as absent.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from training_engine.contract.names import (
    CHECKPOINTS_DIR,
    CONTROL_DIR,
    EVENTS_FILE,
    EXIT_FILE,
    IDENTITY_FILE,
    LOCK_FILE,
    LOG_FILE,
    MANIFEST_FILE,
    OUTPUT_DIR,
    SPEC_FILE,
)

# What `attempt` can be in the database.
ATTEMPT = re.compile(r"^[1-9]\d{0,8}$", re.ASCII)
MAX_FACTS_BYTES = 64 * 1024
MAX_SPEC_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class RunFolder:
    """`runs_dir / job / attempt`; the folder need not exist."""

    path: Path
    attempt: int

    @classmethod
    def of(cls, runs_dir: Path, job_id: UUID, attempt: int) -> "RunFolder":
        """The folder of an attempt of a job."""
        return cls(runs_dir / str(job_id) / str(attempt), attempt)

    @property
    def job_id(self) -> UUID:
        """The job that this is an attempt of."""
        return UUID(self.path.parent.name)

    @property
    def spec_file(self) -> Path:
        """What the engine is asked to do."""
        return self.path / SPEC_FILE

    @property
    def events_file(self) -> Path:
        """What the engine says: one JSON object per line."""
        return self.path / EVENTS_FILE

    @property
    def log_file(self) -> Path:
        """What the engine printed, with time, level and stream."""
        return self.path / LOG_FILE

    @property
    def lock_file(self) -> Path:
        """Locked while the run host lives."""
        return self.path / LOCK_FILE

    @property
    def exit_file(self) -> Path:
        """How the child ended."""
        return self.path / EXIT_FILE

    @property
    def output_dir(self) -> Path:
        """The tuned model, or what else the job produced."""
        return self.path / OUTPUT_DIR

    @property
    def checkpoints_dir(self) -> Path:
        """Committed checkpoints, one folder each."""
        return self.path / CHECKPOINTS_DIR

    def create(self, spec: dict[str, Any]) -> None:
        """Make the folder and write its spec; raises `FileExistsError` when it has one.

        The spec appears complete or not at all, and survives a power cut.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700, exist_ok=True)
        (self.path / CONTROL_DIR).mkdir(mode=0o700, exist_ok=True)
        if self.spec_file.exists():
            raise FileExistsError(str(self.spec_file))
        _write_whole(self.spec_file, orjson.dumps(spec, option=orjson.OPT_INDENT_2))

    def spec(self) -> dict[str, Any] | None:
        """What the engine was asked to do; None when that can not be read."""
        return _read_facts(self.spec_file, MAX_SPEC_BYTES)

    def command(self, name: str) -> None:
        """Give the engine a command; a second time is the same as once."""
        control = self.path / CONTROL_DIR
        control.mkdir(mode=0o700, exist_ok=True)
        (control / name).touch(mode=0o640)

    def identity(self) -> dict[str, Any] | None:
        """Boot id, pid, start ticks and nonce of the run host; None before it has written them."""
        return _read_facts(self.path / IDENTITY_FILE)

    def exit_facts(self) -> dict[str, Any] | None:
        """How the child ended; None while it lives, or when nobody was left to write it."""
        return _read_facts(self.exit_file)

    def is_locked(self) -> bool:
        """Whether the run host lives: the primary proof. A free lock is let go again at once."""
        with self.taken() as ours:
            return not ours

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Hold the lock in the run host's place: True, or False when the host lives.

        While it is held no run host can start in this folder.
        """
        try:
            descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            if not self.path.is_dir():
                yield True
                return
            descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def close_for_good(self, facts: dict[str, Any]) -> None:
        """Say in the run host's place how the attempt ended, so that none can start here later.

        Call it while the lock is `taken`; an `exit.json` that is already there stays.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.exit_file.exists():
            _write_whole(self.exit_file, orjson.dumps(facts))

    def checkpoint_dir(self, name: str) -> Path | None:
        """A committed checkpoint by its folder's name; None when it is gone or was never whole."""
        if not name or Path(name).name != name or name.startswith("."):
            return None
        folder = self.checkpoints_dir / name
        return folder if (folder / MANIFEST_FILE).is_file() else None


def attempts(runs_dir: Path, job_id: UUID) -> list[RunFolder]:
    """The folders of all attempts of a job, oldest first."""
    try:
        names = [int(p.name) for p in (runs_dir / str(job_id)).iterdir() if ATTEMPT.match(p.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [RunFolder.of(runs_dir, job_id, number) for number in sorted(names)]


def newest_attempts(runs_dir: Path) -> dict[UUID, RunFolder]:
    """The newest attempt of every job that has a folder; blocks on files."""
    found = {}
    try:
        names = os.listdir(runs_dir)  # noqa: PTH208 (many, and only their names)
    except FileNotFoundError:
        return {}
    for name in names:
        try:
            job_id = UUID(name)
        except ValueError:
            continue
        folders = attempts(runs_dir, job_id) if str(job_id) == name else []
        if folders:
            found[job_id] = folders[-1]
    return found


def remove_all(runs_dir: Path, job_id: UUID) -> None:
    """Delete every attempt of a job; it must have ended."""
    with suppress(FileNotFoundError):
        shutil.rmtree(runs_dir / str(job_id))


def _write_whole(file: Path, content: bytes) -> None:
    """Write beside, sync, rename, sync the folder."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_facts(file: Path, max_bytes: int = MAX_FACTS_BYTES) -> dict[str, Any] | None:
    try:
        with file.open("rb") as stream:
            content = stream.read(max_bytes + 1)
        facts = orjson.loads(content) if len(content) <= max_bytes else None
    except (FileNotFoundError, NotADirectoryError, orjson.JSONDecodeError):
        return None
    return facts if isinstance(facts, dict) else None
