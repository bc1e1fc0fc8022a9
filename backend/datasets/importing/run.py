"""The import: unpack, recognise, convert row by row, count; all of it into one folder, which counts
only when it is whole.

The verdict is in `import.json`: `ready`, `blocked` (more dropped rows than allowed),
`needs_mapping` (the user must say which column is what) or `failed` (nothing can be used).
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from backend.datasets.archives.limits import LeftOut, Unpacked
from backend.datasets.archives.unpack import unpack
from backend.datasets.importing import entries, recognition, workers
from backend.datasets.importing.batch import Batch, convert
from backend.datasets.importing.parts import Agreed, Part, agree, open_parts
from backend.datasets.importing.report import ReportWriter
from backend.datasets.importing.tally import Tally
from backend.datasets.importing.verdict import verdict
from backend.datasets.importing.watch import Nobody, Watch
from backend.datasets.readers.options import options_of
from backend.datasets.rows import UnreadableFile
from backend.datasets.versions.names import (
    RECORDS_FILE,
    SAMPLE_FILE,
    STATISTICS_FILE,
    SUMMARY_FILE,
)
from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import as_they_are

PREVIEW_ROWS = 100
# What archives may not fill of the disk.
RESERVE_BYTES = 512 * 1024 * 1024
# Of the whole work, when there is something to unpack.
UNPACKING_SHARE = 0.15
UNPACKED_FOLDER = "unpacked"
IMPORTER_VERSION = 4
MIXED = "mixed"
_SHOWN = 20


def import_file(upload: Path, filename: str, folder: Path, **how: Any) -> dict[str, Any]:
    """As `import_files`, for a single upload."""
    return import_files([Unpacked(upload, filename)], folder, **how)


def import_files(
    uploads: Sequence[Unpacked],
    folder: Path,
    *,
    mapping: dict[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    entry: str | None = None,
    max_dropped_rows: int = 0,
    max_unpacked_bytes: int | None = None,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Import files into the empty `folder`, as one version; returns what `import.json` says.

    `entry` is that of a `dataset_info.json` among the files that is wanted. Archives may unpack to
    `max_unpacked_bytes`, or to what the disk has room for.
    """
    run = _Import(uploads, folder, mapping, options, watch or Nobody())
    try:
        found = run.import_all(entry, max_dropped_rows, max_unpacked_bytes)
    except UnreadableFile as error:
        found = run.fail(error)
    except BaseException:
        run.abandon()
        raise
    finally:
        run.dismiss()
        shutil.rmtree(folder / UNPACKED_FOLDER, ignore_errors=True)
    summary = run.close(found)
    (folder / SUMMARY_FILE).write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    return summary


