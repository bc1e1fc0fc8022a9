"""Parquet: any type becomes a JSON value or a sentence; damaged and hostile files are refused."""

import datetime
import io
import json
import subprocess
import sys
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.datasets.readers import parquet
from tests.backend.datasets.imports import items, run
from tests.backend.datasets.stored import records_of


def written(table: pa.Table | dict[str, Any], **how: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), sink, **how)
    return sink.getvalue()


def extras(folder: Path) -> list[Any]:
    return [record["meta"].get("extra", {}) for record in records_of(folder / "out")]


def test_rows_count_from_one_whatever_the_groups(tmp_path: Path) -> None:
    number = 5000
    content = written(
        {"prompt": [f"q{n}" for n in range(number)], "completion": ["a"] * number},
        row_group_size=700,
    )
    summary = run(tmp_path, "a.parquet", content)
    assert (summary["status"], summary["num_rows"]) == ("ready", number)
    assert (summary["encoding"], summary["delimiter"]) == (None, None)
    assert summary["files"][0]["kind"] == "parquet"
    found = records_of(tmp_path / "out")
    assert [record["meta"]["line"] for record in found] == list(range(1, number + 1))
    assert [record["messages"][0]["content"] for record in found[::999]] == [
        f"q{n}" for n in range(0, number, 999)
    ]


def test_twin_of_json_lines(tmp_path: Path) -> None:
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"问题 {n}"},
                {"role": "assistant", "content": "😀 ok"},
            ],
            "source": "x",
            "score": n / 7,
            "tags": ["a", "b"],
        }
        for n in range(50)
    ]
    summary = run(tmp_path, "a.data", written(pa.Table.from_pylist(rows)))
    twin = tmp_path / "twin"
    twin.mkdir()
    other = run(twin, "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert summary["sha256"] == other["sha256"]


VALUES = {
    "date": (pa.array([datetime.date(2024, 1, 31)]), "2024-01-31"),
    "date_far": (pa.array([2**30], pa.date32()), None),
    "moment": (pa.array([1500], pa.timestamp("ms")), "1970-01-01T00:00:01.5"),
    "moment_utc": (pa.array([1000], pa.timestamp("ms", tz="UTC")), "1970-01-01T00:00:01Z"),
    "nanos": (pa.array([1], pa.timestamp("ns")), "1970-01-01T00:00:00.000000001"),
    "time": (pa.array([1500], pa.time32("ms")), "00:00:01.5"),
    "duration": (pa.array([1500], pa.duration("ms")), 1.5),
    "decimal": (pa.array([Decimal("12.50")], pa.decimal128(9, 2)), 12.5),
    "decimal_long": (pa.array([Decimal("0.12345678901234567890")]), "0.12345678901234567890"),
    "dictionary": (pa.array(["x"]).dictionary_encode(), "x"),
    "bytes_of_text": (pa.array(["é".encode()]), "é"),
    "large": (pa.array(["x"], pa.large_string()), "x"),
    "uuid": (pa.array([uuid.UUID(int=7).bytes], pa.uuid()), str(uuid.UUID(int=7))),
    "whole": (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
    "flag": (pa.array([True]), True),
    "map": (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())), {"k": 1}),
    "nested": (
        pa.array([[{"a": {"when": datetime.date(2024, 1, 31), "none": None}, "b": [1]}]]),
        [{"a": {"when": "2024-01-31"}, "b": [1]}],
    ),
    "fixed": (pa.array([[1.5, 2.5]], pa.list_(pa.float64(), 2)), [1.5, 2.5]),
}


@pytest.mark.parametrize("kind", VALUES)
def test_value_of_any_type(tmp_path: Path, kind: str) -> None:
    column, value = VALUES[kind]
    summary = run(tmp_path, "a.parquet", written({"text": ["x"], "it": column}))
    assert (summary["status"], summary["counts"]["kept"]) == ("ready", 1), summary["error"]
    found = extras(tmp_path)[0]["it"]
    assert found == value or (value is None and isinstance(found, str))


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        (pa.array([float("nan")]), "no_number_left_out"),
        (pa.array([{"deep": [float("inf")]}]), "no_number_left_out"),
        (pa.array([b"\xff\xd8\xff"]), "binary_left_out"),
        (pa.array([{"bytes": b"\xff", "path": "a.png"}]), "binary_left_out"),
    ],
)
def test_what_json_can_not_hold_is_left_out_and_said(
    tmp_path: Path, column: pa.Array, rule: str
) -> None:
    summary = run(tmp_path, "a.parquet", written({"text": ["x"], "it": column}))
    assert summary["counts"] == {"kept": 0, "repaired": 1, "truncated": 0, "dropped": 0}
    (item,) = items(tmp_path)
    assert (item["rule"], item["field"], item["line"], item["byte_offset"]) == (rule, "it", 1, None)
    assert '"text":"x"' in item["excerpt"]


