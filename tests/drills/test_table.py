"""The table is complete, and every test that it names exists."""

import ast

from backend.settings import PROJECT_ROOT
from tests.drills.table import NEMESIS, ROWS

HERE = [*range(1, 37), 47, *range(50, 62)]


def test_every_row_is_there_once_and_in_order() -> None:
    assert [row.number for row in ROWS] == [f"F{number}" for number in HERE]
    assert all(row.shown_by and row.fault and row.outcome for row in ROWS)


def test_every_test_exists() -> None:
    known: dict[str, set[str]] = {}
    for node in [*(node for row in ROWS for node in row.shown_by), NEMESIS]:
        file, _, name = node.partition("::")
        if file not in known:
            tree = ast.parse((PROJECT_ROOT / file).read_text())
            kinds = ast.FunctionDef | ast.AsyncFunctionDef
            known[file] = {item.name for item in ast.walk(tree) if isinstance(item, kinds)}
        assert name in known[file], node
