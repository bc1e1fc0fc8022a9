"""The fingerprints of a version: what its rows are compared by, within it and with other versions.

`fingerprints.arrow` (Arrow IPC, not compressed, to be mapped): per row `record` (hash of the stored
record), `text` (of all its parts, without case and white space), `prompt` (of what comes before
the last answer, 0 without one), all uint64 by XXH3, `compared` (whether it has a signature) and
`signature` (the MinHash of `signatures`, whose bands find candidates).
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from backend.datasets.hygiene import signatures

Array = np.ndarray[Any, Any]
HASHES = ("record", "text", "prompt")
# Grows when hashes or signatures are made in another way: those of two kinds can not be compared.
KIND = {b"kind": b"1"}
SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.uint64(), nullable=False) for name in HASHES),
        pa.field("compared", pa.uint8(), nullable=False),
        pa.field("signature", pa.binary(signatures.BYTES), nullable=False),
    ],
    metadata=KIND,
)


def batch_of(hashes: dict[str, Array], matrix: Array, compared: Array) -> pa.RecordBatch:
    """Fingerprints of some consecutive rows."""
    raw = pa.py_buffer(np.ascontiguousarray(matrix).tobytes())
    signature = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(signatures.BYTES), len(matrix), [None, raw]
    )
    columns = [*(pa.array(hashes[name]) for name in HASHES), pa.array(compared.astype(np.uint8))]
    return pa.record_batch([*columns, signature], schema=SCHEMA)


class Fingerprints:
    """An open file of fingerprints. The hashes are in memory, the signatures stay in the file."""

    def __init__(self, file: Path) -> None:
        self._source = pa.memory_map(str(file))
        reader = pa.ipc.open_file(self._source)
        self.same_kind = (reader.schema.metadata or {}).get(b"kind") == KIND[b"kind"]
        batches = [reader.get_batch(n) for n in range(reader.num_record_batches)]
        self.hashes = {
            name: _joined([batch[name].to_numpy() for batch in batches], np.uint64)
            for name in HASHES
        }
        self.compared = _joined([batch["compared"].to_numpy() for batch in batches], np.uint8) > 0
        self.signatures = Signatures([_matrix(batch["signature"]) for batch in batches])
        self.num_rows = len(self.compared)


class Signatures:
    """Signatures of all rows, by row numbers, as one matrix (rows, WIDTH) would give them."""

    def __init__(self, parts: list[Array]) -> None:
        self._parts = parts
        self._starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])

    def __getitem__(self, rows: Array) -> Array:
        found = np.empty((len(rows), signatures.WIDTH), np.uint16)
        which = np.searchsorted(self._starts, rows, side="right") - 1
        order = np.argsort(which, kind="stable")
        bounds = np.flatnonzero(np.diff(which[order])) + 1
        for places in np.split(order, bounds):
            if len(places):
                part = which[places[0]]
                found[places] = self._parts[part][rows[places] - self._starts[part]]
        return found


def _matrix(column: pa.FixedSizeBinaryArray) -> Array:
    raw = column.buffers()[1]
    matrix = np.frombuffer(raw, np.uint16, count=len(column) * signatures.WIDTH)
    return matrix.reshape(len(column), signatures.WIDTH)


def _joined(parts: list[Array], kind: Any) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0, kind)
