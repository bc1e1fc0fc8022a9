"""The import: recognise, convert row by row, count; all of it into one folder, which counts only
when it is whole.

The verdict is in `import.json`: `ready`, `blocked` (more dropped rows than allowed),
`needs_mapping` (the user must say which column is what) or `failed` (nothing can be used).
"""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from backend.datasets.importers import mapped
from backend.datasets.importers.importer import Importer
from backend.datasets.importing import recognition, workers
from backend.datasets.importing.batch import Batch, convert
from backend.datasets.importing.report import ReportWriter
from backend.datasets.importing.tally import Tally
from backend.datasets.importing.verdict import verdict
from backend.datasets.readers import detect
from backend.datasets.rows import RawRow, UnreadableFile
from backend.datasets.versions.names import (
    RECORDS_FILE,
    SAMPLE_FILE,
    STATISTICS_FILE,
    SUMMARY_FILE,
)
from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import as_they_are

SAMPLE_ROWS = 200
PREVIEW_ROWS = 100
BATCH_ROWS = 1000
# Below this, starting other processes takes longer than they save.
PARALLEL_FROM_BYTES = 16 * 1024 * 1024
IMPORTER_VERSION = 2

# Told how many bytes of the file are done; may raise to end the import.
Tick = Callable[[int], None]


def import_file(
    upload: Path,
    filename: str,
    folder: Path,
    *,
    mapping: dict[str, Any] | None = None,
    max_dropped_rows: int = 0,
    tick: Tick = lambda _done: None,
) -> dict[str, Any]:
    """Import `upload` into the empty `folder`; returns what `import.json` says."""
    run = _Import(upload, filename, folder, mapping, tick)
    try:
        verdict = run.import_all(max_dropped_rows)
    except UnreadableFile as error:
        verdict = run.fail(error)
    summary = run.close(verdict)
    (folder / SUMMARY_FILE).write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    return summary


class _Import:
    def __init__(
        self,
        upload: Path,
        filename: str,
        folder: Path,
        mapping: dict[str, Any] | None,
        tick: Tick,
    ) -> None:
        self._upload, self._filename, self._folder = upload, filename, folder
        self._mapping, self._tick = mapping, tick
        self._records = RecordWriter(folder)
        self._report = ReportWriter(folder)
        self._tally = Tally()
        self._facts: dict[str, Any] = {
            "importer_version": IMPORTER_VERSION,
            "mapping": mapping,
            **dict.fromkeys(("format", "record_type", "encoding", "delimiter", "detected_because")),
        }
        self._columns: list[str] = []

    def import_all(self, max_dropped_rows: int) -> dict[str, Any]:
        """Read, recognise, convert; returns the verdict."""
        source = detect.open_source(self._upload, self._filename, _is_one_row)
        self._facts.update(
            encoding=source.encoding, delimiter=source.delimiter, detected_because=source.because
        )
        sample = list(islice(source.rows(), SAMPLE_ROWS))
        importer = self._recognise(sample, source)
        if importer is None:
            return self._preview(sample)
        self._facts.update(format=importer.name, record_type=importer.record_type.value)
        for batch, done_bytes in self._batches(source, importer):
            self._records.write(batch.rows)
            self._report.add(batch.found)
            self._tally.merge(batch.tally)
            self._tick(done_bytes)
        return self._verdict(max_dropped_rows)

    def _batches(self, source: detect.Source, importer: Importer) -> Iterator[tuple[Batch, int]]:
        """What became of the rows, in order, and how many bytes of the file are done with it."""
        if source.chunks is not None:
            large = self._upload.stat().st_size >= PARALLEL_FROM_BYTES
            hands = workers.number_of_workers() if large else 1
            pieces = source.chunks()
            how = (importer.name, self._mapping, self._columns, source.codec)
            for chunk, batch in workers.convert_chunks(pieces, *how, hands):
                yield batch, chunk.byte_offset + len(chunk.data)
            return
        rows = source.rows()
        while some := list(islice(rows, BATCH_ROWS)):
            batch = Batch()
            convert(some, importer, batch)
            yield batch, some[-1].byte_offset

    def _recognise(self, sample: list[RawRow], source: detect.Source) -> Importer | None:
        rows = [row.fields for row in sample if row.fields is not None]
        self._columns = list(dict.fromkeys(name for row in rows for name in row))
        self._tally = Tally(self._columns)
        if not sample:
            raise UnreadableFile(
                "no_rows", "The file has no rows.", "Upload a file with at least one row."
            )
        if not rows:
            self._refuse(sample)
        if self._mapping is not None:
            mapped.require_columns(self._mapping, self._columns)
            self._facts["detected_because"] = "you said which column is what"
            return mapped.importer(self._mapping)
        found = recognition.recognise(rows)
        self._facts["detected_because"] = f"{source.because}; {found.because}"
        return found.importer

    def _refuse(self, sample: list[RawRow]) -> None:
        """Not one row could be read: report the first ones and give up."""
        refused = Batch()
        convert(sample, recognition.FAMILIES[0], refused)
        self._report.add(refused.found)
        first = sample[0]
        assert first.error is not None
        raise UnreadableFile(
            "no_readable_rows",
            f"Not one row can be read. Line {first.line}: {first.error.message}",
            "Correct the lines that the report names and upload the file again.",
            line=first.line,
            byte_offset=first.byte_offset,
        )

    def _preview(self, sample: list[RawRow]) -> dict[str, Any]:
        """The first rows as they are, so that the user can see what to map."""
        rows = [(row.fields, row.line) for row in sample if row.fields is not None]
        self._tally.add_rows([fields for fields, _ in rows])
        self._records.write(as_they_are(rows[:PREVIEW_ROWS]))
        return {"status": "needs_mapping", "error": None}

    def _verdict(self, max_dropped_rows: int) -> dict[str, Any]:
        report = self._report.total
        if not report.kept + report.repaired:
            raise UnreadableFile(
                "no_usable_rows",
                f"None of the {report.dropped} rows can be used.",
                "See in the report what is wrong with each, correct the file and upload it again.",
                params={"dropped": report.dropped},
            )
        return verdict(report.dropped, max_dropped_rows)

    def fail(self, error: UnreadableFile) -> dict[str, Any]:
        """Nothing is imported; the report says where the file broke."""
        self._tally = Tally()
        if error.code not in {"no_usable_rows", "no_readable_rows"}:
            self._report.unreadable(error)
        return {
            "status": "failed",
            "error": {
                "code": error.code,
                "message": error.message,
                "hint": error.hint,
                "params": error.params,
            },
        }

    def close(self, verdict: dict[str, Any]) -> dict[str, Any]:
        """Finish the files; returns the summary."""
        sha256 = self._records.close()
        self._report.close()
        statistics = orjson.dumps(self._tally.summary())
        (self._folder / STATISTICS_FILE).write_bytes(statistics)
        usable = verdict["status"] in {"ready", "blocked"}
        if verdict["status"] == "failed":
            for name in (RECORDS_FILE, SAMPLE_FILE):
                (self._folder / name).unlink()
        return {
            **verdict,
            **self._facts,
            "num_rows": self._records.num_rows if usable else None,
            "sha256": sha256 if usable else None,
            "columns": self._tally.columns or self._columns,
            "counts": self._report.counts,
            "rules": dict(self._report.total.rules.most_common()),
        }


def _is_one_row(value: dict[str, Any]) -> bool:
    return recognition.family_of(value) is not None
