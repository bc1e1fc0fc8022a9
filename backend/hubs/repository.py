"""A repository of a hub: the files that it has at one commit, and what its card says.

Used by jobs, which must start in a moment: standard library and YAML.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

COMMIT = re.compile(r"[0-9a-f]{40}")
MAX_PATH = 1000
_REVISION = re.compile(r"[\w][\w./-]{0,99}")


@dataclass(frozen=True)
class HubFile:
    """A file to fetch; `sha256` for large files, else git's hash of the content.

    `revision` is the commit that wrote it last, where the hub tells.
    """

    path: str
    size_bytes: int
    sha256: str | None
    git_sha1: str | None
    revision: str | None = None


@dataclass(frozen=True)
class Listing:
    """All files of a repository at `commit`; `info` is what else the hub says about it."""

    commit: str
    files: Sequence[HubFile]
    info: dict[str, Any]


def is_revision(text: str) -> bool:
    """Whether a branch, a tag or a commit may be called like this."""
    return bool(_REVISION.fullmatch(text)) and ".." not in text


def is_plain_path(path: Any) -> bool:
    """Whether a name in a listing is a path inside the repository and nothing else."""
    if not isinstance(path, str) or not 0 < len(path) <= MAX_PATH or not path.isprintable():
        return False
    return "\\" not in path and not {"", ".", ".."} & set(path.split("/"))


def card_header(text: str) -> dict[str, Any]:
    """The YAML between the first two lines of dashes of a README.md; empty when there is none."""
    parts = text.split("---", 2)
    if text.startswith("---") and len(parts) == 3:
        try:
            header = yaml.safe_load(parts[1])
        except (yaml.YAMLError, ValueError, RecursionError):
            return {}
        return header if isinstance(header, dict) else {}
    return {}
