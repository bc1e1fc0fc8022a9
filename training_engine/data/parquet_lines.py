"""`python -m training_engine.data.parquet_lines FILE`: one record per line.

A process of its own, because the library that reads Parquet keeps 50 MB of memory once it is
loaded, and a training run needs it for a moment only.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training_engine.contract.record_lines import json_line

MAGIC = b"PAR1"
COLUMNS = ["record", "line", "extra"]


class ParquetUnreadable(OSError):
    """The file is damaged; `strerror` says how."""


def is_parquet(path: Path) -> bool:
    """Whether the file begins like Parquet; raises `OSError`."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def parquet_lines(path: Path) -> Iterator[bytes]:
    """Every record as JSON with a line feed; raises `ParquetUnreadable`."""
    argv = [sys.executable, "-m", __name__, str(path)]
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield from process.stdout
        told = process.stderr.read().decode("utf-8", "replace").strip()
        if process.wait() != 0:
            silent = f"its reader ended with {process.returncode}"
            raise ParquetUnreadable(0, told.splitlines()[-1] if told else silent)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _encoded(column: Any) -> list[Any]:
    return [each.encode() if isinstance(each, str) else each for each in column.to_pylist()]


def main(path: str) -> None:
    """Print the records."""
    import pyarrow.parquet as parquet

    out = sys.stdout.buffer
    for batch in parquet.ParquetFile(path).iter_batches(1024, columns=COLUMNS):
        columns = [_encoded(column) for column in batch.columns]
        out.writelines(map(json_line, *columns))
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1])
