"""A finished model folder: what may be in it, the manifest that proves it whole, the atomic move.

A folder is complete when its MANIFEST.json is there and every hash in it is right; it appears
under its final name in one rename, so that nobody ever sees half of it.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from training_engine.contract.names import MANIFEST_FILE

_CHUNK_BYTES = 1 << 20


def file_sha256(path: Path) -> str:
    """SHA-256 of a file as lower-case hex, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def write_manifest(folder: Path, **facts: Any) -> int:
    """List every file of `folder` with size and hash; returns the bytes of all files together."""
    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != MANIFEST_FILE:
            size = path.stat().st_size
            name = path.relative_to(folder).as_posix()
            files.append({"path": name, "size_bytes": size, "sha256": file_sha256(path)})
    manifest = folder / MANIFEST_FILE
    body = {"version": 1, **facts, "files": files}
    manifest.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return sum(int(str(entry["size_bytes"])) for entry in files) + manifest.stat().st_size


def damaged_files(folder: Path) -> list[str]:
    """Names that the manifest promises and that are missing or differ; empty when all is well.

    Raises `OSError` or `ValueError` when there is no readable manifest.
    """
    body = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
    bad = []
    for entry in body["files"]:
        path = folder / entry["path"]
        if not path.is_file() or file_sha256(path) != entry["sha256"]:
            bad.append(entry["path"])
    return bad


def publish(partial: Path, final: Path) -> None:
    """Make `partial` appear as `final`: files to disk first, then one rename."""
    for path in partial.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            _sync(path)
    _sync(partial)
    if final.exists():
        shutil.rmtree(final)
    partial.rename(final)
    _sync(final.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
