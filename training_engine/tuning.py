"""Settings of allocator, threads and kernels: variables that libraries read when they are loaded.

Standard library only: the run host gives them to the engine, the inference worker to itself. What
the environment says already wins.
"""

import ctypes
import gc
import os
import time
from pathlib import Path

# glibc keeps freed memory, and torch asks for huge pages where a tensor fills some. Blocks of 32 MB
# and more are given back at once: they would leave holes that nothing else fits. Huge pages for the
# whole heap (hugetlb=1) cost a virtual machine 2.5 s of the first step, and gained nothing.
ALLOCATOR = {
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=33554432"
    ":glibc.malloc.trim_threshold=17179869184",
    "THP_MEM_ALLOC_ENABLE": "1",
}
# How often a waiting thread looks before it sleeps. Some 50 µs of looking spare a wake-up at nearly
# every operation: a sixth faster on a quiet machine. Beside other programs that compute, each
# operation would wait for a time slice of theirs instead: a quarter slower than sleeping at once
# (both measured on two cores).
SPINNING = {"GOMP_SPINCOUNT": "5000", "KMP_BLOCKTIME": "0"}
SLEEPING = {"GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
# Others compute when they take more than this share of the processor, every time one looks: what
# is over in a moment, a command or a page, is nobody to sleep for.
BUSY_SHARE, LOOK_S, LOOKS = 0.2, 0.1, 4
STAT = Path("/proc/stat")
# oneDNN compiles and keeps a kernel for every shape that it meets, 1024 of them unless told
# otherwise, and no two rows of tokens are equally long: a run on a CPU grew by some 60 MB a
# step in the heap alone (measured). So many are enough for all the shapes of one row.
KERNEL_CACHES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "64"}
# Sums of cuBLAS in the same order every time, which torch asks for in deterministic mode. Only
# there: the memory that it takes is more than usual.
DETERMINISTIC = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
# Rows of different lengths leave holes in a GPU's memory: 31 GB were held for 22 GB of a run.
# Segments that grow are said to leave none; not measured.
GPU_MEMORY = {"PYTORCH_ALLOC_CONF": "expandable_segments:True"}
# A log is no terminal: no progress bars in it, of whatever library.
LOG = {"TQDM_DISABLE": "1"}

FIXED = {**ALLOCATOR, **KERNEL_CACHES, **GPU_MEMORY, **LOG}


def engine_variables() -> dict[str, str]:
    """All of them, with threads that suit what else the machine does now.

    Looks for 0.1 s, and up to 0.4 s where others compute.
    """
    return {**FIXED, **(SLEEPING if others_compute() else SPINNING)}


def others_compute() -> bool:
    """Whether other programs keep a good part of the processor busy."""
    return all(_busy() for _ in range(LOOKS))


def _busy() -> bool:
    try:
        before = _processor_time()
        time.sleep(LOOK_S)
        used, total = (b - a for a, b in zip(before, _processor_time(), strict=True))
    except (OSError, ValueError):  # no such file here: the mean of the last minute
        used, total = int(1000 * os.getloadavg()[0]), 1000 * (os.cpu_count() or 1)
    return used > BUSY_SHARE * total


def _processor_time() -> tuple[int, int]:
    """Ticks of all processors since the start: used ones, all."""
    fields = [int(each) for each in STAT.read_text().partition("\n")[0].split()[1:9]]
    total = sum(fields)
    return total - fields[3] - fields[4], total  # idle, waiting for a disk


def return_freed_memory() -> None:
    """Hand freed memory back to the system at once, what stands in circles included."""
    gc.collect()
    close_holes()


def close_holes() -> None:
    """Hand freed memory back to the system at once; the allocator would keep it (glibc only)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
