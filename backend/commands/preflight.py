"""What must be right around the platform before it starts: said at start-up and by the doctor.

An error keeps the platform from starting; a warning is printed, because the trouble comes later
and then looks like something else.
"""

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from backend import data_dir, version
from backend.commands.checks import GB, Check, Level
from backend.settings import Settings

# Connections, files of runs, the database: a small installation; each browser tab takes one or two.
FEW_FILES = 1024
TOO_FEW_FILES = 128
# More is never needed, and some programs look at each possible one when they start.
MANY_FILES = 2**20
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, never written to
SMALL_SHARED_MEMORY = 1 * GB
TIGHT_BYTES = 2 * GB
# A clock may be set back by a little while nothing is wrong.
CLOCK_TOLERANCE_S = 3600.0


def preflight(settings: Settings) -> Iterator[Check]:
    """Everything that is wrong or worth a word; nothing for what is right."""
    yield from open_files()
    yield from temporary_files()
    yield from shared_memory()
    yield from disk(settings)
    yield from clock(settings)


def raise_open_files() -> None:
    """Use as many open files as this process is allowed to; what it starts inherits that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def open_files() -> Iterator[Check]:
    """How many files and connections may be open at once, after `raise_open_files`."""
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY or allowed >= FEW_FILES:
        return
    fix = (
        "Raise it before starting: `ulimit -n 65536`, LimitNOFILE=65536 in a systemd unit, "
        "`--ulimit nofile=65536` for a container."
    )
    detail = (
        f"only {allowed} files and connections may be open at once; every browser tab takes two"
    )
    level = Level.ERROR if allowed < TOO_FEW_FILES else Level.WARNING
    yield Check("open files", level, detail, fix)


def temporary_files() -> Iterator[Check]:
    """Whether there is a folder for temporary files."""
    usual = Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - asked about, not used
    fix = "Set TMPDIR to a folder that can be written, or mount one (`--tmpfs /tmp`)."
    try:
        with tempfile.TemporaryFile() as probe:
            probe.write(b"x" * 4096)
            probe.flush()
    except OSError as error:
        detail = f"nothing can be written there: {error.strerror or error}"
        yield Check("temporary files", Level.ERROR, detail, fix)
        return
    chosen = Path(tempfile.gettempdir())
    if chosen.resolve() != usual.resolve():
        detail = f"{usual} can not be written; {chosen} is used instead, programs that insist fail"
        yield Check("temporary files", Level.WARNING, detail, fix)


def shared_memory() -> Iterator[Check]:
    """Whether processes can hand each other data; containers begin with 64 MB."""
    fix = "Give the container more: `--shm-size=2g`, or `shm_size: 2gb` in a compose file."
    try:
        found = shutil.disk_usage(SHARED_MEMORY)
    except OSError:
        detail = f"{SHARED_MEMORY} is missing: training on several GPUs and large queries fail"
        yield Check("shared memory", Level.WARNING, detail, fix)
        return
    if found.total < SMALL_SHARED_MEMORY:
        detail = (
            f"{found.total / 1024**2:.0f} MB in {SHARED_MEMORY}: training on several GPUs and "
            "large queries of the database can fail"
        )
        yield Check("shared memory", Level.WARNING, detail, fix)


def disk(settings: Settings) -> Iterator[Check]:
    """Room that is enough to start and hardly for a run; too little to start is `data_dir`'s."""
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if data_dir.MIN_FREE_BYTES <= free < TIGHT_BYTES:
        detail = f"{free / GB:.1f} GB free for {folder}: a run with checkpoints may not fit"
        fix = "Make room, delete runs that are not needed, or set EASYTUNE_DATA_DIR."
        yield Check("disk space", Level.WARNING, detail, fix)


def clock(settings: Settings) -> Iterator[Check]:
    """Whether the time is one that can be: sign-ins and their end depend on it."""
    now = time.time()
    known = {"when this version was installed": Path(version.__file__)}
    known["when EasyTune last started here"] = settings.data_dir / data_dir.LOCK
    for event, path in known.items():
        try:
            then = path.stat().st_mtime
        except OSError:
            continue
        if then > now + CLOCK_TOLERANCE_S:
            detail = f"it says {_shown(now)}, which is before {_shown(then)}, {event}"
            fix = "Set the clock, best by NTP (`timedatectl set-ntp true`), then start again."
            yield Check("clock", Level.WARNING, detail, fix)
            return


def _shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")
