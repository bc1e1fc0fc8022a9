"""Versions that were written as JSON lines get the files that versions have now."""

import tempfile
from pathlib import Path

import orjson

from backend.datasets.versions.names import (
    FORMER_RECORDS_FILE,
    RECORDS_FILE,
    SAMPLE_FILE,
)
from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import stored

BATCH_BYTES = 1 << 20


def upgrade(folder: Path) -> None:
    """Write what is missing beside the JSON lines; raises `FileNotFoundError` without them.

    The Parquet file comes last: a version that has it has all of them.
    """
    with (
        (folder / FORMER_RECORDS_FILE).open("rb") as former,
        tempfile.TemporaryDirectory(dir=folder) as made,
    ):
        writer = RecordWriter(Path(made))
        while lines := former.readlines(BATCH_BYTES):
            writer.write(stored(map(orjson.loads, lines)))
        writer.close()
        for name in (SAMPLE_FILE, RECORDS_FILE):
            (Path(made) / name).replace(folder / name)
