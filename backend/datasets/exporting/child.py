"""`python -m backend.datasets.exporting.child`: writes a version in another form to its output.

The request comes as JSON on the input. The first message of the output (see `reading.frames`) says
whether the form can express every row; when it can, the file follows and nothing else. What an
earlier look has found comes with the request as `known`: then no row is looked at twice.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson

from backend.datasets.arrow import leave_pandas_out
from backend.datasets.exporting.flat import Table, flat
from backend.datasets.exporting.forms import FORMS, NoPlace
from backend.datasets.exporting.nested import Labels, NestedWriter
from backend.datasets.exporting.refusals import Refusals
from backend.datasets.preparing.stream import Batch, Stored
from backend.datasets.reading import frames
from training_engine.contract.names import RecordType
from training_engine.contract.record_lines import json_line

Fields = dict[str, Any]
Convert = Callable[[Fields, RecordType], Fields]


class Export:
    """One version on its way out."""

    def __init__(self, folder: Path, record_type: str, format: str, split: str | None) -> None:
        self._rows = Stored(folder, lambda _rows: None, base=True)
        self._record_type = RecordType(record_type)
        self._format, self._split = format, split
        self._labels = Labels()
        self._columns: dict[str, None] = {}

    def verdict(self) -> Fields:
        """Look at every row: `{known}` for whoever writes it, or `{no_split}`, or `{refused}` with
        what `Refusals` tells."""
        found = 0
        look = self._look()
        refusals = Refusals()
        for batch in self._batches():
            found += len(batch)
            if look is None:  # a part with one row is there, and nothing more is to be known
                break
            for place, record in enumerate(batch.records):
                try:
                    look(orjson.loads(record))
                except NoPlace as error:
                    refusals.add(error, batch.origins[place])
        if self._split is not None and not found:
            return {"no_split": True}
        if refusals:
            return {"refused": refusals.told()}
        return {"known": {"columns": list(self._columns), "label_kind": self._labels.kind}}

    def take(self, known: Fields) -> None:
        """What an earlier look at all rows has found."""
        self._columns = dict.fromkeys(known["columns"])
        self._labels.kind = known["label_kind"]

    def _look(self) -> Callable[[Fields], object] | None:
        """What tells by a record whether the form has a place for it; None where each has."""
        if self._format == "jsonl":
            return None
        if self._format == "parquet":
            return self._labels.look
        if self._format == "csv":
            return lambda record: self._columns.update(
                dict.fromkeys(flat(record, self._record_type))
            )
        return lambda record: FORMS[self._format](record, self._record_type)

    def write(self, out: BinaryIO) -> None:
        """Write the file."""
        if self._format == "parquet":
            self._write_nested(out)
            return
        table = Table(list(self._columns))
        if self._format == "csv":
            out.write(table.head())
        for batch in self._batches():
            if self._format == "jsonl":
                out.write(b"".join(map(json_line, batch.records, batch.lines, batch.extras)))
                continue
            records = [orjson.loads(record) for record in batch.records]
            if self._format == "csv":
                out.write(table.rows([flat(record, self._record_type) for record in records]))
            else:
                convert = FORMS[self._format]
                rows = [convert(record, self._record_type) for record in records]
                out.write(
                    b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
                )

    def _write_nested(self, out: BinaryIO) -> None:
        writer = NestedWriter(out, self._record_type, self._labels.kind)
        for batch in self._batches():
            beside = zip(batch.lines, batch.extras, batch.splits, strict=True)
            for record, (line, extra, split) in zip(batch.records, beside, strict=True):
                writer.add(orjson.loads(record), line, extra, split)
            writer.flush(batch.size_bytes)
        writer.close()

    def _batches(self) -> Iterator[Batch]:
        for batch in self._rows:
            if self._split is None:
                yield batch
                continue
            chosen = np.flatnonzero([split == self._split for split in batch.splits])
            if len(chosen):
                yield batch.take(chosen.tolist())


class Pipe:
    """A file that is only written; libraries ask it where they are."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._at = file, 0

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._at += memoryview(data).nbytes
        return memoryview(data).nbytes

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        self._file.flush()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


def main() -> None:
    """Answer the one request."""
    out = os.fdopen(os.dup(1), "wb")
    leave_pandas_out()
    os.dup2(2, 1)  # whatever a library prints must not fall into the file
    request = orjson.loads(sys.stdin.buffer.read())
    known = request.pop("known", None)
    export = Export(Path(request.pop("folder")), **request)
    if known is None:
        verdict = export.verdict()
    else:
        export.take(known)
        verdict = {"known": known}
    out.write(frames.pack(verdict))
    if "known" in verdict:
        export.write(Pipe(out))  # type: ignore[arg-type]
    out.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        os._exit(1)  # nobody reads any more
