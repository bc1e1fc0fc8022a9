"""Imports into a folder, without a platform around them."""

from pathlib import Path
from typing import Any

import orjson

from backend.datasets.archives.limits import Unpacked
from backend.datasets.importing.run import import_files


def run(folder: Path, name: str, content: bytes | str, **how: Any) -> dict[str, Any]:
    """Import one file below `folder`; what came of it is in `out`."""
    return run_several(folder, {name: content}, **how)


def run_several(folder: Path, files: dict[str, bytes | str], **how: Any) -> dict[str, Any]:
    """Import files that were uploaded together."""
    (folder / "out").mkdir()
    uploads = []
    for number, (name, content) in enumerate(files.items()):
        path = folder / f"upload{number}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        uploads.append(Unpacked(path, name))
    summary = import_files(uploads, folder / "out", **how)
    assert not (folder / "out/unpacked").exists()
    return summary


def items(folder: Path) -> list[dict[str, Any]]:
    """The items of the report."""
    lines = (folder / "out/report.jsonl").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]
