"""Checkpoints that are whole or absent, verified before they count, and resume exactly.

A checkpoint is written into a hidden sibling, flushed, described by `MANIFEST.json` (size and
sha256 of every file, and of itself), flushed again and renamed. Tensors are safetensors, everything
else is JSON; nothing is ever unpickled. The rules are C1–C10 of `docs/reliability.md`.
"""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from training_engine.contract.failpoints import reach
from training_engine.contract.names import CHECKPOINTS_DIR, MANIFEST_FILE
from training_engine.identity import differing

STATE_FILE = "state.json"
PREFIX = "step-"
_NAME = re.compile(rf"{PREFIX}\d+")
TEMPORARY_PREFIX = ".tmp-"
# Room for the new checkpoint while the one before still exists, and for what else grows.
FREE_SPACE_FACTOR = 2.2


class CorruptCheckpoint(Exception):
    """A file of the checkpoint is missing or differs from its manifest."""


class ForeignCheckpoint(Exception):
    """The checkpoint belongs to other data, another model or another configuration."""


@dataclass(frozen=True)
class Saved:
    """A committed checkpoint: folder name below `checkpoints/`, bytes, hash of its manifest."""

    name: str
    step: int
    size_bytes: int
    manifest_sha256: str


@dataclass(frozen=True)
class Opened:
    """A verified checkpoint: `state` is the JSON part, `tensors(name)` loads one file."""

    folder: Path
    step: int
    state: dict[str, Any]

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The tensors of `NAME.safetensors`, on the CPU."""
        from safetensors.torch import load_file

        found: dict[str, Tensor] = load_file(self.folder / f"{name}.safetensors")
        return found


def name_of(step: int) -> str:
    """Name of the folder of a step's checkpoint."""
    return f"{PREFIX}{step:08d}"


def step_of(folder: Path) -> int:
    """The step of the checkpoint in a folder, by its name."""
    return int(folder.name.removeprefix(PREFIX))


def file_sha256(path: Path) -> str:
    """Hash of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Flush a file or a folder's entries to the disk; an error here means it is not there."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        reach("checkpoint.sync")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> str:
    """Describe every file of `folder`, flush them all; returns the manifest's sha256."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST_FILE)
    entries = {}
    for path in files:
        name = path.relative_to(folder).as_posix()
        entries[name] = {"size_bytes": path.stat().st_size, "sha256": file_sha256(path)}
        sync(path)
    manifest = folder / MANIFEST_FILE
    content = {**facts, "files": entries}
    content["sha256"] = _content_sha256(content)
    manifest.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
    reach("checkpoint.described")
    sync(manifest)
    sync(folder)
    return file_sha256(manifest)


