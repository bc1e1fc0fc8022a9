"""Settings of allocator, threads and kernels: variables that libraries read when they are loaded.

Standard library only: the run host gives them to the engine, the inference worker to itself. What
the environment says already wins.
"""

import ctypes
import gc

# glibc keeps freed memory and backs it with huge pages: training is a quarter faster with these.
# Blocks of 32 MB and more are given back at once: they would leave holes that nothing else fits.
ALLOCATOR = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=33554432"
    ":glibc.malloc.trim_threshold=17179869184",
    "THP_MEM_ALLOC_ENABLE": "1",
}
# Threads that wait sleep at once instead of spinning: beside other busy programs each operation
# would otherwise wait for a whole time slice of theirs (measured: eight times slower).
THREADS = {"GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
# oneDNN compiles and keeps a kernel for every shape that it meets, 1024 of them unless told
# otherwise, and no two rows of tokens are equally long: a run on a CPU grew by some 60 MB a
# step in the heap alone (measured). So many are enough for all the shapes of one row.
KERNEL_CACHES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "64"}
# A log is no terminal: no progress bars in it, of whatever library.
LOG = {"TQDM_DISABLE": "1"}

ENGINE = {**ALLOCATOR, **THREADS, **KERNEL_CACHES, **LOG}


def return_freed_memory() -> None:
    """Hand freed memory back to the system at once; the allocator would keep it (glibc only)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
