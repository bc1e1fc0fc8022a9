"""The run host: `python -m training_engine RUN_DIR [--child MODULE] [--grace-s SECONDS]`.

It holds the folder's lock, starts the engine, owns the log, reaps, and writes how it ended. It
imports nothing but the standard library and the contract's names, and has one thread.
"""

import fcntl
import os
import sys
from contextlib import suppress
from pathlib import Path

from training_engine.contract import failpoints
from training_engine.contract.names import EXIT_FILE, LOCK_FILE, ExitCode
from training_engine.run_host.host import RunHost

USAGE = "usage: python -m training_engine RUN_DIR [--child MODULE] [--grace-s SECONDS]"
CHILD_MODULE = "training_engine.train"
SAVE_GRACE_S = 120.0


class Refused(Exception):
    """Nothing was started; the text says why."""


def _arguments(argv: list[str]) -> tuple[Path, str, float]:
    """Folder, module and grace; raises `Refused` with what is wrong."""
    options = {"--child": CHILD_MODULE, "--grace-s": str(SAVE_GRACE_S)}
    rest = list(argv)
    for name in options:
        if name in rest:
            place = rest.index(name)
            if place + 1 >= len(rest):
                raise Refused(f"{name} needs a value")
            options[name] = rest[place + 1]
            del rest[place : place + 2]
    if len(rest) != 1:
        raise Refused(USAGE)
    run_dir = Path(rest[0]).resolve()
    if not run_dir.is_dir():
        raise Refused(f"{run_dir}: there is no such run folder")
    return run_dir, options["--child"], float(options["--grace-s"])


def _take_lock(run_dir: Path) -> None:
    """Hold the folder's lock until this process ends; raises `Refused`."""
    lock = os.open(run_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(f"{run_dir}: another run host works here") from None
    if (run_dir / EXIT_FILE).exists():
        raise Refused(f"{run_dir}: this attempt has ended; a new one needs a new folder")


def main(argv: list[str]) -> int:
    """Exit code of the child, 128 + signal when one ended it, 1 when it was never started."""
    with suppress(PermissionError):  # already in its own session, or started by hand in a terminal
        os.setsid()
    try:
        run_dir, module, grace_s = _arguments(argv)
        failpoints.check()
        _take_lock(run_dir)
        failpoints.reach("host.locked")
        return RunHost(run_dir, module, grace_s).run()
    except (Refused, failpoints.BadFailpoints) as refusal:
        sys.stderr.write(f"{refusal}\n")
    except OSError as error:
        sys.stderr.write(f"{error.filename or 'run host'}: {error.strerror}\n")
    return ExitCode.FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
