"""Versions of every record type, and how they come back."""

from pathlib import Path
from typing import Any

import pytest

from backend.datasets.importing.run import import_file
from tests.backend.datasets.preparing.made import rows_of

Row = dict[str, Any]


def imported(folder: Path, name: str, content: bytes) -> tuple[Row, list[Row]]:
    """What an import makes of a file: its summary, and the rows."""
    file, out = folder / f"upload-{name}", folder / f"imported-{name}"
    file.write_bytes(content)
    out.mkdir()
    summary = import_file(file, name, out)
    return summary, rows_of(out) if summary["status"] != "failed" else []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where versions of a test lie."""
    return tmp_path
