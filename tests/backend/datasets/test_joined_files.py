"""Files that somebody joined with `cat`: their marks and headers stand in the middle."""

import codecs
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.datasets.readers.chunks import Chunk
from backend.datasets.readers.jsonl import rows_of
from tests.backend.datasets.imports import items, run
from tests.backend.datasets.stored import records_of
from tests.effort import examples

MARK = codecs.BOM_UTF8
LINES = [b'{"prompt": "q%d", "completion": "a%d"}' % (n, n) for n in range(6)]
EXPECTED = [[f"q{n}", f"a{n}"] for n in range(6)]
HEADER = b"prompt,completion"


def said(folder: Path) -> list[list[str]]:
    """What the turns of each record say."""
    return [[m["content"] for m in record["messages"]] for record in records_of(folder / "out")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_a_mark_before_a_line_of_json_goes(tmp_path: Path, name: str, end: bytes) -> None:
    first, second = (end.join([*lines, b""]) for lines in (LINES[:3], LINES[3:]))
    summary = run(tmp_path, name, MARK + first + MARK + second)
    assert (summary["status"], summary["rules"]) == ("ready", {"byte_order_mark_removed": 1})
    assert summary["counts"] == {"kept": 5, "repaired": 1, "truncated": 0, "dropped": 0}
    (item,) = items(tmp_path)
    assert (item["line"], item["action"]) == (4, "repaired")
    assert said(tmp_path) == EXPECTED


def test_a_file_without_a_line_end_does_not_cost_two_rows(tmp_path: Path) -> None:
    first, second = (b"\n".join(lines) for lines in (LINES[:3], LINES[3:]))
    summary = run(tmp_path, "rows.jsonl", MARK + first + MARK + second)
    assert (summary["status"], summary["num_rows"]) == ("ready", 6)
    assert summary["rules"] == {"byte_order_mark_removed": 1, "line_divided": 1}
    assert said(tmp_path) == EXPECTED
    assert [record["meta"]["line"] for record in records_of(tmp_path / "out")] == [1, 2, 3, 3, 4, 5]


@pytest.mark.parametrize("times", [1001, 2000])
def test_a_line_of_very_many_rows_is_one_that_is_broken(times: int) -> None:
    found = list(rows_of(Chunk(1, 0, b"{}" * times), "utf-8"))
    assert [row.error.rule if row.error else None for row in found] == ["broken_json"]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_numbers_of_thousands_of_digits_cost_their_rows(tmp_path: Path, name: str) -> None:
    long = b'{"prompt": "a", "completion": ' + b"9" * 5000 + b"}"
    summary = run(tmp_path, name, b"\n".join([long, long + b",", *LINES]))
    assert summary["counts"]["kept"] == 6
    assert summary["counts"]["dropped"] == 2


def test_a_line_with_nothing_but_a_mark_is_empty(tmp_path: Path) -> None:
    summary = run(tmp_path, "rows.jsonl", b"\n".join([*LINES, MARK, MARK + b"\r"]))
    assert (summary["status"], summary["counts"]["kept"]) == ("ready", 6)


def test_other_encodings_have_marks_too(tmp_path: Path) -> None:
    first, second = ((b"\n".join(each) + b"\n").decode() for each in (LINES[:3], LINES[3:]))
    content = first.encode("utf-16") + second.encode("utf-16")
    summary = run(tmp_path, "rows.jsonl", content)
    assert (summary["status"], summary["rules"]) == ("ready", {"byte_order_mark_removed": 1})
    assert said(tmp_path) == EXPECTED


def test_a_mark_between_objects_over_several_lines_goes(tmp_path: Path) -> None:
    pretty = [json.dumps(json.loads(line), indent=1).encode() for line in LINES]
    content = MARK + b"\n".join(pretty[:3]) + b"\n" + MARK + b"\n".join(pretty[3:])
    summary = run(tmp_path, "rows.jsonl", content)
    assert (summary["status"], summary["num_rows"]) == ("ready", 6)
    assert summary["rules"] == {"byte_order_mark_removed": 1, "odd_json_lines": 1}


def test_a_mark_inside_of_a_text_stays(tmp_path: Path) -> None:
    content = json.dumps({"text": "a\ufeffb"}, ensure_ascii=False)
    summary = run(tmp_path, "rows.jsonl", f"{content}\n{content}\n")
    assert summary["counts"]["kept"] == 2
    assert records_of(tmp_path / "out")[0]["text"] == "a\ufeffb"


@pytest.mark.parametrize(("mark", "end"), [(MARK, b"\n"), (b"", b"\n"), (MARK, b"")])
def test_a_second_header_is_no_row(tmp_path: Path, mark: bytes, end: bytes) -> None:
    first = mark + b"\n".join([HEADER, b"q0,a0", b"q1,a1"]) + end
    second = mark + b"\n".join([HEADER, b'"q2, b",a2', b"q3,a3"])
    summary = run(tmp_path, "table.csv", first + second, max_dropped_rows=1)
    assert (summary["status"], summary["rules"]) == ("ready", {"repeated_header": 1})
    assert said(tmp_path) == [["q0", "a0"], ["q1", "a1"], ["q2, b", "a2"], ["q3", "a3"]]
    (item,) = items(tmp_path)
    assert (item["line"], item["action"]) == (4 if end else 3, "dropped")
    assert "header" in item["message"]


def test_a_mark_before_a_row_of_a_table_goes(tmp_path: Path) -> None:
    content = MARK + HEADER + b"\nq0,a0\n" + MARK + b'"q1, quoted",a1\n'
    summary = run(tmp_path, "table.csv", content)
    assert (summary["status"], summary["rules"]) == ("ready", {"byte_order_mark_removed": 1})
    assert said(tmp_path) == [["q0", "a0"], ["q1, quoted", "a1"]]


def test_a_mark_inside_of_a_cell_stays(tmp_path: Path) -> None:
    content = HEADER + b'\n"one\n' + MARK + b'two",a\nq' + MARK + b"r,b\n"
    summary = run(tmp_path, "table.csv", content)
    assert summary["counts"]["kept"] == 2
    assert said(tmp_path) == [["one\n\ufefftwo", "a"], ["q\ufeffr", "b"]]


def test_a_row_that_only_begins_like_the_header_stays(tmp_path: Path) -> None:
    summary = run(tmp_path, "table.csv", b"prompt,completion\nprompt,a\nPrompt,completion\n")
    assert summary["counts"]["kept"] == 2


def test_a_mark_before_a_text_goes(tmp_path: Path) -> None:
    summary = run(tmp_path, "a.txt", MARK + b"one\n\n" + MARK + b"two\nthree \xef\xbb\xbf four\n")
    assert summary["rules"] == {"byte_order_mark_removed": 1}
    texts = [record["text"] for record in records_of(tmp_path / "out")]
    assert texts == ["one", "two\nthree \ufeff four"]


@given(
    st.lists(
        st.sampled_from(['{"a": 1}', '{"b": "{"}', "\ufeff", ",", " ", "5", "{", "}", "[]", "é"]),
        max_size=7,
    )
)
@examples(100)
def test_a_line_becomes_all_of_its_objects_or_an_error(parts: list[str]) -> None:
    content = "".join(parts).encode()
    found = list(rows_of(Chunk(7, 70, content), "utf-8"))
    if any(row.error for row in found):
        assert len(found) == 1
    whole = [part for part in parts if part.startswith('{"')]
    if not {"5", "{", "}", "[]", "é"} & set(parts) and whole:
        assert [row.fields for row in found] == [json.loads(part) for part in whole]
    assert all((row.line, row.byte_offset) == (7, 70) for row in found)
    assert bool(found) == bool(content.replace(MARK, b"").strip())
