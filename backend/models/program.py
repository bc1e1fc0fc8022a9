"""The program that a model brings along: executed only when an administrator has allowed it.

The consent is given to the contents of all program files together (`code_sha256`). A file that
changes later is another program, and refused until it is allowed again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.models import folder as folders
from backend.models.folder import UnusableFolder
from backend.models.tables import ModelRow
from training_engine.contract.model_folder import (
    UnfitFolder,
    check_code,
    code_files,
    code_sha256,
)

NEEDS_CODE = "needs_code"  # reason of an `UnusableFolder`
ERROR = "model_needs_code"


@dataclass(frozen=True)
class Program:
    """Program files by their place in the model's folder, and the hash of them all."""

    sha256: str
    files: tuple[str, ...]


def program_of(folder: Path) -> Program | None:
    """The program files in a folder; None when there are none. Blocks on files."""
    sha256 = code_sha256(folder)
    if sha256 is None:
        return None
    return Program(sha256, tuple(f.relative_to(folder).as_posix() for f in code_files(folder)))


def require_usable(folder: Path, root: Path, trusted_sha256: str | None = None) -> None:
    """As `folder.require_usable`; a program of the model's own has to be the trusted one."""
    try:
        folders.require_usable(folder, root)
    except UnusableFolder as unusable:
        if unusable.reason != NEEDS_CODE or trusted_sha256 is None:
            raise
    else:
        return
    for file in code_files(folder):
        if not file.resolve().is_relative_to(root.resolve()):
            raise UnusableFolder("outside", f"{file.name} is a link out of the allowed folder.")
    try:
        check_code(folder, trusted_sha256)
    except UnfitFolder as unfit:
        raise UnusableFolder(NEEDS_CODE, unfit.message) from unfit


def is_asked_for(row: ModelRow) -> bool:
    """Whether a model is known to need a program of its own, allowed or not."""
    return row.trusted_code_sha256 is not None or (row.error or {}).get("code") == ERROR


def refusal(program: Program) -> dict[str, Any]:
    """The error of a model whose program nobody has allowed."""
    return {
        "code": ERROR,
        "message": "The model can only be loaded by executing the program that it brings along.",
        "hint": "An administrator can read its files and allow exactly these.",
        "params": {"sha256": program.sha256, "files": ", ".join(program.files)},
    }
