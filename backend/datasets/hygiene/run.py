"""Examines one version: index for searches, fingerprints, findings; all of it beside the rows.

What is written appears whole, `hygiene.json` last: a version that has it is examined. Memory holds
two pieces per core and about 60 bytes per row.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from backend.datasets.hygiene import (
    duplicates,
    excerpts,
    findings,
    fingerprints,
    labels,
    languages,
    signatures,
    texts,
    workers,
)
from backend.datasets.hygiene.batch import MAX_COLUMNS, MAX_EXAMPLES, Piece, Plan
from backend.datasets.hygiene.findings import Found
from backend.datasets.hygiene.fingerprints import Fingerprints
from backend.datasets.importing.workers import number_of_workers
from backend.datasets.versions import search_index
from backend.datasets.versions.names import (
    FINDINGS_FILE,
    FINGERPRINTS_FILE,
    HYGIENE_FILE,
    RECORDS_FILE,
    SEARCH_FILE,
)
from backend.datasets.versions.upgrade import upgrade

Array = np.ndarray[Any, Any]
# Told how much of `TOTAL` is done; may raise to end the examination.
Tick = Callable[[int], None]
TOTAL = 1_000_000
INDEX_SHARE, ROWS_SHARE = 0.15, 0.7
# From so many rows on an even sample is compared for near duplicates: the groups must fit.
NEAR_ROWS = 5_000_000
FRAME_SAMPLE_ROWS, FRAME_SAMPLE_GROUPS, FRAME_SAMPLE_CHARACTERS = 2_000, 64, 20_000
# Below this, starting other processes takes longer than they save.
PARALLEL_FROM_BYTES = 8 * 1024 * 1024
SCRATCH = ".examining-"
EXAMINER_VERSION = 3
SHOWN_COLUMNS = 20


def examine(folder: Path, scratch_name: str, tick: Tick = lambda _done: None) -> dict[str, Any]:
    """Examine the version in `folder`; returns what `hygiene.json` says.

    Raises `FileNotFoundError` when the version is not there, or goes meanwhile.
    """
    for left in folder.glob(f"{SCRATCH}*"):  # of one that was killed
        shutil.rmtree(left, ignore_errors=True)
    if not (folder / RECORDS_FILE).exists():
        upgrade(folder)
    scratch = folder / f"{SCRATCH}{scratch_name}"
    scratch.mkdir(mode=0o700)
    try:
        return _Examination(folder, scratch, tick).run()
    finally:
        with suppress(FileNotFoundError):
            shutil.rmtree(scratch)


class _Examination:
    def __init__(self, folder: Path, scratch: Path, tick: Tick) -> None:
        self._folder, self._scratch, self._tick = folder, scratch, tick
        self._records = folder / RECORDS_FILE
        self._file = pq.ParquetFile(self._records)
        self._num_rows = self._file.metadata.num_rows
        self._pieces = workers.pieces_of(self._file)
        groups = range(self._file.metadata.num_row_groups)
        size = sum(self._file.metadata.row_group(group).total_byte_size for group in groups)
        self._workers = number_of_workers() if size >= PARALLEL_FROM_BYTES else 1
        self._rows: dict[str, list[Array]] = {}
        self._examples: dict[str, list[dict[str, Any]]] = {}
        self._labels = labels.Labels()
        self._labels_hash: list[Array] = []
        self._framed: list[Array] = []
        self._unseen: dict[str, int] = {}
        self._languages: Counter[str] = Counter()
        self._columns: dict[str, Counter[str]] = {}

    def run(self) -> dict[str, Any]:
        begun = time.monotonic()
        self._tick(0)
        if not (self._folder / SEARCH_FILE).exists():
            self._index()
        plan = self._plan()
        self._examine(plan)
        found = self._compare(plan)
        findings.write(self._scratch / FINDINGS_FILE, found)
        result = self._result(found, plan) | {"seconds": round(time.monotonic() - begun, 3)}
        (self._scratch / HYGIENE_FILE).write_bytes(orjson.dumps(result))
        for name in (FINGERPRINTS_FILE, FINDINGS_FILE, HYGIENE_FILE):
            (self._scratch / name).replace(self._folder / name)
        self._tick(TOTAL)
        return result

    def _index(self) -> None:
        made = workers.in_order(workers.indexed, self._pieces, self._records, None, self._workers)

        def batches() -> Iterator[pa.RecordBatch]:
            done = 0
            for num_rows, content in made:
                done += num_rows
                self._at(0, INDEX_SHARE, done)
                yield from pa.ipc.open_stream(content)

        search_index.write(self._folder, batches())

    def _at(self, start: float, share: float, rows: int) -> None:
        self._tick(int(TOTAL * (start + share * rows / max(1, self._num_rows))))

    def _plan(self) -> Plan:
        return Plan(
            frame=signatures.frame_of(self._sample()),
            language_every=-(-self._num_rows // languages.SAMPLE_ROWS) or 1,
            compare_every=-(-self._num_rows // NEAR_ROWS) or 1,
        )

    def _sample(self) -> list[str]:
        """Texts of rows that are spread evenly over the version."""
        total = self._file.metadata.num_row_groups
        chosen = sorted({n * total // FRAME_SAMPLE_GROUPS for n in range(FRAME_SAMPLE_GROUPS)})
        each = -(-FRAME_SAMPLE_ROWS // max(1, len(chosen)))
        found: list[str] = []
        for group in chosen if total else ():
            column = self._file.read_row_group(group, columns=["record"])["record"]
            every = max(1, -(-len(column) // each))
            for row in range(0, len(column), every):
                found.append(
                    texts.read(column[row].as_py().encode()).shingled[:FRAME_SAMPLE_CHARACTERS]
                )
        return found

    def _examine(self, plan: Plan) -> None:
        done = 0
        with pa.RecordBatchFileWriter(
            self._scratch / FINGERPRINTS_FILE, fingerprints.SCHEMA
        ) as file:
            for piece in workers.in_order(
                workers.examined, self._pieces, self._records, plan, self._workers
            ):
                file.write_batch(
                    fingerprints.batch_of(piece.hashes, piece.signatures, piece.compared)
                )
                self._take(piece)
                done += piece.num_rows
                self._at(INDEX_SHARE, ROWS_SHARE, done)

    def _take(self, piece: Piece) -> None:
        for name, rows in piece.rows.items():
            self._rows.setdefault(name, []).append(np.array(rows, np.int64))
        for name, examples in piece.examples.items():
            known = self._examples.setdefault(name, [])
            known += examples[: MAX_EXAMPLES - len(known)]
        self._labels.merge(piece.labels)
        self._labels_hash.append(piece.labels_hash)
        self._framed.append(piece.framed)
        self._languages.update(piece.languages)
        for name, columns in piece.columns.items():
            counts = self._columns.setdefault(name, Counter())
            for column, count in columns.items():
                if column in counts or len(counts) < MAX_COLUMNS:
                    counts[column] += count

    def _compare(self, plan: Plan) -> list[Found]:
        """Every finding with its rows, in the order of their names."""
        found = {name: Found(name, np.concatenate(rows)) for name, rows in self._rows.items()}
        prints = Fingerprints(self._scratch / FINGERPRINTS_FILE)
        again = Found(findings.EXACT, *duplicates.exact(prints.hashes["text"]))
        found[findings.EXACT] = again
        own = prints.compared.copy()
        own[again.rows] = False
        looked_for = np.ones(len(own), bool)
        looked_for[again.rows] = False
        framed = np.concatenate(self._framed) if self._framed else own
        every = plan.compare_every
        self._unseen = duplicates.unseen(
            looked_for[::every], prints.compared[::every], framed[::every]
        )
        start, share = INDEX_SHARE + ROWS_SHARE, 1 - INDEX_SHARE - ROWS_SHARE

        def tick(band: int) -> None:
            part = start + share * 0.95 * (band + 1) / signatures.BANDS
            self._tick(int(TOTAL * part))

        alike = duplicates.near(prints.signatures, np.flatnonzero(own), tick)
        found[findings.NEAR] = Found(findings.NEAR, *alike)
        identical = prints.hashes["record"]
        self._show(again, lambda row, first: _same(identical[row] == identical[first]))
        self._show(found[findings.NEAR], lambda row, first: _likeness(prints, row, first))
        self._compare_labels(found, prints.hashes["prompt"])
        return [found[name] for name in findings.NAMES if name in found and len(found[name].rows)]

    def _compare_labels(self, found: dict[str, Found], prompts: Array) -> None:
        single = sorted(self._labels.with_one_row())
        rows = np.array([row for row, _ in single], np.int64)
        found[findings.ONE_ROW] = Found(findings.ONE_ROW, rows)
        names = dict(single)
        self._show(found[findings.ONE_ROW], lambda row, _other: names[row])
        hashes = self._labels_hash
        if self._labels.rows or any(part.any() for part in hashes):
            conflict = labels.conflicts(prompts, np.concatenate(hashes))
            found[findings.CONFLICT] = Found(findings.CONFLICT, *conflict)
            self._show(found[findings.CONFLICT], self._both_labels)

    def _both_labels(self, row: int, other: int) -> str:
        return " / ".join(labels.name_of(self._read(each).label) for each in (row, other))

    def _show(self, found: Found, detail: Callable[[int, int], str]) -> None:
        """The first rows of a finding as examples."""
        for place, row in enumerate(found.rows[:MAX_EXAMPLES].tolist()):
            other = int(found.others[place]) if found.others is not None else -1
            self._examples.setdefault(found.name, []).append(
                {
                    "index": row,
                    "other": other if other >= 0 else None,
                    "excerpt": excerpts.of(self._read(row).compared),
                    "detail": detail(row, other),
                }
            )

    def _read(self, row: int) -> texts.RowText:
        record, _line = self._row(row)
        return texts.read(record)

    def _row(self, row: int) -> tuple[bytes, int | None]:
        first = 0
        for group in range(self._file.metadata.num_row_groups):
            size = self._file.metadata.row_group(group).num_rows
            if row < first + size:
                table = self._file.read_row_group(group, columns=["record", "line"])
                at = row - first
                return table["record"][at].as_py().encode(), table["line"][at].as_py()
            first += size
        raise IndexError(row)

    def _result(self, found: list[Found], plan: Plan) -> dict[str, Any]:
        looked_at = sum(self._languages.values())
        return {
            "examiner_version": EXAMINER_VERSION,
            "examined_rows": self._num_rows,
            "near_compared_rows": -(-self._num_rows // plan.compare_every),
            **self._unseen,
            "language_rows": looked_at,
            "languages": [
                {"language": language, "rows": rows, "share": rows / looked_at}
                for language, rows in self._languages.most_common()
            ],
            "findings": [
                {
                    "name": one.name,
                    "severity": "warning" if one.name in findings.WARNINGS else "info",
                    "rows": len(one.rows),
                    "columns": [
                        {"column": column, "rows": rows}
                        for column, rows in self._columns.get(one.name, Counter()).most_common(
                            SHOWN_COLUMNS
                        )
                    ],
                    "examples": [
                        {"other": None, **example, "line": self._row(example["index"])[1]}
                        for example in self._examples.get(one.name, ())
                    ],
                    "excludable": True,
                }
                for one in found
            ],
        }


def _same(identical: bool) -> str:
    return "identical" if identical else "case_and_space"


def _likeness(prints: Fingerprints, row: int, first: int) -> str:
    """Of a group's row to the one that stays, in percent."""
    pair = prints.signatures[np.array([row, first])]
    return f"{signatures.likeness(pair[:1], pair[1:])[0]:.0%}"
