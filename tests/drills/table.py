"""Reads `table.yaml`: the rows of the fault table, and the tests that show each of them."""

from dataclasses import dataclass
from pathlib import Path

import yaml

NEMESIS = "tests/drills/nemesis/test_rounds.py::test_as_many_rounds_as_asked_for"


@dataclass(frozen=True)
class Row:
    """One fault; `shown_by` are node ids, without parameters: all of them count."""

    number: str
    group: str
    fault: str
    outcome: str
    shown_by: tuple[str, ...]


def _read() -> tuple[Row, ...]:
    groups = yaml.safe_load(Path(__file__).with_name("table.yaml").read_text("utf-8"))
    return tuple(
        Row(number, group, facts["fault"], facts["outcome"], tuple(facts["shown_by"]))
        for group, rows in groups.items()
        for number, facts in rows.items()
    )


ROWS = _read()
