"""JSON that holds its columns one after the other, as pandas writes them."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backend.datasets.readers import json_columns
from tests.backend.datasets.imports import run
from tests.backend.datasets.stored import records_of

COLUMNS = {"prompt": ["q1", "q2", "问"], "completion": ["a1", "a2", "答"]}
NUMBERED = {name: {str(n): cell for n, cell in enumerate(v)} for name, v in COLUMNS.items()}
TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]


def said(folder: Path) -> list[list[str]]:
    """What the turns of each record say."""
    return [[m["content"] for m in record["messages"]] for record in records_of(folder / "out")]


@pytest.mark.parametrize("suffix", ["json", "jsonl", "data"])
@pytest.mark.parametrize("document", [COLUMNS, NUMBERED])
@pytest.mark.parametrize("indent", [None, 1])
def test_columns_become_rows(
    tmp_path: Path, document: dict[str, Any], indent: int | None, suffix: str
) -> None:
    summary = run(tmp_path, f"frame.{suffix}", json.dumps(document, indent=indent))
    assert (summary["status"], summary["num_rows"]) == ("ready", 3), summary
    assert summary["counts"]["kept"] == 3
    assert said(tmp_path) == [["q1", "a1"], ["q2", "a2"], ["问", "答"]]
    assert [record["meta"]["line"] for record in records_of(tmp_path / "out")] == [1, 2, 3]
    assert "as pandas writes them" in summary["detected_because"]


def test_what_polars_writes_of_a_large_table_is_read(tmp_path: Path) -> None:
    table = pl.DataFrame({"text": [f"text {n} " * 9 for n in range(5000)], "label": [0, 1] * 2500})
    content = json.dumps(table.to_dict(as_series=False))
    assert len(content) > 1 << 18
    summary = run(tmp_path, "frame.json", content)
    assert (summary["format"], summary["num_rows"]) == ("classification", 5000)
    (tmp_path / "again").mkdir()
    rows = json.dumps(
        {name: dict(enumerate(v)) for name, v in table.to_dict(as_series=False).items()}
    )
    again = run(tmp_path / "again", "frame.json", rows)
    assert again["sha256"] == summary["sha256"]


def test_their_encoding_does_not_matter(tmp_path: Path) -> None:
    content = json.dumps(COLUMNS, ensure_ascii=False).encode("utf-16")
    assert run(tmp_path, "frame.json", content)["num_rows"] == 3


def test_columns_with_lists_in_them_are_rows_with_lists(tmp_path: Path) -> None:
    summary = run(tmp_path, "frame.json", json.dumps({"id": [7, 8], "messages": [TURNS, TURNS]}))
    assert (summary["format"], summary["num_rows"]) == ("openai_messages", 2)
    assert [record["meta"]["extra"] for record in records_of(tmp_path / "out")] == [
        {"id": 7},
        {"id": 8},
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": TURNS, "tools": [{"type": "function"}, {"type": "function"}]},
        {"chosen": TURNS, "rejected": TURNS},
        {"chosen": {"from": "gpt", "value": "a"}, "rejected": {"from": "gpt", "value": "b"}},
        {"tokens": ["a", "b"], "tags": ["X", "Y"]},
        {"prompt": ["a", "b"], "completion": ["c"]},
        {"prompt": {"0": "a"}, "completion": {"1": "b"}},
        {"prompt": {"0": "a"}, "completion": "b"},
        {"prompt": "a", "completion": "b"},
        {"text": ["a", "b"]},
        {"text": {}},
        {"text": [], "label": []},
        {},
        [],
        None,
    ],
)
def test_a_row_is_not_taken_for_columns(row: Any) -> None:
    assert json_columns.columns_of(row) is None


def test_lines_are_not_taken_for_columns(tmp_path: Path) -> None:
    line = json.dumps({"scores": {"0": 0.5, "1": 0.25}, "text": "a", "label": "b"})
    summary = run(tmp_path, "rows.jsonl", f"{line}\n{line}\n")
    assert (summary["num_rows"], summary["files"][0]["kind"]) == (2, "jsonl")


def test_columns_that_do_not_fit_into_memory_are_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_columns, "MAX_ROW_BYTES", 1 << 20)
    many = {"text": {str(n): "a" * 100 for n in range(20_000)}}
    summary = run(tmp_path, "frame.json", json.dumps(many))
    assert (summary["status"], summary["error"]["code"]) == ("failed", "columns_too_large")
    assert "lines=True" in summary["error"]["hint"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ('{"prompt": {"0": "a"}, "prompt": {"0": "b"}, "completion": {"0": "c"}}', "twice"),
        ('{"text": {"0": "a", "0": "b"}}', "twice"),
    ],
)
def test_what_parsers_hide_is_refused(tmp_path: Path, content: str, word: str) -> None:
    summary = run(tmp_path, "frame.json", content)
    assert summary["status"] == "failed"
    assert word in summary["error"]["message"]
