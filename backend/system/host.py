"""Processor and main memory, as far as this process may use them."""

import os
import platform
from pathlib import Path

import psutil

from backend.system.schemas import Cpu, Memory

CGROUP = Path("/sys/fs/cgroup")
CPU_INFO = Path("/proc/cpuinfo")


def cpu() -> Cpu:
    """Name, usable cores, and the load since the call before (0 at the first)."""
    return Cpu(name=_cpu_name(), cores=cores(), utilization=psutil.cpu_percent() / 100)


def cores() -> int:
    """Cores that this process may use: its affinity and its container's share, rounded up."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    count = allowed or os.cpu_count() or 1
    quota, _, period = (_read(_own_cgroup() / "cpu.max") or "max 100000").partition(" ")
    if quota != "max":
        count = min(count, -(-int(quota) // int(period)))
    return max(1, count)


def _cpu_name() -> str:
    for line in (_read(CPU_INFO) or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory() -> Memory:
    """Main memory, or the container's when that is smaller; `used` can not be had by others."""
    machine = psutil.virtual_memory()
    found = Memory(used_bytes=machine.total - machine.available, total_bytes=machine.total)
    limit = _container_limit()
    if limit is None or limit >= machine.total:
        return found
    used = max(0, _number("memory.current") - _statistic("inactive_file"))
    # The machine may have less left than the container is allowed to take.
    used = max(used, limit - machine.available)
    return Memory(used_bytes=min(used, limit), total_bytes=limit)


def _container_limit() -> int | None:
    """The tightest limit from our group up to the root of what we can see (cgroup v2)."""
    limits = []
    group = _own_cgroup()
    while group == CGROUP or CGROUP in group.parents:
        text = _read(group / "memory.max")
        if text and text != "max":
            limits.append(int(text))
        group = group.parent
    return min(limits, default=None)


def _own_cgroup() -> Path:
    for line in (_read(Path("/proc/self/cgroup")) or "").splitlines():
        if line.startswith("0::"):
            own = CGROUP / line[3:].lstrip("/")
            return own if own.is_dir() else CGROUP
    return CGROUP


def _number(name: str) -> int:
    return int(_read(_own_cgroup() / name) or 0)


def _statistic(name: str) -> int:
    for line in (_read(_own_cgroup() / "memory.stat") or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
