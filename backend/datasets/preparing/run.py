"""Runs the steps: rows stream from the versions through all of them into a new version.

Memory holds some hundred rows of each step, and where a step must know all rows before the first
one leaves it a few numbers of each.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from backend.datasets.importing.report import Findings, ReportWriter
from backend.datasets.importing.tally import Tally
from backend.datasets.importing.verdict import verdict
from backend.datasets.prepare_schemas import Step
from backend.datasets.preparing.changing import changed
from backend.datasets.preparing.combining import concatenated, mixed
from backend.datasets.preparing.filtering import excluded, filtered
from backend.datasets.preparing.record_types import after_steps
from backend.datasets.preparing.sampling import sampled, shuffled
from backend.datasets.preparing.splitting import divided
from backend.datasets.preparing.statistics import count
from backend.datasets.preparing.stream import Batch, NotPossible, Stored, Stream, Tick
from backend.datasets.preparing.work import Report, Work
from backend.datasets.versions.names import STATISTICS_FILE, SUMMARY_FILE
from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import Rows
from training_engine.contract.names import RecordType

PREPARER_VERSION = 1
STEPS: TypeAdapter[list[Step]] = TypeAdapter(list[Step])
_STEPS: dict[str, Callable[..., Iterator[Batch]]] = {
    "filter": filtered,
    "map": changed,
    "exclude": excluded,
    "sample": sampled,
    "shuffle": shuffled,
    "concatenate": concatenated,
    "mix": mixed,
    "split": divided,
}
# These read their rows twice, unless they come first.
_TWICE = frozenset({"sample", "shuffle", "mix", "split"})


class Chain:
    """Steps one behind the other; iterate it once, then `lineage` knows what each did."""

    def __init__(
        self,
        base: Stored,
        base_folder: Path,
        record_type: RecordType,
        steps: Sequence[Step],
        sources: Sequence[Sequence[Stored]],
        temp: Path,
        tick: Tick,
        report: Report,
    ) -> None:
        self.steps, self.work = list(steps), []  # type: tuple[list[Step], list[Work]]
        self.types = after_steps(steps, record_type)
        self._base_rows = base.num_rows
        stream: Stream = base
        before = [record_type, *self.types]
        for place, (step, own) in enumerate(zip(steps, sources, strict=True)):
            room = temp / str(place)
            room.mkdir()
            work = Work(place, before[place], base_folder, room, tick, report, own)
            self.work.append(work)
            stream = _counted(_STEPS[step.kind](stream, step, work), work)
        self._stream = stream

    def __iter__(self) -> Iterator[Batch]:
        yield from self._stream

    def lineage(self) -> list[dict[str, Any]]:
        """`rows_in`, `rows_out`, `dropped` and what else each step found out."""
        found, rows_in = [], self._base_rows
        for work in self.work:
            numbers = {"rows_in": rows_in, "rows_out": work.rows_out, "dropped": work.dropped}
            found.append({**numbers, **work.facts})
            rows_in = work.rows_out
        return found


def _counted(rows: Iterator[Batch], work: Work) -> Iterator[Batch]:
    for batch in rows:
        work.rows_out += len(batch)
        if len(batch):
            yield batch


def passes(steps: Sequence[dict[str, Any]]) -> int:
    """How often each row is counted by `tick`: when it is read, laid aside, read again, written."""
    return 2 + 2 * sum(step["kind"] in _TWICE for step in steps)


def prepare(spec: dict[str, Any], folder: Path, temp: Path, tick: Tick) -> dict[str, Any]:
    """Make the version that `spec` (of the job) asks for in the empty `folder`.

    `temp` is an empty folder on a disk with room. Returns what `import.json` says. Raises
    `NotPossible`, also when no row is left.
    """
    with closing(ReportWriter(folder)) as report:
        chain = _chain(spec, temp, tick, report.add)
        writer, tally = RecordWriter(folder), Tally()
        repaired = 0
        for batch in chain:
            tick(len(batch))
            repaired += sum(batch.repaired)
            _write(batch, chain.types[-1], writer, tally)
    sha256 = writer.close()
    lineage = chain.lineage()
    _require_rows(chain.steps, lineage)
    (folder / STATISTICS_FILE).write_bytes(orjson.dumps(tally.summary()))
    summary = {
        **_judged(report.total, spec["max_dropped_rows"]),
        **_facts(chain),
        "num_rows": writer.num_rows,
        "sha256": sha256,
        "columns": spec["columns"],
        "counts": {
            "kept": writer.num_rows - repaired,
            "repaired": repaired,
            "truncated": 0,
            "dropped": report.total.dropped,
        },
        "rules": dict(report.total.rules.most_common()),
        "splits": writer.splits,
        "steps": [{**asked, **did} for asked, did in zip(spec["steps"], lineage, strict=True)],
    }
    (folder / SUMMARY_FILE).write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2))
    return summary


def _chain(spec: dict[str, Any], temp: Path, tick: Tick, report: Report) -> Chain:
    folder = Path(spec["base"]["folder"])
    sources = [
        [Stored(Path(each["folder"]), tick, base=False) for each in some]
        for some in spec["step_sources"]
    ]
    steps = STEPS.validate_python(spec["steps"])
    base = Stored(folder, tick, base=True)
    record_type = RecordType(spec["record_type"])
    return Chain(base, folder, record_type, steps, sources, temp, tick, report)


def _write(batch: Batch, record_type: RecordType, writer: RecordWriter, tally: Tally) -> None:
    divided = batch.splits if any(split is not None for split in batch.splits) else []
    writer.write(Rows(batch.records, batch.lines, batch.extras, divided))
    count(batch, record_type, tally)


def _facts(chain: Chain) -> dict[str, Any]:
    unknown = dict.fromkeys(("format", "encoding", "delimiter", "detected_because"))
    return {
        "preparer_version": PREPARER_VERSION,
        "mapping": None,
        **unknown,
        "record_type": chain.types[-1].value,
    }


def _judged(total: Findings, max_dropped_rows: int) -> dict[str, Any]:
    """As after an import, with the next step that there is here."""
    judged = verdict(total.dropped, max_dropped_rows)
    if judged["error"] is not None:
        judged["error"]["hint"] = (
            "See in the report why, and prepare the data set again without these rows or with "
            "other changes; or allow this many rows to be left out."
        )
    return judged


def _require_rows(steps: Sequence[Step], lineage: list[dict[str, Any]]) -> None:
    """Raise `NotPossible` when no row is left."""
    for number, (step, numbers) in enumerate(zip(steps, lineage, strict=True), 1):
        if not numbers["rows_out"]:
            dropped = numbers["dropped"]
            why = f" {dropped} rows can not be used after it." if dropped else ""
            raise NotPossible(
                "no_usable_row_left" if dropped else "no_row_left",
                f"Step {number} ({step.kind}) leaves no row of {numbers['rows_in']}.{why}",
                "Change this step: a version without rows can not be used.",
                step=number,
                kind=step.kind,
                rows_in=numbers["rows_in"],
                dropped=dropped,
            )
