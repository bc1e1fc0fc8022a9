"""The index of a version: what a search looks at, row by row, ready to be mapped into memory.

`search.arrow` is Arrow IPC with the column `text`, not compressed. It is made of the records and
may be made again.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from backend.datasets.versions.names import RECORDS_FILE, SEARCH_FILE
from backend.datasets.versions.search_text import text_of

SCHEMA = pa.schema([pa.field("text", pa.large_string(), nullable=False)])
BATCH_ROWS = 4096


def build(folder: Path) -> None:
    """Write the index of the version in `folder`; another one that is written now does no harm."""
    write(folder, _batches(folder))


def write(folder: Path, batches: Iterable[pa.RecordBatch]) -> None:
    """Write the index from batches of the column `text`, one text per row, in order."""
    made = folder / f"{SEARCH_FILE}.{uuid4().hex}"
    try:
        with pa.RecordBatchFileWriter(made, SCHEMA) as index:
            for batch in batches:
                index.write_batch(batch.cast(SCHEMA))
        made.replace(folder / SEARCH_FILE)
    finally:
        made.unlink(missing_ok=True)


def _batches(folder: Path) -> Iterator[pa.RecordBatch]:
    file = pq.ParquetFile(folder / RECORDS_FILE)
    for batch in file.iter_batches(BATCH_ROWS, columns=["record", "extra"]):
        columns = [column.cast(pa.large_binary()).to_pylist() for column in batch.columns]
        texts = pa.array(map(text_of, *columns), pa.large_string())
        yield pa.record_batch([texts], schema=SCHEMA)
