"""Which paths a glob pattern of a data set's card names.

`*` stays inside one folder, `**` alone between slashes spans any number of them. Written without
regular expressions of the card's making: those could be made to search for hours.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

MAX_PARTS = 30


def matching(paths: Iterable[str], pattern: str) -> list[str]:
    """The paths that `pattern` names, in order; hidden ones only when it says so itself."""
    parts = tuple(part for part in pattern.split("/") if part not in {"", "."})
    if not parts or len(parts) > MAX_PARTS or ".." in parts or "://" in pattern:
        return []
    parts = tuple(part.replace("[^", "[!") for part in parts)
    hidden = _hidden(parts)
    found = []
    for path in paths:
        names = PurePosixPath(path).parts
        if len(names) <= MAX_PARTS and _hidden(names) <= hidden and _matches(names, parts):
            found.append(path)
    return sorted(found)


def is_hidden(path: str) -> bool:
    """Whether a file or a folder above it is not meant for readers."""
    return _hidden(PurePosixPath(path).parts) > 0


def _hidden(parts: tuple[str, ...]) -> int:
    return sum(part.startswith((".", "__")) for part in parts)


def _matches(names: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    # reachable[n]: the pattern so far names exactly the first n names.
    reachable = [True] + [False] * len(names)
    for number, part in enumerate(parts, 1):
        if part == "**":
            first = reachable.index(True) if True in reachable else len(reachable)
            # At the end it stands for what is in a folder, which the folder's own name is not.
            first += number == len(parts)
            reachable = [n >= first for n in range(len(reachable))]
            continue
        reachable = [
            n > 0 and reachable[n - 1] and fnmatchcase(names[n - 1], part)
            for n in range(len(reachable))
        ]
    return reachable[-1]
