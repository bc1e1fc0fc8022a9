"""From rows of a file to canonical lines, many at a time: the inner loop of every import.

A batch is all that is known of some consecutive rows. It travels between processes, so that a
large file is converted on all cores; joined in order, batches say the same as one long loop.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.datasets.importers.importer import Fields, Importer, Repairs
from backend.datasets.importing.plain import PlainRows, read
from backend.datasets.importing.report import Findings
from backend.datasets.importing.shapes import Shape
from backend.datasets.importing.tally import Tally
from backend.datasets.readers.chunks import Chunk, Span, blocks
from backend.datasets.readers.detect import Piece
from backend.datasets.readers.jsonl import rows_of
from backend.datasets.rows import RawRow, RowError
from backend.datasets.versions.rows import Rows

# So many lines are plain or not as one: few enough that a strange one slows only its neighbours.
BLOCK_BYTES = 64 * 1024


@dataclass(slots=True)
class Batch:
    """What became of some consecutive rows of a file."""

    rows: Rows = field(default_factory=Rows)
    found: Findings = field(default_factory=Findings)
    tally: Tally = field(default_factory=Tally)


def convert_piece(piece: Piece, importer: Importer, codec: str, shape: Shape | None) -> Batch:
    """The rows of a piece of any file; `codec` and `shape` are for one of whole lines."""
    if isinstance(piece, Span):
        return convert_chunk(piece.read(), importer, codec, shape)
    batch = Batch()
    convert(piece.rows(), importer, batch)
    return batch


def convert_chunk(chunk: Chunk, importer: Importer, codec: str, shape: Shape | None) -> Batch:
    """The rows of a piece of a JSON-lines file; `shape` is what plain ones look like."""
    batch = Batch()
    if shape is None or codec != "utf-8" or chunk.cut:
        convert(rows_of(chunk, codec), importer, batch)
        return batch
    line = chunk.first_line
    for begin, block in blocks(chunk.data, BLOCK_BYTES):
        plain = read(block, shape)
        if plain is None:
            strange = Chunk(line, chunk.byte_offset + begin, block)
            convert(rows_of(strange, codec), importer, batch)
            line += block.count(b"\n")
        else:
            _take(plain, line, batch)
            line += len(plain.records)
    return batch


def _take(plain: PlainRows, first_line: int, batch: Batch) -> None:
    number = len(plain.records)
    batch.rows.records += plain.records
    batch.rows.lines += range(first_line, first_line + number)
    batch.rows.extras += plain.extras
    batch.found.kept += number
    batch.tally.add_columns(plain.columns, number)
    batch.tally.add_plain(plain.kept)


def convert(rows: Iterable[RawRow], importer: Importer, batch: Batch) -> None:
    """Convert rows into `batch`; what is wrong with one is reported and the others go on."""
    found = batch.found
    readable: list[Fields] = []
    used: list[Fields] = []
    for row in rows:
        repairs: Repairs = row.repairs
        try:
            if row.error is not None:
                raise row.error
            assert row.fields is not None
            readable.append(row.fields)
            record = importer.convert(row.fields, repairs)
            batch.rows.add(record, row.line, importer.leftovers(row.fields))
        except RowError as error:
            found.drop(row.line, row.byte_offset, row.raw, error)
            continue
        except TypeError:
            broken = RowError("invalid_text", None, "Half of a surrogate pair in a text.")
            found.drop(row.line, row.byte_offset, row.raw, broken)
            continue
        used.append(record)
        if repairs:
            found.repair(row.line, row.byte_offset, row.raw, repairs)
        else:
            found.kept += 1
    batch.tally.add_rows(readable)
    batch.tally.add_records(used)
