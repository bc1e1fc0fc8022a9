"""What parts the columns of a table: what its first line says, or what cuts it into columns."""

from pathlib import Path

import pytest

from tests.backend.datasets.imports import run
from tests.backend.datasets.stored import records_of


def said(folder: Path) -> list[list[str]]:
    """What the turns of each record say."""
    return [[m["content"] for m in record["messages"]] for record in records_of(folder / "out")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_a_first_line_that_says_what_parts_the_columns_is_no_header(
    tmp_path: Path, first: str, end: str
) -> None:
    content = end.join([first, "prompt;completion", '"a;b";c', "d,e,f;g", ""])
    summary = run(tmp_path, "table.csv", content)
    assert (summary["status"], summary["delimiter"]) == ("ready", ";"), summary
    assert said(tmp_path) == [["a;b", "c"], ["d,e,f", "g"]]
    assert [record["meta"]["line"] for record in records_of(tmp_path / "out")] == [3, 4]


@pytest.mark.parametrize(("name", "says"), [("a.tsv", ","), ("a.csv", "\t"), ("a.csv", "|")])
def test_it_is_believed_whatever_the_name_says(tmp_path: Path, name: str, says: str) -> None:
    summary = run(tmp_path, name, f"sep={says}\nprompt{says}completion\na{says}b\n")
    assert (summary["status"], summary["delimiter"]) == ("ready", says)
    assert said(tmp_path) == [["a", "b"]]


def test_an_option_stands_above_it(tmp_path: Path) -> None:
    content = "sep=,\nprompt;completion\na;b\n"
    summary = run(tmp_path, "a.csv", content, options={"delimiter": ";"})
    assert (summary["status"], summary["num_rows"]) == ("ready", 1)


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_a_tsv_without_tabs_is_cut_by_what_it_has(tmp_path: Path, delimiter: str) -> None:
    table = f"prompt{delimiter}completion\na{delimiter}b\nc\td{delimiter}e\n"
    summary = run(tmp_path, "table.tsv", table)
    assert (summary["status"], summary["delimiter"]) == ("ready", delimiter)
    assert said(tmp_path) == [["a", "b"], ["c\td", "e"]]
    assert f"parted by “{delimiter}”" in summary["detected_because"]


def test_a_tsv_with_one_column_keeps_its_commas(tmp_path: Path) -> None:
    summary = run(tmp_path, "table.tsv", "text\nHello, world\nOne, two, three\n")
    assert (summary["status"], summary["format"], summary["num_rows"]) == ("ready", "text", 2)


def test_a_tsv_with_commas_in_its_cells_is_cut_by_tabs(tmp_path: Path) -> None:
    table = "prompt\tcompletion\na, b, c\td, e, f\ng, h, i\tj, k, l\n"
    summary = run(tmp_path, "table.tsv", table)
    assert summary["delimiter"] == "\t"
    assert said(tmp_path)[0] == ["a, b, c", "d, e, f"]
