"""Reads the fetched files of one split into one version, with the importers that uploads use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.datasets.hubs.trouble import HubTrouble


def import_files(
    files: list[dict[str, str]],
    folder: Path,
    tick: Callable[[int], None],
    *,
    spec: dict[str, Any],
) -> dict[str, Any]:
    """Import `files` (path, filename) into the empty `folder`; returns what `import.json` says."""
    from backend.datasets.importing import run  # with the libraries that it needs

    options: dict[str, Any] = {
        "mapping": spec["mapping"],
        "max_dropped_rows": spec["max_dropped_rows"],
        "tick": tick,
    }
    if "options" in spec:
        options["options"] = spec["options"]
    if several := getattr(run, "import_files", None):
        summary: dict[str, Any] = several(files, folder, **options)
        return summary
    if len(files) > 1:
        raise HubTrouble(
            "hub_several_files",
            f"This split has {len(files)} files, and several can not be read as one yet.",
            "Choose another split, or upload one file.",
            params={"files": len(files)},
        )
    return run.import_file(Path(files[0]["path"]), files[0]["filename"], folder, **options)
