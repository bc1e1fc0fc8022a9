"""`python -m training_engine.data.parquet_lines [--count] [--split NAME] FILE`: one record per
line, or how many there are.

A process of its own, because the library that reads Parquet keeps 50 MB of memory once it is
loaded, and a training run needs it for a moment only.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training_engine.contract.record_lines import json_line

MAGIC = b"PAR1"
COLUMNS = ["record", "line", "extra"]
SPLIT = "split"
BATCH_ROWS = 1024


class ParquetUnreadable(OSError):
    """The file is damaged; `strerror` says how."""


def is_parquet(path: Path) -> bool:
    """Whether the file begins like Parquet; raises `OSError`."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def parquet_lines(path: Path, split: str | None = None) -> Iterator[bytes]:
    """Every record (of a split) as JSON with a line feed; raises `ParquetUnreadable`."""
    yield from _told(path, split)


def parquet_rows(path: Path, split: str | None = None) -> int:
    """How many records there are (in a split); raises `ParquetUnreadable`."""
    return int(b"".join(_told(path, split, "--count")))


def _told(path: Path, split: str | None, *options: str) -> Iterator[bytes]:
    part = [] if split is None else ["--split", split]
    argv = [sys.executable, "-m", __name__, *options, *part, "--", str(path)]
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


def main(arguments: list[str]) -> None:
    """Print the records, or their number."""
    import pyarrow.parquet as parquet

    parser = argparse.ArgumentParser()
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--split")
    parser.add_argument("path")
    asked = parser.parse_args(arguments)
    file = parquet.ParquetFile(asked.path)
    out = sys.stdout.buffer
    if asked.count:
        out.write(b"%d" % _count(file, asked.split))
    else:
        for batch in _batches(file, asked.split, COLUMNS):
            out.writelines(map(json_line, *[_encoded(column) for column in batch.columns]))
    out.flush()


def _count(file: Any, split: str | None) -> int:
    if split is None:
        return int(file.metadata.num_rows)
    return sum(batch.num_rows for batch in _batches(file, split, []))


def _batches(file: Any, split: str | None, columns: list[str]) -> Iterator[Any]:
    """Record batches, without the rows of other splits."""
    if split is None:
        yield from file.iter_batches(BATCH_ROWS, columns=columns)
        return
    if SPLIT not in file.schema_arrow.names:
        raise SystemExit(f"it has no split {split}")
    for batch in file.iter_batches(BATCH_ROWS, columns=[*columns, SPLIT]):
        belongs = [each.as_py() == split for each in batch.column(SPLIT)]
        yield batch.filter(_mask(belongs)).select(columns)


def _mask(values: list[bool]) -> Any:
    import pyarrow

    return pyarrow.array(values, pyarrow.bool_())


if __name__ == "__main__":
    main(sys.argv[1:])
