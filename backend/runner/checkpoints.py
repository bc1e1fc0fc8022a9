"""Which checkpoint an attempt can go on from. The engine verifies content; here presence counts."""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.jobs import run_folder
from backend.jobs.run_folder import RunFolder
from backend.jobs.tables import JobRow
from training_engine.contract.names import MANIFEST_FILE

NAME = re.compile(r"^step-(\d{1,9})$")


def newest_checkpoint(folder: RunFolder) -> dict[str, Any] | None:
    """Facts of the newest committed checkpoint of an attempt: a folder that has its manifest."""
    best: tuple[int, Path] | None = None
    try:
        names = [entry.name for entry in folder.checkpoints_dir.iterdir()]
    except FileNotFoundError:
        return None
    for name in names:
        match = NAME.match(name)
        place = folder.checkpoint_dir(name) if match else None
        if match and place is not None and (best is None or int(match[1]) > best[0]):
            best = int(match[1]), place
    if best is None:
        return None
    step, place = best
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    manifest = place / MANIFEST_FILE
    at = datetime.fromtimestamp(manifest.stat().st_mtime, UTC)
    return {
        "attempt": folder.attempt,
        "step": step,
        "name": place.name,
        "size_bytes": size,
        "manifest_sha256": hashlib.sha256(manifest.read_bytes()).hexdigest(),
        "at": at.isoformat(),
    }


def furthest(folder: RunFolder, recorded: dict[str, Any] | None) -> dict[str, Any] | None:
    """The furthest checkpoint to go on from: of this attempt, or `recorded` if it still exists.

    A resumed attempt may hold copies of earlier ones, so the newest folder is not always it.
    """
    found = [newest_checkpoint(folder)]
    if recorded is not None:
        number = int(recorded["attempt"])
        owner = RunFolder(folder.path.parent / str(number), number)
        if owner.checkpoint_dir(str(recorded["name"])) is not None:
            found.append(recorded)
    known = [facts for facts in found if facts is not None]
    return max(known, key=lambda facts: (facts["step"], facts["attempt"]), default=None)


def resume_path(runs_dir: Path, job: JobRow) -> Path | None:
    """The checkpoint that a resumed attempt continues from: the one recorded, else the furthest."""
    recorded = job.checkpoint or {}
    folder = RunFolder.of(runs_dir, job.id, int(recorded.get("attempt", 0)))
    place = folder.checkpoint_dir(str(recorded.get("name", "")))
    if place is not None:
        return place
    left = [
        (facts["step"], older.checkpoint_dir(facts["name"]))
        for older in run_folder.attempts(runs_dir, job.id)
        if (facts := newest_checkpoint(older)) is not None
    ]
    return max(left, default=(0, None), key=lambda found: found[0])[1]
