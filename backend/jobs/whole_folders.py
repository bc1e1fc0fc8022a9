"""Folders that are there as a whole or not at all. Standard library only: children use it."""

import os
import shutil
from contextlib import suppress
from pathlib import Path


def publish(folder: Path, target: Path) -> None:
    """Make a finished folder appear as `target`, in one rename that survives a power cut.

    A `target` that is there already is replaced.
    """
    for place in (*folder.iterdir(), folder):
        _sync(place)
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.replace(target)
    _sync(target.parent)


def remove(folder: Path) -> None:
    """Delete a folder: out of sight at once, then file by file."""
    grave = folder.with_name(f".deleted-{folder.name}")
    with suppress(FileNotFoundError):
        folder.replace(grave)
    with suppress(FileNotFoundError):
        shutil.rmtree(grave)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
