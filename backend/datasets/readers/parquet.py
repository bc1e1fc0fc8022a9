"""Parquet: rows in small batches, whatever the size of the row groups; memory stays flat.

Runs in the import job and its workers only, never in the server: the file may be hostile. Nothing
in it is executed; pyarrow reads types that it does not know as what they are stored as.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from backend.datasets.readers import arrow_values, strict_json
from backend.datasets.rows import (
    EXCERPT_CHARACTERS,
    MAX_ROW_BYTES,
    RawRow,
    RowError,
    UnreadableFile,
)

# Batches are this long, or shorter when rows are large.
BATCH_ROWS = 1024
BATCH_BYTES = 8 * 1024 * 1024
MAX_COLUMNS = 1000
# The columns of a version in the data folder: the first one holds whole records.
STORED = frozenset({"record", "line", "extra", "split"})
_AGAIN = (
    "Write it again with pyarrow, pandas or polars, or export it as JSON lines, and upload that."
)


@dataclass(slots=True)
class ArrowPiece:
    """Some consecutive rows as an Arrow stream, so that another process can take them apart.

    `first_row` counts from 1; `done_bytes` is about how much of the file is behind them.
    """

    first_row: int
    content: bytes
    done_bytes: int

    def rows(self) -> Iterator[RawRow]:
        """The rows with plain JSON values."""
        with pa.ipc.open_stream(self.content) as stream:
            number = self.first_row
            for batch in stream:
                yield from _rows(batch, number)
                number += batch.num_rows


def pieces(path: Path) -> Iterator[ArrowPiece]:
    """All of the file; raises `UnreadableFile` where it breaks."""
    size = path.stat().st_size
    with path.open("rb") as file:
        parquet = _open(file)
        total = max(1, parquet.metadata.num_rows)
        number = 1
        try:
            for batch in parquet.iter_batches(_batch_rows(parquet.metadata), use_threads=False):
                done = min(size, size * (number - 1 + batch.num_rows) // total)
                for part in _in_parts(batch):
                    yield ArrowPiece(number, _stream(part), done)
                    number += part.num_rows
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno:
                raise  # the disk, not the file
            raise _broken(error, number) from None
    if number - 1 != parquet.metadata.num_rows:
        raise _broken(f"it promises {parquet.metadata.num_rows} rows", number)


def rows(path: Path) -> Iterator[RawRow]:
    """All rows."""
    for piece in pieces(path):
        yield from piece.rows()


def _open(file: Any) -> pq.ParquetFile:
    try:
        parquet = pq.ParquetFile(file, page_checksum_verification=True, pre_buffer=False)
        schema, names = parquet.schema_arrow, parquet.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError) as error:
        text = str(error)
        if "encrypt" in text.lower():
            raise UnreadableFile(
                "parquet_not_supported", "The Parquet file is encrypted.", _AGAIN
            ) from None
        raise _broken(error, None) from None
    if len(names) > MAX_COLUMNS:
        message = f"The Parquet file has {len(names)} columns; {MAX_COLUMNS} can be read."
        raise UnreadableFile("parquet_not_supported", message, "Keep only the columns of the rows.")
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise UnreadableFile(
            "duplicate_column",
            f"Two columns have the same name “{repeated}”.",
            "Give every column its own name and upload the file again.",
            params={"column": repeated},
        )
    for field in schema:
        arrow_values.require_readable(field)
    return parquet


def _batch_rows(metadata: pq.FileMetaData) -> int:
    """Rows for about `BATCH_BYTES`, as far as the file tells the truth about its size."""
    groups = range(min(metadata.num_row_groups, 100))
    size: int = sum(metadata.row_group(n).total_byte_size for n in groups)
    count: int = sum(metadata.row_group(n).num_rows for n in groups)
    if size <= 0 or count <= 0:
        return BATCH_ROWS
    return max(1, min(BATCH_ROWS, BATCH_BYTES * count // size))


def _in_parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch, or halves of it until each is small: rows that repeat one long text are not."""
    if batch.num_rows > 1 and batch.get_total_buffer_size() > 4 * BATCH_BYTES:
        half = batch.num_rows // 2
        for part in (batch.slice(0, half), batch.slice(half)):
            # A copy, since a slice is as large as what it was cut from.
            yield from _in_parts(part.take(pa.array(range(part.num_rows), pa.int64())))
    else:
        yield batch


def _stream(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _rows(batch: pa.RecordBatch, number: int) -> Iterator[RawRow]:
    names = batch.schema.names
    is_stored = set(names) == STORED
    columns = [
        arrow_values.values_of(column, name)
        for name, column in zip(names, batch.columns, strict=True)
    ]
    for values in zip(*columns, strict=True) if columns else ():
        row = _row(number, names, values)
        yield _unfolded(row) if is_stored and row.fields else row
        number += 1


def _unfolded(row: RawRow) -> RawRow:
    """A row of a version as it is stored here, with the columns that an export has."""
    assert row.fields is not None
    record = row.fields["record"]
    try:
        parsed = strict_json.parse(record.encode()) if isinstance(record, str) else None
    except (RowError, UnicodeEncodeError):
        return row
    if isinstance(parsed, dict) and STORED.isdisjoint(parsed):
        beside = {name: value for name, value in row.fields.items() if name != "record"}
        row.fields = {**parsed, **beside}
    return row


def _row(number: int, names: list[str], values: tuple[Any, ...]) -> RawRow:
    row = RawRow(number, None, "")
    fields: dict[str, Any] = {}
    for name, value in zip(names, values, strict=True):
        if type(value) is arrow_values.Odd:
            row.repairs += value.repairs
            row.error = row.error or value.error
            value = value.value
        fields[name] = value
    if row.error is None:
        try:
            content = orjson.dumps(fields)
        except TypeError:
            row.error = RowError("too_deep", None, "Nested too deep, or not valid text.")
        else:
            row.raw = content[: 4 * EXCERPT_CHARACTERS]
            if len(content) < MAX_ROW_BYTES:
                row.fields = fields
                return row
            row.error = RowError("row_too_long", None, f"Longer than {MAX_ROW_BYTES // 2**20} MB.")
    row.raw = row.raw or ", ".join(f"{k}: {str(v)[:EXCERPT_CHARACTERS]}" for k, v in fields.items())
    return row


def _broken(reason: Exception | str, row: int | None) -> UnreadableFile:
    where = f" behind row {row - 1}" if row is not None else ""
    text = " ".join(str(reason).split())[:200].rstrip(".")
    if isinstance(reason, UnicodeDecodeError):
        text = "a name in it is not text"
    elif "thrift" in text.lower():  # what follows names parts of the library, and odd characters
        text = "the description of its contents can not be read"
    return UnreadableFile(
        "broken_parquet",
        f"The Parquet file is damaged or incomplete{where}: {text}.",
        _AGAIN,
        line=row,
    )