class _Import:
    def __init__(
        self,
        uploads: Sequence[Unpacked],
        folder: Path,
        mapping: dict[str, Any] | None,
        options: Mapping[str, Any] | None,
        watch: Watch,
    ) -> None:
        self._uploads, self._folder = uploads, folder
        self._mapping, self._options, self._watch = mapping, options, watch
        self._hands = workers.Hands()
        self._records = RecordWriter(folder)
        self._report = ReportWriter(folder)
        self._tally = Tally()
        self._columns: list[str] = []
        self._left_out: list[LeftOut] = []
        self._facts: dict[str, Any] = {
            "importer_version": IMPORTER_VERSION,
            "options": dict(options) if options else None,
            **dict.fromkeys(("format", "record_type", "encoding", "delimiter", "detected_because")),
            **{"files": [], "left_out": [], "entry": None, "entries": None},
        }

    def import_all(
        self, entry: str | None, max_dropped_rows: int, max_unpacked_bytes: int | None
    ) -> dict[str, Any]:
        """Unpack, read, recognise, convert; returns the verdict."""
        parts = self._open(entry, max_unpacked_bytes)
        self._describe(parts)
        agreed = agree(parts, self._mapping)
        self._facts["detected_because"] = self._with_left_out(agreed.because)
        if agreed.importer is None:
            return self._preview(agreed)
        self._facts.update(
            format=agreed.importer.name, record_type=agreed.importer.record_type.value
        )
        self._convert(parts, agreed.importer.name)
        return self._verdict(max_dropped_rows)

    def _open(self, entry: str | None, max_unpacked_bytes: int | None) -> list[Part]:
        """Plain files that have rows."""
        options = options_of(self._options)
        room = shutil.disk_usage(self._folder).free - RESERVE_BYTES
        packed = sum(upload.path.stat().st_size for upload in self._uploads)
        self._watch.stage(packed, 0.0, UNPACKING_SHARE)
        contents = unpack(
            self._uploads,
            self._folder / UNPACKED_FOLDER,
            max(0, room if max_unpacked_bytes is None else min(room, max_unpacked_bytes)),
            options.archive_member,
            self._watch,
        )
        self._left_out += contents.left_out
        files = contents.files
        if (chosen := entries.choose(files, entry)) is not None:
            files = chosen.files
            self._left_out += chosen.left_out
            self._mapping = self._mapping or chosen.mapping
            self._facts.update(entry=chosen.entry, entries=chosen.entries)
        self._hands.expect(sum(file.path.stat().st_size for file in files))
        parts, left_out = open_parts(files, options, self._watch)
        self._left_out += left_out
        return parts

    def _describe(self, parts: Sequence[Part]) -> None:
        for name in ("encoding", "delimiter"):
            found = {getattr(part.source, name) for part in parts}
            self._facts[name] = found.pop() if len(found) == 1 else MIXED
        self._facts["files"] = [
            {
                "name": part.file.name,
                "kind": part.source.kind,
                "encoding": part.source.encoding,
                "encoding_may_be": list(part.source.also),
                "delimiter": part.source.delimiter,
                "size_bytes": part.size_bytes,
            }
            for part in parts
        ]
        self._columns = list(dict.fromkeys(name for part in parts for name in part.columns))
        self._tally = Tally(self._columns)
        for part in parts:
            if not part.rows:
                self._refuse(part)

    def _with_left_out(self, because: str) -> str:
        """The reasons, and which files are not imported: nobody shall have to look for that."""
        if not self._left_out:
            return because
        named = "; ".join(f"{each.name} ({each.reason})" for each in self._left_out[:_SHOWN])
        more = len(self._left_out) - _SHOWN
        return f"{because}; left out: {named}{f' and {more} more' if more > 0 else ''}"

    def _convert(self, parts: Sequence[Part], format_name: str) -> None:
        total = sum(part.size_bytes for part in parts)
        low = UNPACKING_SHARE if (self._folder / UNPACKED_FOLDER).exists() else 0.0
        self._watch.stage(total, low, 1.0)
        recipe = workers.Recipe(
            format_name,
            self._mapping,
            tuple((tuple(part.columns), part.source.codec) for part in parts),
        )
        before = [sum(part.size_bytes for part in parts[:n]) for n in range(len(parts))]
        pieces = self._hands.convert(_pieces(parts), recipe, self._folder)
        with closing(pieces):
            for each in pieces:
                if each.table is not None:
                    self._records.write_packed(each.table)
                self._report.add(each.found, parts[each.file].name)
                self._tally.merge(each.tally)
                done = before[each.file] + each.piece.done_bytes
                self._watch(done, rows=self._report.num_rows)

    def _refuse(self, part: Part) -> None:
        """Not one row could be read: report the first ones and give up."""
        refused = Batch()
        convert(part.sample, recognition.FAMILIES[0], refused)
        self._report.add(refused.found, part.name)
        first = part.sample[0]
        assert first.error is not None
        error = UnreadableFile(
            "no_readable_rows",
            f"Not one row can be read. Line {first.line}: {first.error.message}",
            "Correct the lines that the report names and upload the file again.",
            line=first.line,
            byte_offset=first.byte_offset,
        )
        error.file = part.name
        raise error

    def _preview(self, agreed: Agreed) -> dict[str, Any]:
        """The first rows as they are, so that the user can see what to map."""
        sample = agreed.undecided.sample
        rows = [(row.fields, row.line) for row in sample if row.fields is not None]
        self._tally.add_rows([fields for fields, _ in rows])
        self._records.write(as_they_are(rows[:PREVIEW_ROWS]))
        return {"status": "needs_mapping", "error": None}

    def _verdict(self, max_dropped_rows: int) -> dict[str, Any]:
        report = self._report.total
        if not report.kept + report.repaired:
            raise UnreadableFile(
                "no_usable_rows",
                f"None of the {report.dropped} rows can be used."
                if report.dropped > 1
                else "The only row can not be used.",
                "See in the report what is wrong with each, correct the file and upload it again.",
                params={"dropped": report.dropped},
            )
        return verdict(report.dropped, max_dropped_rows)

    def fail(self, error: UnreadableFile) -> dict[str, Any]:
        """Nothing is imported; the report says where the file broke."""
        self._tally = Tally()
        if error.file is not None:
            error.message = f"“{error.file}”: {error.message}"
            error.params = {"file": error.file, **error.params}
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

    def dismiss(self) -> None:
        """There is nothing more to convert."""
        self._hands.close()

    def abandon(self) -> None:
        """Close what is open; the folder is of no use."""
        self._records.abandon()
        self._report.close()

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
            "mapping": self._mapping,
            "left_out": [asdict(each) for each in self._left_out],
            "num_rows": self._records.num_rows if usable else None,
            "sha256": sha256 if usable else None,
            "columns": self._tally.columns or self._columns,
            "counts": self._report.counts,
            "rules": dict(self._report.total.rules.most_common()),
        }


def _pieces(parts: Sequence[Part]) -> Iterator[workers.Placed]:
    """All pieces of all files, each with the number of its file."""
    for number, part in enumerate(parts):
        try:
            for piece in part.source.pieces():
                yield number, piece
        except UnreadableFile as error:
            error.file = part.name
            raise
