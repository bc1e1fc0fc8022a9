"""The versions that are open in the reading process: the last few that were asked for."""

import threading
from collections import OrderedDict
from pathlib import Path

from backend.datasets.reading.rows import Version
from backend.datasets.versions.names import RECORDS_FILE
from backend.datasets.versions.upgrade import upgrade

MAX_OPEN = 4
# Tells a file from the one that had its place before.
_Identity = tuple[int, int, int]


class Versions:
    """Opens versions and keeps the last few open; threads may ask side by side."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, tuple[_Identity, Version]] = OrderedDict()
        self._changing = threading.Lock()

    def of(self, folder: Path) -> Version:
        """The version in `folder`; raises `FileNotFoundError`.

        A version never changes, but its number is given again: after a mapping was chosen, or
        when it was deleted. Then it is another file.
        """
        if not (folder / RECORDS_FILE).exists():
            upgrade(folder)
        found = _identity(folder)
        with self._changing:
            known, version = self._open.get(folder, (None, None))
            if version is not None and known == found:
                self._open.move_to_end(folder)
                return version
        opened = Version(folder)
        with self._changing:
            self._open[folder] = (found, opened)
            self._open.move_to_end(folder)
            if len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)
        return opened

    def get_ready(self) -> None:
        """Open what searches in these versions need, of the one that was asked for last first."""
        with self._changing:
            versions = [version for _, version in reversed(self._open.values())]
        for version in versions:
            version.get_ready()


def _identity(folder: Path) -> _Identity:
    facts = (folder / RECORDS_FILE).stat()
    return facts.st_ino, facts.st_mtime_ns, facts.st_size
