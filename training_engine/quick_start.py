"""What shortens the way to the first step: less garbage looked for, the weights read ahead.

Standard library and contract only: all of it happens before torch is loaded.
"""

import gc
import os
from contextlib import suppress
from pathlib import Path

from training_engine.contract.model_folder import UnfitFolder, weight_files

# More than this share of the memory would push out what was just read.
_READ_AHEAD_SHARE = 0.5


def pause_collector() -> None:
    """Look for no garbage while libraries are loaded: a sixth of that time went there (measured).

    Of the 590 000 objects that they make a third is garbage, which then stays: 5 to 8 MB.
    """
    gc.disable()


def resume_collector() -> None:
    """From here on garbage is looked for, but not among all that is there by now."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def read_ahead(model: Path) -> None:
    """Ask the system for a model's weights; it reads them while the libraries are loaded.

    What is wrong with the folder, others will say.
    """
    with suppress(OSError, UnfitFolder):
        files = weight_files(model)
        if _fits(sum(file.stat().st_size for file in files)):
            for file in files:
                _ask_for(file)


def _fits(num_bytes: int) -> bool:
    return num_bytes <= _READ_AHEAD_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _ask_for(file: Path) -> None:
    advise = getattr(os, "posix_fadvise", None)
    if advise is None:  # macOS
        return
    opened = os.open(file, os.O_RDONLY)
    try:
        advise(opened, 0, 0, os.POSIX_FADV_WILLNEED)
    finally:
        os.close(opened)
