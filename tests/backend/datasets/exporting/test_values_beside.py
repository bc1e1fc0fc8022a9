"""What stands beside a record stands there again when an exported file is imported."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.datasets.importers.own_exports import restored
from tests.backend.datasets.exporting.conftest import Row, imported
from tests.backend.datasets.exporting.test_round_trip import CAN, STEPS, export
from tests.backend.datasets.preparing.made import talk, version
from tests.backend.datasets.stored import records_of
from tests.effort import examples

KINDS = [
    *{kind: (kind, records) for kind, records, _ in CAN}.values(),
    ("stepwise_supervision", [STEPS, STEPS]),
]
VALUES = {"id": 7, "tag": "é", "label": "own", "split": "own", "nested": {"line": [1, None]}}


def beside(folder: Path, name: str) -> list[Any]:
    """The values beside each record of an import."""
    return [record["meta"].get("extra") for record in records_of(folder / f"imported-{name}")]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize(("kind", "records"), KINDS)
def test_they_come_back(folder: Path, kind: str, records: list[Row], form: str) -> None:
    extras: list[Row] = [{}, *[VALUES] * (len(records) - 1)]
    _, content = export(folder, records, kind, form, extras=extras)
    summary, found = imported(folder, f"again.{form}", content)
    assert (summary["status"], summary["counts"]["kept"]) == ("ready", len(records))
    assert [row["record"] for row in found] == records
    assert beside(folder, f"again.{form}") == [extra or None for extra in extras]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_nothing_changes_the_second_time(folder: Path, form: str) -> None:
    records, extras = [talk("a", "b"), talk("c", "d")], [VALUES, {}]
    _, content = export(folder, records, "prompt_completion", form, extras=extras)
    first, _ = imported(folder, f"first.{form}", content)
    (folder / "copy").mkdir()
    again = [
        record["meta"].get("extra", {}) for record in records_of(folder / f"imported-first.{form}")
    ]
    _, content = export(folder / "copy", records, "prompt_completion", form, extras=again)
    second, _ = imported(folder, f"second.{form}", content)
    assert first["sha256"] == second["sha256"]


def test_a_stored_version_can_be_imported(folder: Path) -> None:
    records = [talk("a", "b", "S"), talk("c", "d")]
    stored = version(folder, records, [VALUES, {}])
    content = (stored / "records.parquet").read_bytes()
    summary, found = imported(folder, "records.parquet", content)
    assert (summary["status"], summary["format"]) == ("ready", "openai_messages")
    assert [row["record"] for row in found] == records
    assert beside(folder, "records.parquet") == [VALUES, None]


FOREIGN: list[Row] = [
    {"meta": {"line": 3}, "source": "x"},
    {"meta": {"line": "3"}},
    {"meta": {"line": 0}},
    {"meta": {"line": True}},
    {"meta": {"extra": [1]}},
    {"meta": {"line": 3, "extra": {"a": 1}, "act": 2}},
    {"meta": "line 3"},
    {"line": 3, "extra": '{"a": 1}'},
    {"line": "3", "extra": '{"a": 1}', "split": "s"},
    {"line": 3, "extra": "no JSON", "split": "s"},
    {"line": 3, "extra": '{"a": 1, "a": 2}', "split": "s"},
    {"line": 3, "extra": '{"a": 1}', "split": "s", "source": "x"},
    {"line": 3, "extra": '{"split": 1}', "split": "s"},
]


@pytest.mark.parametrize("more", FOREIGN)
def test_columns_of_other_files_stay_as_they_are(folder: Path, more: Row) -> None:
    rows = [{**talk("a", "b"), **more}] * 3
    content = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    summary, _ = imported(folder, "rows.jsonl", content)
    assert summary["status"] == "ready"
    assert beside(folder, "rows.jsonl") == [more] * 3


def test_the_part_of_a_divided_version_is_kept_beside(folder: Path) -> None:
    row = {**talk("a", "b"), "line": 3, "extra": '{"id": 1}', "split": "train"}
    imported(folder, "rows.jsonl", orjson.dumps(row) + b"\n" + orjson.dumps(row))
    assert beside(folder, "rows.jsonl") == [{"id": 1, "split": "train"}] * 2


NAMES = st.sampled_from(["meta", "line", "extra", "split", "messages", "text", "id"])
CELLS = st.recursive(
    st.none() | st.integers(-1, 3) | st.sampled_from(["", "a", "{}", '{"a": 1}', "{", "\ud800"]),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3) | st.lists(inner, max_size=2),
)


@given(st.dictionaries(NAMES, CELLS, max_size=6))
@examples(200)
def test_no_value_is_lost_but_the_line(row: Row) -> None:
    left = {name: value for name, value in row.items() if name not in ("messages", "text")}
    found = restored(left, row)
    if found != left:
        inner = row.get("meta") or row
        extra = inner.get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else extra
        split = {"split": row["split"]} if row.get("split") else {}
        assert found == {**extra, **split}
        assert left.keys() <= {"meta", "line", "extra", "split"}
