"""One part of a divided version: only its rows are read, counted and checked."""

from hashlib import sha256
from pathlib import Path

import pytest

from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import stored
from training_engine.contract.record_lines import json_line
from training_engine.data.parquet_lines import parquet_lines
from training_engine.data.records import count_rows, read_rows
from training_engine.failures import EngineFailure

ROWS = 3000


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RecordWriter]:
    folder = tmp_path_factory.mktemp("divided")
    writer = RecordWriter(folder)
    rows = stored({"text": f"Row {n}", "meta": {"line": n + 1}} for n in range(ROWS))
    rows.splits = [("train", "validation", None)[n % 3] for n in range(ROWS)]
    writer.write(rows)
    writer.close()
    return folder / "records.parquet", writer


def test_only_the_rows_of_the_split_are_read(divided: tuple[Path, RecordWriter]) -> None:
    path, writer = divided
    facts = writer.splits["validation"]
    rows = list(read_rows(path, facts["sha256"], "validation"))
    assert [row.line for row in rows] == list(range(2, ROWS + 1, 3))
    assert rows[0].text == "Row 1"
    assert count_rows(path, "validation") == facts["num_rows"] == len(rows) == 1000
    assert count_rows(path) == ROWS == len(list(read_rows(path)))


def test_the_hash_is_that_of_the_lines_of_the_split(divided: tuple[Path, RecordWriter]) -> None:
    path, writer = divided
    digest = sha256()
    for number in range(0, ROWS, 3):
        digest.update(json_line(b'{"text":"Row %d"}' % number, number + 1, None))
    assert writer.splits["train"] == {"num_rows": 1000, "sha256": digest.hexdigest()}
    with pytest.raises(EngineFailure, match="has changed"):
        list(read_rows(path, writer.splits["train"]["sha256"], "validation"))


def test_a_split_that_is_not_there_has_no_rows(divided: tuple[Path, RecordWriter]) -> None:
    assert list(parquet_lines(divided[0], "test")) == []


def test_json_lines_have_no_splits(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text":"a","meta":{}}\n\n{"text":"b","meta":{}}\n')
    assert count_rows(path) == 2
    with pytest.raises(EngineFailure, match="no split “train”"):
        list(read_rows(path, split="train"))
