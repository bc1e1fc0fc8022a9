"""Where a base model lies on disk, and the folders below the configured roots.

No path comes from a user: a local model is `ROOT/RELATIVE`, joined below a root and checked again
whenever it is used.
"""

import json
import os
from contextlib import suppress
from pathlib import Path, PurePosixPath
from uuid import UUID

from backend.errors import Refused
from backend.models import program
from backend.models.folder import ORIGIN_FILE, UnusableFolder, require_usable
from backend.models.schemas import LocalFolder, LocalFolders, ModelSource
from backend.models.starters import STARTER
from backend.models.tables import ModelRow
from backend.settings import Settings

MAX_DEPTH = 4
MAX_LISTED = 500
MAX_LOOKED_AT = 20_000


class BadReference(Refused):
    """“{reference}” is not a model folder that can be used: {reason} Choose one from the list of
    folders."""


class ProgramNotAllowed(BadReference):
    """The program that “{reference}” brings along may not be executed: {reason} An administrator
    can read its files and allow them."""


def model_dir(settings: Settings, row: ModelRow) -> Path:
    """The folder to load a model from; raises `BadReference` when a local one has gone."""
    if row.source == ModelSource.LOCAL:
        return local_folder(settings, row.reference, row.trusted_code_sha256)
    return own_dir(settings, row.source, row.reference, row.id)


def own_dir(settings: Settings, source: str, reference: str, model_id: UUID) -> Path:
    """The folder of a model that the platform keeps; a starter's is called as it is referred to."""
    starter = source == ModelSource.STARTER
    name = (reference or STARTER) if starter else str(model_id)
    return settings.models_dir / name


def partial_dir(settings: Settings, model_id: UUID) -> Path:
    """Where a download grows until it is whole; a second try goes on there."""
    return settings.models_dir / "incoming" / str(model_id)


def downloaded(settings: Settings, reference: str) -> tuple[Path, str | None] | None:
    """Folder and commit of a hub's model that was downloaded here, the newest; needs no database.

    None when there is none, or when it came before folders said what they are.
    """
    found: list[tuple[float, Path, str | None]] = []
    for file in settings.models_dir.glob(f"*/{ORIGIN_FILE}"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            origin = json.loads(file.read_bytes())
            if origin["reference"].lower() == reference.lower():
                found.append((file.stat().st_mtime, file.parent, origin["revision"]))
    return max(found)[1:] if found else None


def roots(settings: Settings) -> dict[str, Path]:
    """The configured roots by the names that references use; equal names get a number."""
    named: dict[str, Path] = {}
    for root in settings.model_roots:
        base = name = root.name or "root"
        number = 2
        while name in named:
            name, number = f"{base}-{number}", number + 1
        named[name] = root
    return named


def located(settings: Settings, reference: str) -> tuple[Path, Path]:
    """The folder that `ROOT/RELATIVE` names, usable or not, and its root; raises `BadReference`."""
    name, _, relative = reference.partition("/")
    parts = PurePosixPath(relative).parts
    root = roots(settings).get(name)
    if root is None or "\0" in reference or "\\" in reference or ".." in parts:
        raise _bad(reference, "It does not lie below a configured folder.")
    if PurePosixPath(relative).is_absolute():
        raise _bad(reference, "It does not lie below a configured folder.")
    try:
        folder = (root / relative).resolve(strict=True)
    except OSError:
        raise _bad(reference, "It is not there.") from None
    if not folder.is_relative_to(root.resolve()):
        raise _bad(reference, "It does not lie below a configured folder.")
    return folder, root


def local_folder(settings: Settings, reference: str, trusted_sha256: str | None = None) -> Path:
    """The usable folder that `ROOT/RELATIVE` names; raises `BadReference`.

    `trusted_sha256`: of the program in it that may be executed.
    """
    folder, root = located(settings, reference)
    try:
        program.require_usable(folder, root, trusted_sha256)
    except UnusableFolder as unusable:
        if unusable.reason == program.NEEDS_CODE:
            params = {"reference": reference[:200], "reason": str(unusable)}
            raise ProgramNotAllowed(params=params) from unusable
        raise _bad(reference, str(unusable)) from unusable
    except OSError as error:
        raise _bad(reference, f"It can not be read ({error.strerror}).") from error
    return folder


def _bad(reference: str, reason: str) -> BadReference:
    return BadReference(params={"reference": reference[:200], "reason": reason})


def list_local(settings: Settings) -> LocalFolders:
    """Every folder below the roots that looks like a model, usable or not."""
    found: list[LocalFolder] = []
    looked_at = 0
    for name, root in roots(settings).items():
        for place, folders, file_names in os.walk(root):
            looked_at += 1
            depth = len(Path(place).relative_to(root).parts)
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            if depth >= MAX_DEPTH:
                folders.clear()
            if "config.json" in file_names or "adapter_config.json" in file_names:
                folders.clear()
                found.append(_described(name, root, Path(place)))
            if len(found) >= MAX_LISTED or looked_at >= MAX_LOOKED_AT:
                return LocalFolders(roots=list(roots(settings)), items=found)
    return LocalFolders(roots=list(roots(settings)), items=found)


def _described(name: str, root: Path, folder: Path) -> LocalFolder:
    relative = folder.relative_to(root).as_posix()
    reason = None
    size_bytes = 0
    try:
        size_bytes = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
        require_usable(folder, root)
    except UnusableFolder as unusable:
        reason = unusable.reason
    except OSError:
        reason = "unreadable"
    return LocalFolder(
        reference=name if relative == "." else f"{name}/{relative}",
        name=root.name if relative == "." else folder.name,
        size_bytes=size_bytes,
        usable=reason is None,
        reason=reason,
    )
