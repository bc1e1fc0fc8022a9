"""Rows beyond what a reader takes: the same rule in every kind of file, in plain words."""

import csv
from pathlib import Path

import pytest

from backend.datasets.readers import delimited, json_text
from tests.backend.datasets.imports import items, run

GOOD = '{"prompt": "a", "completion": "b"}'


def test_a_long_element_of_a_document_is_dropped_as_a_long_line_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_text, "MAX_ROW_BYTES", 1000)
    long = '{"prompt": "' + "a" * 1500 + '", "completion": "b"}'
    summary = run(tmp_path, "rows.json", f"[{GOOD},\n{long},\n{GOOD}]")
    assert (summary["status"], summary["counts"]["kept"]) == ("blocked", 2)
    (item,) = items(tmp_path)
    assert (item["line"], item["rule"]) == (2, "row_too_long")


def test_a_cell_beyond_the_limit_is_a_row_that_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "MAX_ROW_BYTES", 1000)
    before = csv.field_size_limit()
    try:
        summary = run(tmp_path, "a.csv", f"prompt,completion\na,{'b' * 1500}\nc,d\n")
    finally:
        csv.field_size_limit(before)
    assert (summary["counts"]["kept"], summary["rules"]) == (1, {"row_too_long": 1})


def test_a_table_with_carriage_returns_alone_is_refused_in_plain_words(tmp_path: Path) -> None:
    summary = run(tmp_path, "a.csv", "prompt,completion\ra,b\rc,d\r")
    assert summary["status"] == "failed"
    assert "carriage return" in summary["error"]["message"]
    assert "universal-newline" not in summary["error"]["message"]


def test_a_carriage_return_alone_within_a_table_costs_its_row(tmp_path: Path) -> None:
    summary = run(tmp_path, "a.csv", "prompt,completion\na,b\nc\rx,d\ne,f\n")
    assert summary["counts"]["kept"] == 2
    assert summary["rules"] == {"broken_line_end": 1}
