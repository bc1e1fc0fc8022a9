"""Reads the fetched files of one split into one version, as uploads are read."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backend.datasets.archives.limits import Unpacked
from backend.datasets.importing.run import import_files


class _Share:
    """Tells the bytes of the files that are read, whatever the import does with them."""

    def __init__(self, total_bytes: int, tell: Callable[[int], None]) -> None:
        self._total, self._tell = total_bytes, tell
        self._stage, self._low, self._high = 1, 0.0, 1.0
        self._told = 0

    def stage(self, total_bytes: int, low: float, high: float) -> None:
        """The work of these bytes begins; it is the part from `low` to `high` of all."""
        self._stage, self._low, self._high = max(1, total_bytes), low, high

    def __call__(self, done_bytes: int, detail: str | None = None, rows: int | None = None) -> None:
        """So many bytes of the stage are done."""
        share = self._low + (self._high - self._low) * min(1.0, done_bytes / self._stage)
        self._told = max(self._told, int(share * self._total))
        self._tell(self._told)

    def listen(self) -> None:
        """Raise when the import shall end."""
        self._tell(self._told)


def read(
    files: Sequence[Unpacked], folder: Path, spec: dict[str, Any], tell: Callable[[int], None]
) -> dict[str, Any]:
    """Import `files` into the empty `folder`; returns what `import.json` says.

    `tell` is told how many of their bytes are done, and may raise to end it.
    """
    total = sum(file.path.stat().st_size for file in files)
    return import_files(
        files,
        folder,
        mapping=spec["mapping"],
        options=spec.get("options"),
        max_dropped_rows=spec["max_dropped_rows"],
        max_unpacked_bytes=spec.get("max_unpacked_bytes"),
        watch=_Share(total, tell),
    )