def test_text_that_is_no_text_costs_its_row(tmp_path: Path) -> None:
    bad = pa.array([b"ok", b"\xff\xfe", b"fine"]).view(pa.string())
    nested = pa.StructArray.from_arrays([bad.slice(0)], ["s"])
    content = written({"text": ["a", "b", "c"], "it": nested})
    summary = run(tmp_path, "a.parquet", content, max_dropped_rows=1)
    assert summary["num_rows"] == 2
    assert [(i["line"], i["rule"]) for i in items(tmp_path)] == [(2, "invalid_encoding")]
    assert extras(tmp_path) == [{"it": {"s": "ok"}}, {"it": {"s": "fine"}}]


def test_dropped_row_is_shown(tmp_path: Path) -> None:
    content = written({"prompt": ["a", None], "completion": ["b", "c"]})
    run(tmp_path, "a.parquet", content)
    (item,) = items(tmp_path)
    assert (item["line"], item["rule"]) == (2, "missing_prompt")
    assert '"completion":"c"' in item["excerpt"]


def test_key_that_stands_twice_in_a_map(tmp_path: Path) -> None:
    pairs = pa.array([[("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int32()))
    summary = run(tmp_path, "a.parquet", written({"text": ["x"], "it": pairs}))
    assert summary["rules"] == {"duplicate_key": 1}


def test_a_type_that_means_nothing_is_named(tmp_path: Path) -> None:
    twice = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["k", "k"])
    summary = run(tmp_path, "a.parquet", written({"text": ["x"], "it": twice}))
    assert summary["error"]["code"] == "parquet_not_supported"
    assert "“it”" in summary["error"]["message"]


def test_columns_with_the_same_name(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["text", "text"])
    assert run(tmp_path, "a.parquet", written(table))["error"]["code"] == "duplicate_column"


@pytest.mark.parametrize("cut", [4, 8, 100, -1, -4, -8, -9, -200])
def test_cut_file_is_refused(tmp_path: Path, cut: int) -> None:
    content = written({"text": [f"text {n}" for n in range(100)]})
    summary = run(tmp_path, "a.parquet", content[:cut])
    assert (summary["status"], summary["error"]["code"]) == ("failed", "broken_parquet")


def test_pages_that_are_damaged_are_noticed(tmp_path: Path) -> None:
    text = [f"{n:0100}" for n in range(2000)]
    how = {"write_page_checksum": True, "compression": "none", "use_dictionary": False}
    content = written({"text": text}, **how).replace(b"0001500", b"0001501", 1)
    summary = run(tmp_path, "a.parquet", content)
    assert summary["status"] == "failed", "a wrong text was imported"
    assert summary["error"]["code"] == "broken_parquet"


def test_nothing_but_empty(tmp_path: Path) -> None:
    content = written(pa.table({"text": pa.array([], pa.string())}))
    assert run(tmp_path, "a.parquet", content)["error"]["code"] == "no_rows"


def test_large_rows_come_in_small_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH_BYTES", 50_000)
    path = tmp_path / "a"
    # One long text, stored once by its dictionary: small in the file, large in rows.
    path.write_bytes(written({"text": ["x" * 10_000] * 500}))
    sizes = [len(piece.content) for piece in parquet.pieces(path)]
    assert len(sizes) > 5
    assert max(sizes) < 1_000_000
    assert sum(1 for _ in parquet.rows(path)) == 500


def test_pickles_in_the_schema_are_not_loaded(tmp_path: Path) -> None:
    """CVE-2023-47248: an extension type of old pyarrow carries a pickle."""
    marker = tmp_path / "pwned"
    pickle = f"cposix\nsystem\n(Vtouch {marker}\ntR.".encode()
    metadata = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": pickle,
    }
    field = pa.field("text", pa.string(), metadata=metadata)
    content = written(pa.Table.from_arrays([pa.array(["x"])], schema=pa.schema([field])))
    summary = run(tmp_path, "a.parquet", content)
    assert summary["num_rows"] == 1
    assert not marker.exists()


def test_the_server_does_not_load_the_library() -> None:
    code = (
        "import sys; import backend.datasets.readers.detect, backend.datasets.archives.unpack; "
        "print([m for m in ('pyarrow', 'polars') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_object_with_a_part_that_is_null_in_every_row(tmp_path: Path) -> None:
    """Hubs write such columns: “name” of turns of which none has a name."""
    turns = [
        {"role": "user", "content": "q", "name": None, "tool_calls": None},
        {"role": "assistant", "content": "a", "name": None, "tool_calls": None},
    ]
    table = pa.Table.from_pylist([{"messages": turns, "other": [None, None]}] * 3)
    assert "null" in str(table.schema.field("messages").type)
    summary = run(tmp_path, "a.parquet", written(table))
    assert (summary["status"], summary["num_rows"], summary["rules"]) == ("ready", 3, {})
    assert records_of(tmp_path / "out")[2]["messages"] == [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a"},
    ]


@pytest.mark.parametrize("place", range(0, 600, 7))
def test_the_reason_for_a_damaged_description_is_plain(tmp_path: Path, place: int) -> None:
    content = bytearray(written({"prompt": ["q"] * 9, "completion": ["a"] * 9}))
    content[-(place % (len(content) - 4)) - 9] = 0xCB
    summary = run(tmp_path, "a.parquet", bytes(content))
    if summary["status"] == "failed":
        message = summary["error"]["message"]
        assert not any(word in message for word in ("codec", "thrift", "Thrift")), message
        assert message.isprintable()
