"""`make drill`: runs every test of the fault table, prints it row by row, writes it into the docs.

    python -m tests.drills.run [--rounds 100] [--seed N] [--rows F1,F2] [--no-write]

A row passes when all its tests passed. One whose tests were skipped needs something that is not
here, and says what. The nemesis plays its rounds at the end; its seed is printed.
"""

import argparse
import datetime
import os
import platform
import random
import sys
import time
from dataclasses import dataclass, field

import pytest

from backend.settings import PROJECT_ROOT
from backend.version import VERSION
from tests.drills.table import NEMESIS, ROWS, Row

PAGE = PROJECT_ROOT / "docs/reliability.md"
BEGIN, END = "<!-- fault table: written by `make drill` -->", "<!-- end of the fault table -->"
MARKS = {"passed": "✔", "failed": "✖", "not run": "○"}


@dataclass
class Outcome:
    """What became of the tests of one row."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def verdict(self) -> str:
        """`passed`, `failed`, or `not run` when something that it needs is not here."""
        if self.failed:
            return "failed"
        return "not run" if self.skipped or not self.passed else "passed"

    @property
    def remark(self) -> str:
        """What to know beside the verdict."""
        told = "; ".join(self.failed or dict.fromkeys(self.skipped))
        return " ".join(told.split()).replace("|", "\\|")  # one cell of a table


class Recorder:
    """Hears of every test as it ends; a row is printed as soon as its last test has ended."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self.rows = {row.number: row for row in rows}
        self.outcomes = {row.number: Outcome() for row in rows}
        self.rounds = ""
        self._waiting: dict[str, set[str]] = {row.number: set() for row in rows}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Which tests, with their parameters, each row waits for."""
        for item in session.items:
            for row in self._rows_of(item.nodeid):
                self._waiting[row].add(item.nodeid)
        found = {item.nodeid.partition("[")[0] for item in session.items}
        for number, row in self.rows.items():
            missing = [node for node in row.shown_by if node not in found]
            self.outcomes[number].failed += [f"there is no {node}" for node in missing]
            if not self._waiting[number]:
                self._print(number)

    def pytest_sessionfinish(self) -> None:
        """What was not come to, because the whole was ended before, has not passed."""
        for number, waiting in self._waiting.items():
            if waiting:
                self.outcomes[number].failed.append(f"{len(waiting)} of its tests did not run")
                self._print(number)

    def _rows_of(self, node: str) -> list[str]:
        plain = node.partition("[")[0]
        return [row.number for row in self.rows.values() if plain in row.shown_by]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count it for every row that it shows."""
        for number in self._rows_of(report.nodeid):
            outcome = self.outcomes[number]
            outcome.took_s += report.duration
            if report.failed:
                outcome.failed.append(report.nodeid.rpartition("::")[2] + f" ({report.when})")
            elif report.skipped:
                outcome.skipped.append(_reason(report))
            elif report.when == "call":
                outcome.passed += 1
            if report.when == "teardown":
                self._waiting[number].discard(report.nodeid)
                if not self._waiting[number]:
                    self._print(number)

    def _print(self, number: str) -> None:
        outcome, row = self.outcomes[number], self.rows[number]
        line = f"{MARKS[outcome.verdict]} {number:4} {row.fault}  ({outcome.took_s:.1f} s)"
        print(f"\n{line}{': ' + outcome.remark if outcome.remark else ''}", flush=True)


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr
    return (str(told[2]) if isinstance(told, tuple) else str(told)).removeprefix("Skipped: ")


def written(recorder: Recorder, rounds: str) -> str:
    """The table as Markdown."""
    host = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    today = datetime.datetime.now(datetime.UTC).date()
    verdicts = [outcome.verdict for outcome in recorder.outcomes.values()]
    lines = [
        f"EasyTune {VERSION}, {today}, {host}, Python {platform.python_version()}: "
        f"{verdicts.count('passed')} rows passed, {verdicts.count('failed')} failed, "
        f"{verdicts.count('not run')} not run. Nemesis: {rounds}.",
    ]
    group = ""
    for number, row in recorder.rows.items():
        if row.group != group:
            group = row.group
            lines += ["", f"### {group}", ""]
            lines += ["| | fault | what has to come of it | result |", "|---|---|---|---|"]
        outcome = recorder.outcomes[number]
        result = f"{MARKS[outcome.verdict]} {outcome.verdict}"
        remark = f": {outcome.remark}" if outcome.remark else f", {outcome.took_s:.0f} s"
        lines.append(f"| {number} | {row.fault} | {row.outcome} | {result}{remark} |")
    return "\n".join(lines)


def write(table: str) -> None:
    """Put the table between its marks in the page."""
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"{PAGE} has no mark {BEGIN}"
    assert end, f"{PAGE} has no mark {END}"
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}")


def _pytest(nodes: list[str], recorder: Recorder) -> int:
    options = ["-m", "", "-q", "--no-header", "--timeout", "1200", "-p", "no:cacheprovider"]
    return int(pytest.main([*options, "--tb=short", "--capture=fd", *nodes], plugins=[recorder]))


def main() -> int:
    """Exit code 1 when a row or a round failed."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--rounds", type=int, default=100, help="of the nemesis")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--rows", default="", help="only these, comma separated")
    parser.add_argument("--no-write", action="store_true", help="leave docs/reliability.md alone")
    given = parser.parse_args()
    wanted = set(filter(None, given.rows.split(",")))
    rows = tuple(row for row in ROWS if not wanted or row.number in wanted)
    nodes = list(dict.fromkeys(node for row in rows for node in row.shown_by))
    began = time.monotonic()
    recorder = Recorder(rows)
    # Each file once, so that what its tests share is built once.
    code = _pytest(sorted(nodes, key=lambda node: node.partition("::")[0]), recorder)
    rounds, lost = "no rounds were played", 0
    if given.rounds:
        os.environ |= {"DRILL_ROUNDS": str(given.rounds), "DRILL_SEED": str(given.seed)}
        lost = int(pytest.main(["-m", "", "-q", "-s", "--no-header", "--timeout", "0", NEMESIS]))
        how = "nothing lost, doubled or stuck" if not lost else "NOT all held"
        rounds = f"{given.rounds} rounds from seed {given.seed}, {how}"
    table = written(recorder, rounds)
    print(f"\n{table}\n\n{time.monotonic() - began:.0f} s")
    if not given.no_write and not wanted:
        write(table)
    failed = any(outcome.failed for outcome in recorder.outcomes.values())
    return 1 if failed or lost or code not in {0, 5} else 0


if __name__ == "__main__":
    sys.exit(main())
