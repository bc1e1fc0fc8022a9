"""The findings of a version: their names, and the file that says which rows have them.

`findings.arrow` (Arrow IPC): `finding` (uint8, place in the list that the schema's metadata holds),
`row` (int64) and `other` (int64 or null: the row that stays, or that contradicts), in the order of
findings and rows. Of duplicates the first one is not in it: it stays.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from backend.datasets.versions.names import FINDINGS_FILE

Array = np.ndarray[Any, Any]
EXACT, NEAR = "exact_duplicates", "near_duplicates"
EMPTY, SHORT = "empty_answer", "short_answer"
ONE_ROW, CONFLICT = "label_with_one_row", "label_conflict"
NAMES = (
    *(EXACT, NEAR, "email", "phone", "id_number", "payment_card", "iban", "secret"),
    *(EMPTY, SHORT, ONE_ROW, CONFLICT),
)
# The others are remarks: often they are as they should be.
WARNINGS = frozenset(NAMES) - {NEAR, SHORT, ONE_ROW}
_NAMES_KEY = b"findings"
BATCH_ROWS = 1 << 20


class UnknownFinding(ValueError):
    """No version has findings of this name."""


class NotExamined(FileNotFoundError):
    """The version has not been examined yet."""


@dataclass(slots=True)
class Found:
    """Rows with a finding, ascending; `others` are -1 where there is none, or None for all."""

    name: str
    rows: Array
    others: Array | None = None


def write(file: Path, found: Iterable[Found]) -> None:
    """Write the rows of each finding."""
    schema = pa.schema(
        [
            pa.field("finding", pa.uint8(), nullable=False),
            pa.field("row", pa.int64(), nullable=False),
            pa.field("other", pa.int64()),
        ],
        metadata={_NAMES_KEY: json.dumps(NAMES).encode()},
    )
    with pa.RecordBatchFileWriter(file, schema) as writer:
        for one in found:
            for start in range(0, len(one.rows), BATCH_ROWS):
                rows = one.rows[start : start + BATCH_ROWS].astype(np.int64)
                code = np.full(len(rows), NAMES.index(one.name), np.uint8)
                if one.others is None:
                    others = pa.nulls(len(rows), pa.int64())
                else:
                    part = one.others[start : start + BATCH_ROWS].astype(np.int64)
                    others = pa.array(part, mask=part < 0)
                arrays = [pa.array(code), pa.array(rows), others]
                writer.write_batch(pa.record_batch(arrays, schema=schema))


def rows_of(folder: Path, names: Iterable[str]) -> Array:
    """Numbers (int64, ascending, from 0) of the rows of a version that have one of the findings.

    Of duplicates the first row is not among them: without the others, it stays. Raises
    `UnknownFinding` and, before the version was examined, `NotExamined`.
    """
    wanted = list(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in NAMES]:
        raise UnknownFinding(f"There is no finding “{unknown[0]}”; there are {', '.join(NAMES)}.")
    file = folder / FINDINGS_FILE
    if not file.exists():
        raise NotExamined(str(file))
    with pa.memory_map(str(file)) as source:
        reader = pa.ipc.open_file(source)
        known = json.loads(reader.schema.metadata[_NAMES_KEY])
        codes = [known.index(name) for name in wanted if name in known]
        parts = [np.zeros(0, np.int64)]
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            kept = np.isin(batch["finding"].to_numpy(), codes)
            parts.append(batch["row"].to_numpy()[kept])
    return np.unique(np.concatenate(parts))
