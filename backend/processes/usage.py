"""What a tree of processes uses now."""

from dataclasses import dataclass

import psutil

from backend.processes.identity import ProcessIdentity
from backend.processes.stop import tree


@dataclass(frozen=True)
class Usage:
    """Summed over the tree; memory shared between its processes counts once for each."""

    processes: int
    memory_bytes: int
    cpu_s: float


def usage(identity: ProcessIdentity) -> Usage:
    """Usage of an identified process and its descendants; zeros when it is gone."""
    count, memory, cpu = 0, 0, 0.0
    for process in tree(identity):
        try:
            with process.oneshot():
                memory += process.memory_info().rss
                times = process.cpu_times()
        except psutil.Error:
            continue
        cpu += times.user + times.system
        count += 1
    return Usage(count, memory, cpu)
