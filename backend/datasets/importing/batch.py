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
from backend.datasets.versions.packing import MemoryPacker, Packer
from backend.datasets.versions.rows import Rows

# So many lines are plain or not as one: few enough that a strange one slows only its neighbours.
BLOCK_BYTES = 64 * 1024


@dataclass(slots=True)
class Batch:
    """What became of some consecutive rows of a file."""

    packer: Packer = field(default_factory=MemoryPacker)
    found: Findings = field(default_factory=Findings)
    tally: Tally = field(default_factory=Tally)


def convert_piece(
    piece: Piece, importer: Importer, codec: str, shape: Shape | None, batch: Batch
) -> None:
    """Convert the rows of a piece of any file into `batch`; `codec` and `shape` are for one of
    whole lines."""
    if isinstance(piece, Span):
        convert_chunk(piece.read(), importer, codec, shape, batch)
    else:
        convert(piece.rows(), importer, batch)


def convert_chunk(
    chunk: Chunk, importer: Importer, codec: str, shape: Shape | None, batch: Batch
) -> None:
    """Convert the rows of a piece of a JSON-lines file into `batch`; `shape` is what plain ones
    look like."""
    if shape is None or codec != "utf-8" or chunk.cut:
        convert(rows_of(chunk, codec), importer, batch)
        return
    line = chunk.first_line
    for begin, block in blocks(chunk.data, BLOCK_BYTES):
        plain = read(block, shape)
        if plain is None:
            strange = Chunk(line, chunk.byte_offset + begin, block)
            convert(rows_of(strange, codec), importer, batch)
            line += block.count(b"\n")
        else:
            _take(plain, line, batch)
            line += len(plain.kept)


def _take(plain: PlainRows, first_line: int, batch: Batch) -> None:
    number = len(plain.kept)
    batch.packer.add_encoded(plain.records, first_line, plain.extras)
    batch.found.kept += number
    batch.tally.add_columns(plain.columns, number)
    batch.tally.add_plain(plain.kept)


def convert(rows: Iterable[RawRow], importer: Importer, batch: Batch) -> None:
    """Convert rows into `batch`; what is wrong with one is reported and the others go on."""
    found, rows_used = batch.found, Rows()
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
            rows_used.add(record, row.line, importer.leftovers(row.fields))
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
    batch.packer.add(rows_used)
    batch.tally.add_rows(readable)
    batch.tally.add_records(used)
