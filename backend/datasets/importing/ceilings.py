"""What an import may take of the machine: files come from anywhere, and some are made to do harm.

Applied where the system knows such limits; elsewhere an import goes on without them.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

# Address space beyond what the process has when it begins: far more than any honest file needs.
MEMORY_BYTES = 4 * 1024**3
MEMORY_SHARE = 0.5
# Processor time: an hour, and as long as a very slow reader would need.
TIME_S = 3600
SLOWEST_BYTES_PER_S = 100_000


class TooSlow(Exception):
    """The time is up."""


@contextmanager
def lowered(size_bytes: int) -> Iterator[None]:
    """Limits on memory and processor time while a file of this size is read.

    Too much memory is a `MemoryError`, too much time is `TooSlow`.
    """
    try:
        import resource
    except ImportError:  # not on this system
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        yield  # a process with other things to do must not be limited
        return
    former = {name: resource.getrlimit(name) for name in (resource.RLIMIT_AS, resource.RLIMIT_CPU)}
    listener = signal.signal(signal.SIGXCPU, _time_is_up)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(usage.ru_utime + usage.ru_stime)
    _lower(resource.RLIMIT_CPU, spent + TIME_S + size_bytes // SLOWEST_BYTES_PER_S)
    if (had := _address_space()) is not None:
        _lower(resource.RLIMIT_AS, had + _memory())
    try:
        yield
    finally:
        for name, limits in former.items():
            with suppress(ValueError, OSError):
                resource.setrlimit(name, limits)
        signal.signal(signal.SIGXCPU, listener or signal.SIG_DFL)


def _lower(name: int, soft: int) -> None:
    import resource

    former, hard = resource.getrlimit(name)
    for limit in (former, hard):
        if limit != resource.RLIM_INFINITY:
            soft = min(soft, limit)
    with suppress(ValueError, OSError):
        resource.setrlimit(name, (soft, hard))


def _memory() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(MEMORY_BYTES, int(total * MEMORY_SHARE))


def _address_space() -> int | None:
    """Of this process, in bytes; None where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def _time_is_up(_number: int, _frame: FrameType | None) -> None:
    raise TooSlow
