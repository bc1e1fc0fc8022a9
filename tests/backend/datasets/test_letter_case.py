"""Columns with a usual name but for the case of its letters."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.datasets.importers.letter_case import respelt, usual_names
from tests.backend.datasets.imports import run
from tests.backend.datasets.stored import records_of
from tests.backend.datasets.test_formats import ASSISTANT, CHAT, USER
from tests.effort import examples

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("prompt_completion", {"prompt": "a", "completion": "b"}),
    ("prompt_completion", {"prompt": "a", "completion": "b", "system": "c"}),
    ("alpaca", {"instruction": "a", "input": "b", "output": "c"}),
    ("query_response", {"question": "a", "answer": "b"}),
    ("openai_messages", {"messages": CHAT}),
    ("sharegpt", {"conversations": CHAT}),
    ("classification", {"text": "a", "label": "b"}),
    ("preference", {"prompt": "a", "chosen": "b", "rejected": "c"}),
    ("unpaired_preference", {"messages": [USER, ASSISTANT], "kto_tag": True}),
    ("summary", {"article": "a", "summary": "b"}),
    ("text", {"text": "a"}),
]


def jsonl(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize("spell", [str.capitalize, str.upper, str.title])
@pytest.mark.parametrize(("name", "row"), ROWS)
def test_they_are_read_as_the_usual_ones(
    tmp_path: Path, name: str, row: dict[str, Any], spell: Any
) -> None:
    usual, other = tmp_path / "usual", tmp_path / "other"
    usual.mkdir()
    other.mkdir()
    spelt = {spell(column): value for column, value in row.items()}
    expected = run(usual, "rows.jsonl", jsonl(row, row))
    summary = run(other, "rows.jsonl", jsonl(spelt, spelt))
    assert (summary["status"], summary["format"], summary["num_rows"]) == ("ready", name, 2)
    assert (summary["sha256"], summary["counts"]) == (expected["sha256"], expected["counts"])
    assert summary["columns"] == list(spelt)
    for column in row:
        assert f"“{spell(column)}” is read as “{column}”" in summary["detected_because"]
    assert "is read as" not in expected["detected_because"]


def test_a_table_with_capitals_needs_no_mapping(tmp_path: Path) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["Prompt", "Completion", "ID"], ["a", "b", "7"]])
    summary = run(tmp_path, "table.csv", buffer.getvalue())
    assert (summary["status"], summary["format"]) == ("ready", "prompt_completion")
    assert records_of(tmp_path / "out")[0]["meta"]["extra"] == {"ID": "7"}


def test_what_is_beside_the_record_keeps_its_name(tmp_path: Path) -> None:
    row = {"Prompt": "a", "Completion": "b", "Context": "", "Article": "c", "Sentiment": "d"}
    summary = run(tmp_path, "rows.jsonl", jsonl(row), mapping=None)
    assert summary["status"] == "ready"
    assert records_of(tmp_path / "out")[0]["meta"]["extra"] == {"Article": "c", "Sentiment": "d"}
    assert "Sentiment" not in summary["detected_because"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["Prompt", "prompt"], {}),
        (["Prompt", "PROMPT"], {}),
        (["INSTRUCTION", "RESPONSE"], {}),
        (["Instruction", "Response"], {"Instruction": "instruction", "Response": "response"}),
        (["INSTRUCTION", "Output"], {"INSTRUCTION": "instruction", "Output": "output"}),
        (["Chosen_Response", "Id", "prompt"], {"Chosen_Response": "chosen_response"}),
    ],
)
def test_only_one_column_may_be_meant(columns: list[str], expected: dict[str, str]) -> None:
    assert usual_names(columns) == expected


def test_one_column_with_capitals_beside_usual_ones_is_not_lost(tmp_path: Path) -> None:
    """Whether the rows around it are read by compiled code or not."""
    first = {"instruction": "a", "output": "c"}
    row = {"instruction": "a", "Input": "b", "output": "c"}
    run(tmp_path, "rows.jsonl", jsonl(*[first] * 300, row, *[first] * 3, row))
    questions = [record["messages"][0]["content"] for record in records_of(tmp_path / "out")]
    assert questions == [*["a"] * 300, "a\nb", *["a"] * 3, "a\nb"]


def test_a_doubt_stays_a_doubt(tmp_path: Path) -> None:
    summary = run(tmp_path, "rows.jsonl", jsonl({"Text": "a", "Target": "b"}))
    assert summary["status"] == "needs_mapping"
    assert "target" in summary["detected_because"]


def test_a_mapping_takes_names_as_they_are(tmp_path: Path) -> None:
    mapping = {"record_type": "classification", "columns": {"text": "Text", "label": "Target"}}
    row = {"Text": "a", "Target": "b", "Label": "c"}
    summary = run(tmp_path, "rows.jsonl", jsonl(row), mapping=mapping)
    assert summary["status"] == "ready"
    (record,) = records_of(tmp_path / "out")
    assert (record["label"], record["meta"]["extra"]) == ("b", {"Label": "c"})


SPELLINGS = st.sampled_from(["prompt", "Prompt", "PROMPT", "Text", "text", "Label", "x", "X", ""])


@given(st.dictionaries(SPELLINGS, st.integers(), max_size=6))
@examples(50)
def test_no_value_is_lost_or_moved(row: dict[str, int]) -> None:
    found = respelt(row)
    assert list(found.values()) == list(row.values())
    assert [name.lower() for name in found] == [name.lower() for name in row]
