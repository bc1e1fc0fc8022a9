"""The import: recognise, convert row by row, count; all of it into one folder, which counts only
when it is whole.

The verdict is in `import.json`: `ready`, `blocked` (more dropped rows than allowed),
`needs_mapping` (the user must say which column is what) or `failed` (nothing can be used).
"""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from backend.datasets import recognition
from backend.datasets.canonical import (
    OFFSETS_FILE,
    RECORDS_FILE,
    STATISTICS_FILE,
    SUMMARY_FILE,
    RecordWriter,
    record_line,
)
from backend.datasets.importers import mapped
from backend.datasets.importers.importer import Importer, Repairs
from backend.datasets.readers import detect
from backend.datasets.report import ReportWriter
from backend.datasets.rows import RawRow, RowError, UnreadableFile
from backend.datasets.statistics import Statistics

SAMPLE_ROWS = 200
PREVIEW_ROWS = 100
TICK_ROWS = 512
IMPORTER_VERSION = 1

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
        self._statistics = Statistics()
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
        for number, row in enumerate(source.rows(), 1):
            self._take(row, importer)
            if number % TICK_ROWS == 0:
                self._tick(row.byte_offset)
        return self._verdict(max_dropped_rows)

    def _recognise(self, sample: list[RawRow], source: detect.Source) -> Importer | None:
        rows = [row.fields for row in sample if row.fields is not None]
        self._columns = list(dict.fromkeys(name for row in rows for name in row))
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
        for row in sample:
            if row.error is not None:
                self._report.drop(row, row.error)
        first = sample[0]
        assert first.error is not None
        raise UnreadableFile(
            "no_readable_rows",
            f"Not one row can be read. Line {first.line}: {first.error.message}",
            "Correct the lines that the report names and upload the file again.",
            line=first.line,
            byte_offset=first.byte_offset,
        )

    def _take(self, row: RawRow, importer: Importer) -> None:
        repairs: Repairs = []
        try:
            if row.error is not None:
                raise row.error
            assert row.fields is not None
            self._statistics.add_row(row.fields)
            record = importer.convert(row.fields, repairs)
            meta: dict[str, Any] = {"line": row.line}
            if extra := importer.leftovers(row.fields):
                meta["extra"] = extra
            record["meta"] = meta
            line = record_line(record)
        except RowError as error:
            self._report.drop(row, error)
            return
        self._records.write(line)
        self._statistics.add_record(record)
        if repairs:
            self._report.repair(row, repairs)
        else:
            self._report.kept += 1

    def _preview(self, sample: list[RawRow]) -> dict[str, Any]:
        """The first rows as they are, so that the user can see what to map."""
        for row in sample:
            if row.fields is not None:
                self._statistics.add_row(row.fields)
                if self._records.num_rows < PREVIEW_ROWS:
                    self._records.write(record_line({**row.fields}))
        return {"status": "needs_mapping", "error": None}

    def _verdict(self, max_dropped_rows: int) -> dict[str, Any]:
        report = self._report
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
        self._statistics = Statistics()
        if error.code not in {"no_usable_rows", "no_readable_rows"}:
            self._report.forget_rows()
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
        statistics = orjson.dumps(self._statistics.summary())
        (self._folder / STATISTICS_FILE).write_bytes(statistics)
        usable = verdict["status"] in {"ready", "blocked"}
        if verdict["status"] == "failed":
            for name in (RECORDS_FILE, OFFSETS_FILE):
                (self._folder / name).unlink()
        return {
            **verdict,
            **self._facts,
            "num_rows": self._records.num_rows if usable else None,
            "sha256": sha256 if usable else None,
            "columns": self._statistics.columns or self._columns,
            "counts": self._report.counts,
            "rules": dict(self._report.rules.most_common()),
        }


def verdict(dropped: int, max_dropped_rows: int) -> dict[str, Any]:
    """Ready, or blocked because more rows were dropped than the user allowed."""
    if dropped <= max_dropped_rows:
        return {"status": "ready", "error": None}
    return {
        "status": "blocked",
        "error": {
            "code": "too_many_dropped_rows",
            "message": f"{dropped} rows can not be used; {max_dropped_rows} may be left out.",
            "hint": "Correct the rows that the report names and upload the file again, "
            "or allow this many rows to be left out.",
            "params": {"dropped": dropped, "max_dropped_rows": max_dropped_rows},
        },
    }


def _is_one_row(value: dict[str, Any]) -> bool:
    return recognition.family_of(value) is not None