def _content_sha256(manifest: Mapping[str, Any]) -> str:
    """Hash of what a manifest says, so that it can not be damaged unseen either."""
    said = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def verify(folder: Path) -> dict[str, Any]:
    """The manifest of a folder whose files all fit; raises `CorruptCheckpoint` naming the file."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
        entries: dict[str, dict[str, Any]] = manifest["files"]
        sound = manifest["sha256"] == _content_sha256(manifest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptCheckpoint(f"{folder.name}/{MANIFEST_FILE} can not be read") from error
    if not sound:
        raise CorruptCheckpoint(f"{folder.name}/{MANIFEST_FILE} is damaged")
    for name, entry in entries.items():
        path = folder / name
        try:
            fits = path.stat().st_size == entry["size_bytes"]
            fits = fits and file_sha256(path) == entry["sha256"]
        except OSError as error:
            raise CorruptCheckpoint(f"{folder.name}/{name} can not be read") from error
        if not fits:
            raise CorruptCheckpoint(f"{folder.name}/{name} differs from its manifest")
    return manifest


def check_space(folder: Path, expected_bytes: int) -> None:
    """Refuse to begin what will not fit: `OSError(ENOSPC)` with the bytes needed."""
    needed = int(expected_bytes * FREE_SPACE_FACTOR)
    free = shutil.disk_usage(folder).free
    if free < needed:
        mb = 1_000_000
        text = f"A checkpoint needs {needed // mb} MB of free space and {free // mb} MB are free."
        raise OSError(errno.ENOSPC, text)


def save(
    run_dir: Path,
    *,
    step: int,
    attempt: int,
    tensors: Mapping[str, Mapping[str, Tensor]],
    state: Mapping[str, Any],
    identity: Mapping[str, Any],
) -> Saved:
    """Commit a checkpoint of `step`.

    `tensors`: file name without ending → named tensors. `state`: everything else, as JSON.
    `identity`: what must be equal for a resume to be one (of data, model, configuration).
    Raises `OSError`; whatever was written by then is removed.
    """
    from safetensors.torch import save_file

    parent = run_dir / CHECKPOINTS_DIR
    parent.mkdir(exist_ok=True)
    check_space(parent, sum(t.nbytes for group in tensors.values() for t in group.values()))
    name = name_of(step)
    temporary = parent / f"{TEMPORARY_PREFIX}{step}-{attempt}"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        reach("checkpoint.begun")
        for stem, group in tensors.items():
            contiguous = {key: value.detach().contiguous() for key, value in group.items()}
            save_file(contiguous, temporary / f"{stem}.safetensors")
        (temporary / STATE_FILE).write_text(json.dumps(state, allow_nan=False))
        reach("checkpoint.written")
        facts = {"step": step, "attempt": attempt, "identity": dict(identity)}
        digest = write_manifest(temporary, facts)
        reach("checkpoint.before_rename")
        _set_aside(parent / name)  # the same step of this very run
        temporary.rename(parent / name)
        reach("checkpoint.renamed")
        sync(parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    reach("checkpoint.committed")
    return Saved(name, step, _size_bytes(parent / name), digest)


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def open_checkpoint(folder: Path, identity: Mapping[str, Any]) -> Opened:
    """Verify and open one checkpoint; raises `CorruptCheckpoint` or `ForeignCheckpoint`."""
    manifest = verify(folder)
    known: dict[str, Any] | None = manifest.get("identity")
    if not known:
        raise ForeignCheckpoint(f"{folder.name} does not say what it was made with")
    if other := differing(known, identity):
        raise ForeignCheckpoint(f"{folder.name} was made with another {other}")
    state = json.loads((folder / STATE_FILE).read_text())
    return Opened(folder, int(manifest["step"]), state)


def newest(path: Path, identity: Mapping[str, Any]) -> tuple[Opened | None, list[str]]:
    """The newest checkpoint that verifies, and why newer ones were passed over.

    `path` is one checkpoint or a folder of them. Raises `ForeignCheckpoint` when what is there
    belongs to another run, and `CorruptCheckpoint` when `path` is one that is damaged.
    """
    if _NAME.fullmatch(path.name) or (path / MANIFEST_FILE).is_file():
        return open_checkpoint(path, identity), []
    skipped: list[str] = []
    for folder in folders(path):
        try:
            return open_checkpoint(folder, identity), skipped
        except CorruptCheckpoint as error:
            skipped.append(str(error))
    return None, skipped


def folders(parent: Path) -> list[Path]:
    """Those of checkpoints, whole or not, the newest first."""
    found = (p for p in parent.glob(f"{PREFIX}*") if _NAME.fullmatch(p.name) and p.is_dir())
    return sorted(found, key=step_of, reverse=True)


def prune(run_dir: Path, keep: set[str]) -> None:
    """Delete checkpoints that are not in `keep`, never the newest, and leftovers of broken saves.

    Nothing is deleted before the newest one verifies.
    """
    parent = run_dir / CHECKPOINTS_DIR
    committed = folders(parent)
    if not committed:
        return
    verify(committed[0])
    for folder in committed[1:]:
        if folder.name not in keep:
            _set_aside(folder)
    for leftover in parent.glob(f"{TEMPORARY_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _set_aside(folder: Path) -> None:
    """Have a checkpoint deleted with the leftovers; a reader never meets half of one."""
    doomed = folder.parent / f"{TEMPORARY_PREFIX}old-{folder.name}"
    shutil.rmtree(doomed, ignore_errors=True)  # of a process that was killed right here
    if folder.exists():
        folder.rename(doomed)


def adopt(source: Path, parent: Path) -> Saved:
    """Have a checkpoint of an earlier attempt, which was verified, in `parent` too, or nothing.

    Files are linked: nobody writes to them again. Where that can not be they are copied, and
    verified once more: raises `CorruptCheckpoint` or `OSError`.
    """
    parent.mkdir(exist_ok=True)
    temporary, place = parent / f"{TEMPORARY_PREFIX}adopted-{source.name}", parent / source.name
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        try:
            shutil.copytree(source, temporary, copy_function=os.link)
        except OSError:  # another disk, or one that knows no links
            shutil.rmtree(temporary, ignore_errors=True)
            _copy(source, temporary)
        sync(temporary)
        _set_aside(place)
        temporary.rename(place)
        sync(parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    manifest = place / MANIFEST_FILE
    step = int(json.loads(manifest.read_text("utf-8"))["step"])
    return Saved(source.name, step, _size_bytes(place), file_sha256(manifest))


def _copy(source: Path, target: Path) -> None:
    check_space(target.parent, _size_bytes(source) // 2)
    shutil.copytree(source, target)
    verify(target)
    for path in target.iterdir():
        sync(path)
