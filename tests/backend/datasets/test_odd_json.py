"""Objects that are nearly JSON lines are read, and what is no data is named."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.datasets.readers import json_objects, json_text
from backend.datasets.readers.encoding import Encoding
from tests.backend.datasets.imports import items, run
from tests.backend.datasets.stored import records_of
from tests.effort import examples

ROWS = [{"prompt": f"q{n} “é”", "completion": f"a{n}, b"} for n in range(4)]
LINES = [json.dumps(row, ensure_ascii=False) for row in ROWS]
PRETTY = [json.dumps(row, ensure_ascii=False, indent=2) for row in ROWS]
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


def texts(folder: Path) -> list[tuple[str, ...]]:
    """What the turns of each record say."""
    return [tuple(m["content"] for m in r["messages"]) for r in records_of(folder / "out")]


EXPECTED = [(row["prompt"], row["completion"]) for row in ROWS]


@pytest.mark.parametrize("suffix", ["jsonl", "json", "txt", "data"])
@pytest.mark.parametrize(
    ("content", "odd"),
    [
        ("\r".join(LINES), "carriage return"),
        ("\r".join(LINES) + "\r", "carriage return"),
        (",\n".join(LINES), "commas"),
        (",\r\n".join(LINES) + ",\r\n", "commas"),
        ("\n".join(PRETTY), "several lines"),
        ("\n\n".join(PRETTY) + "\n", "several lines"),
        (",\n".join(PRETTY), "commas"),
        ("\r".join(PRETTY).replace("\n", "\r"), "carriage return"),
        ("".join(LINES), "on one line"),
        ("\n".join(["", "", *PRETTY]), "several lines"),
    ],
)
def test_objects_that_are_nearly_json_lines_are_read(
    tmp_path: Path, content: str, odd: str, suffix: str
) -> None:
    summary = run(tmp_path, f"rows.{suffix}", content)
    assert (summary["status"], summary["num_rows"]) == ("ready", 4), summary
    assert texts(tmp_path) == EXPECTED
    assert odd in summary["detected_because"]
    (item,) = items(tmp_path)
    assert (item["rule"], item["action"]) == ("odd_json_lines", "repaired")
    assert odd in item["message"]
    assert summary["counts"]["kept"] == 3


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "gb18030"])
def test_they_may_be_in_any_encoding(tmp_path: Path, codec: str) -> None:
    rows = [{"prompt": "请问怎么退货？" * 9, "completion": "您好，可以的。" * 9}] * 3
    content = "\n".join(json.dumps(row, ensure_ascii=False, indent=1) for row in rows)
    summary = run(tmp_path, "rows.jsonl", content.encode(codec))
    assert (summary["status"], summary["num_rows"]) == ("ready", 3), summary
    assert set(texts(tmp_path)) == {(rows[0]["prompt"], rows[0]["completion"])}


def test_lines_that_end_with_carriage_returns_are_counted(tmp_path: Path) -> None:
    run(tmp_path, "rows.jsonl", "\r".join([*LINES[:2], '{"prompt": 5 6}', *LINES[2:]]))
    dropped = [each for each in items(tmp_path) if each["action"] == "dropped"]
    assert [(each["line"], each["rule"]) for each in dropped] == [(3, "broken_json")]
    assert dropped[0]["excerpt"].startswith('{"prompt": 5 6}')
    assert [record["meta"]["line"] for record in records_of(tmp_path / "out")] == [1, 2, 4, 5]


@pytest.mark.parametrize("chunk", [7, 64, 1 << 18])
@pytest.mark.parametrize(
    "broken",
    [
        '{\n  "prompt": "never closed,\n  "completion": "b"\n}',
        '{\n  "prompt": "a",\n  "completion": \n}',
        '{\n  "prompt": "a", "prompt": "b"\n  "completion"\n}',
        '{\n  "prompt": "a",\n',
        "nothing of that kind",
    ],
)
def test_a_broken_object_costs_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, chunk: int
) -> None:
    monkeypatch.setattr(json_text, "CHUNK_BYTES", chunk)
    content = "\n".join([PRETTY[0], broken, *PRETTY[1:]])
    summary = run(tmp_path, "rows.jsonl", content, max_dropped_rows=1)
    assert (summary["status"], summary["counts"]["dropped"]) == ("ready", 1), summary
    assert texts(tmp_path) == EXPECTED
    dropped = items(tmp_path)[-1]
    assert (dropped["line"], dropped["rule"]) == (5, "broken_json")
    assert dropped["byte_offset"] == len(PRETTY[0].encode()) + 1
    assert "The file" not in dropped["message"]


def test_what_was_noted_about_a_broken_object_is_not_said_of_the_next(tmp_path: Path) -> None:
    content = "\n".join([PRETTY[0], '{\n  "a": {"x": 1, "x": 2},\n', PRETTY[1]])
    summary = run(tmp_path, "rows.json", content)
    assert summary["rules"] == {"odd_json_lines": 1, "broken_json": 1}


def test_objects_that_never_end_can_not_hold_the_import_up(tmp_path: Path) -> None:
    content = "\n".join([*PRETTY, *(['{"a": ['] * 20_000)])
    summary = run(tmp_path, "rows.json", content)
    assert summary["status"] in ("failed", "blocked")


@pytest.mark.parametrize("name", ["row.json", "row.jsonl"])
def test_one_object_over_several_lines_is_a_row(tmp_path: Path, name: str) -> None:
    summary = run(tmp_path, name, PRETTY[0])
    assert (summary["status"], summary["num_rows"]) == ("ready", 1)
    assert summary["counts"]["repaired"] == 0
    assert "one object that is a row" in summary["detected_because"]


def test_a_document_named_jsonl_is_read_as_a_document(tmp_path: Path) -> None:
    summary = run(tmp_path, "rows.jsonl", json.dumps({"data": ROWS}, indent=1))
    assert (summary["status"], summary["num_rows"]) == ("ready", 4)


def test_broken_objects_over_several_lines_are_not_reported_line_by_line(tmp_path: Path) -> None:
    content = "\n".join(['{\n  "prompt": oops\n}', *PRETTY])
    summary = run(tmp_path, "rows.jsonl", content)
    assert summary["counts"] == {"kept": 3, "repaired": 1, "truncated": 0, "dropped": 1}


def test_a_comma_behind_a_later_line_is_a_repair_of_that_row(tmp_path: Path) -> None:
    summary = run(tmp_path, "rows.jsonl", "\n".join([LINES[0], LINES[1] + " , ", *LINES[2:]]))
    assert (summary["status"], summary["rules"]) == ("ready", {"comma_removed": 1})
    (item,) = items(tmp_path)
    assert item["line"] == 2
    assert texts(tmp_path) == EXPECTED


def test_a_comma_does_not_hide_what_else_is_wrong(tmp_path: Path) -> None:
    content = "\n".join([*LINES, '{"prompt": "a", "prompt": "b"},', '{"prompt"},', "5,"])
    summary = run(tmp_path, "rows.jsonl", content)
    assert summary["rules"] == {"duplicate_key": 1, "broken_json": 2}


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt", "a.parquet", "a"])
def test_a_pointer_of_git_lfs_is_named(tmp_path: Path, name: str) -> None:
    summary = run(tmp_path, name, POINTER)
    assert (summary["status"], summary["error"]["code"]) == ("failed", "lfs_pointer")
    assert "12,345 bytes" in summary["error"]["message"]
    assert "git lfs pull" in summary["error"]["hint"]


def test_a_text_about_git_lfs_is_a_text(tmp_path: Path) -> None:
    summary = run(tmp_path, "a.txt", POINTER + "\nThis is what a pointer looks like.\n" * 99)
    assert summary["status"] == "ready"


PARTS = st.one_of(
    st.sampled_from([*LINES, *PRETTY, '{"a": [', '{"a": "', "}", "[", "]", "\ufeff", '{"a": NaN}']),
    st.text(max_size=5),
)


@pytest.mark.parametrize("chunk", [3, 1 << 18])
@given(parts=st.lists(st.tuples(PARTS, st.sampled_from(["\n", "\r", ",", ",\n", ""])), max_size=9))
@example(parts=[('{"a": [', "\n")] * 9)
@example(parts=[("\ufeff", ""), ("{", "\n"), ("{", "\r")])
@examples(60)
def test_rubbish_between_objects_costs_rows_and_nothing_else(
    tmp_path: Path, chunk: int, parts: list[tuple[str, str]]
) -> None:
    content = "".join(part + end for part, end in parts).encode()
    path = tmp_path / "rubbish"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "CHUNK_BYTES", chunk)
        read = list(json_objects.read(path, Encoding("utf-8", 0, "utf-8"), None))
    offsets = [row.byte_offset or 0 for row in read]
    assert offsets == sorted(set(offsets))
    for row in read:
        assert (row.fields is None) != (row.error is None)
        assert row.line == content[: row.byte_offset].count(b"\n") + 1
    # Whatever is no space and no mark belongs to some row.
    before = content[: offsets[0]] if offsets else content
    assert not before.decode().strip(" \t\r\n\ufeff")
