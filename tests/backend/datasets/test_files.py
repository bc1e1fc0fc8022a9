"""Files as they come: encodings, line ends, tables, broken JSON; every row is accounted for."""

import codecs
import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.datasets import rows
from backend.datasets.importing import job as import_job
from backend.datasets.importing import plain, report
from backend.datasets.importing.run import import_file
from backend.datasets.readers import chunks, encoding, jsonl
from backend.datasets.readers.encoding import Encoding
from tests.backend.datasets.stored import records_of
from tests.effort import examples

GOOD = '{"prompt": "a", "completion": "b"}'
CHINESE = "你好，请问我的订单什么时候能到？谢谢。"
JAPANESE = "こんにちは、注文した商品はいつ届きますか。"
KOREAN = "안녕하세요, 주문한 상품은 언제 도착하나요?"
TRADITIONAL = "您好，請問我的訂單什麼時候會到？謝謝。"


def run(folder: Path, name: str, content: bytes | str, **options: Any) -> dict[str, Any]:
    upload, out = folder / "upload", folder / "out"
    upload.write_bytes(content.encode() if isinstance(content, str) else content)
    out.mkdir()
    return import_file(upload, name, out, **options)


def records(folder: Path) -> list[Any]:
    return records_of(folder / "out")


def items(folder: Path) -> list[Any]:
    lines = (folder / "out/report.jsonl").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("text", "codec", "name"),
    [
        (CHINESE, "utf-8", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8-bom"),
        (CHINESE, "utf-16", "utf-16-le"),
        (CHINESE, "utf-16-le", "utf-16-le"),
        (CHINESE, "utf-16-be", "utf-16-be"),
        (CHINESE, "gb18030", "gb18030"),
        (CHINESE, "gbk", "gb18030"),
        (TRADITIONAL, "big5", "big5"),
        (JAPANESE, "shift_jis", "shift_jis"),
        (KOREAN, "euc_kr", "euc_kr"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "json", "csv"])
def test_encoding_is_found_and_the_rows_equal_the_utf8_twin(
    tmp_path: Path, text: str, codec: str, name: str, kind: str
) -> None:
    rows_ = [{"prompt": text, "completion": f"{text}{n}"} for n in range(5)]
    if kind == "jsonl":
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows_)
    elif kind == "json":
        content = json.dumps(rows_, ensure_ascii=False, indent=1)
    else:
        content = "prompt,completion\n" + "".join(
            f'"{r["prompt"]}","{r["completion"]}"\n' for r in rows_
        )
    summary = run(tmp_path, f"rows.{kind}", content.encode(codec))
    assert (summary["status"], summary["encoding"]) == ("ready", name)
    twin = tmp_path / "twin"
    twin.mkdir()
    run(twin, f"rows.{kind}", content.encode())
    assert records(tmp_path) == records(twin)
    assert records(tmp_path)[4]["messages"][0]["content"] == text


def test_damaged_bytes_are_reported_by_line_not_ignored(tmp_path: Path) -> None:
    line = json.dumps({"prompt": CHINESE, "completion": "好"}, ensure_ascii=False).encode()
    content = b"\n".join([line, line[:30] + b"\xff\xfe" + line[30:], line])
    summary = run(tmp_path, "rows.jsonl", content)
    assert summary["encoding"] == "utf-8"
    assert summary["counts"] == {"kept": 2, "repaired": 0, "truncated": 0, "dropped": 1}
    assert [(i["line"], i["rule"]) for i in items(tmp_path)] == [(2, "invalid_encoding")]


def test_damaged_bytes_in_a_table_and_in_gb18030(tmp_path: Path) -> None:
    good = f"{CHINESE},好\n".encode("gb18030")
    content = b"prompt,completion\n" + good * 3 + b"a\xff\xff,b\n" + good
    summary = run(tmp_path, "rows.csv", content)
    assert summary["encoding"] == "gb18030"
    assert summary["counts"]["kept"] == 4
    assert [(i["line"], i["rule"]) for i in items(tmp_path)] == [(5, "invalid_encoding")]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.jsonl", b"", "empty_file"),
        ("a.jsonl", b" \n\n", "empty_file"),
        ("a.jsonl", codecs.BOM_UTF8, "empty_file"),
        ("a.csv", b"prompt,completion\n", "no_rows"),
        ("a.json", b"[]", "no_rows"),
        ("a.json", b'{"a": 1}', "no_rows"),
        ("a.json", b'{"a": [{"text": "x"}], "b": [1]}', "several_arrays"),
        ("a.json", b"[1, 2]", "no_readable_rows"),
        ("a.json", b'"text"', "broken_json"),
        ("a.jsonl", b"PK\x03\x04abc", "broken_archive"),
        ("a.jsonl", b"\x1f\x8b\x08", "broken_archive"),
        ("a.jsonl", b"PAR1 and no more", "broken_parquet"),
        ("a.jsonl", b"%PDF-1.7 and so on", "binary_file"),
        ("a.jsonl", bytes(range(256)) * 4, "binary_file"),
        ("a.csv", b"a,a\n1,2\n", "duplicate_column"),
        ("a.jsonl", b"{oops\n{oops\n", "no_readable_rows"),
        ("a.jsonl", b'{"messages": []}\n{"messages": []}\n', "no_usable_rows"),
        ("a.xyz", b"neither of them\nat all\n", "unknown_file_type"),
    ],
)
def test_file_that_can_not_be_used_fails_with_a_report(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    summary = run(tmp_path, name, content)
    assert summary["status"] == "failed"
    assert summary["error"]["code"] == code
    assert summary["error"]["message"]
    assert summary["error"]["hint"]
    assert summary["num_rows"] is None
    assert not (tmp_path / "out/records.parquet").exists()
    assert items(tmp_path)[0]["line"] >= 1


def test_broken_document_names_the_place_and_imports_nothing(tmp_path: Path) -> None:
    good = '{"prompt": "a", "completion": "b"}'
    content = f"[\n{good},\n{good},\n{{'prompt': 1}}\n]"
    summary = run(tmp_path, "rows.json", content)
    assert summary["error"]["code"] == "broken_json"
    assert (summary["error"]["params"]["line"], summary["error"]["params"]["column"]) == (4, 2)
    assert summary["counts"] == {"kept": 0, "repaired": 0, "truncated": 0, "dropped": 0}
    (item,) = items(tmp_path)
    assert item["byte_offset"] == content.index("'prompt'")
    assert "'prompt': 1" in item["excerpt"]


@pytest.mark.parametrize("cut", [5, 40, 100])
def test_document_cut_off_in_the_middle(tmp_path: Path, cut: int) -> None:
    content = json.dumps([{"prompt": "a" * 10, "completion": "b" * 10}] * 3)[:cut]
    assert run(tmp_path, "rows.json", content)["error"]["code"] == "broken_json"


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ('{"prompt": "a", "prompt": "c", "completion": "b"}', "duplicate_key"),
        ('{"prompt" : "a", "prompt" : "c", "completion": "b"}', "duplicate_key"),
        ('{"prompt": "a", "completion": "b", "x": {"k": 1, "k": 2}}', "duplicate_key"),
        ('{"prompt": "a", "completion": "b", "score": NaN}', "not_a_number"),
        ('{"prompt": "a", "completion": "b", "score": -Infinity}', "not_a_number"),
        ('{"prompt": "a", "completion": "b", "score": 1e999}', "number_too_large"),
        ('{"prompt": "a", "completion": "b", "id": 123456789012345678901}', "number_too_large"),
        ('{"prompt": "\\ud800", "completion": "b"}', "invalid_text"),
        ('{"prompt": ' + "[" * 10_000 + "]" * 10_000 + ', "completion": "b"}', "too_deep"),
        ('{"prompt": ' + "[" * 150 + "]" * 150 + ', "completion": "b"}', "too_deep"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_strange_json_is_an_error_of_its_row(
    tmp_path: Path, row: str, rule: str, kind: str
) -> None:
    lines = [GOOD, row, GOOD]
    content = "\n".join(lines) if kind == "jsonl" else "[" + ",\n".join(lines) + "]"
    summary = run(tmp_path, f"rows.{kind}", content)
    assert summary["counts"] == {"kept": 2, "repaired": 0, "truncated": 0, "dropped": 1}
    assert [(item["line"], item["rule"]) for item in items(tmp_path)] == [(2, rule)]


def test_harmless_but_unusual_json_is_kept(tmp_path: Path) -> None:
    row = '{"prompt": "a\\":b", "completion": "\\ud83d\\ude00", "__proto__": 1e300, "id": 1}'
    summary = run(tmp_path, "rows.jsonl", row + "\n")
    assert summary["counts"]["kept"] == 1
    (record,) = records(tmp_path)
    assert record["messages"][0]["content"] == 'a":b'
    assert record["messages"][1]["content"] == "😀"
    assert record["meta"]["extra"] == {"__proto__": 1e300, "id": 1}


def test_line_numbers_and_offsets_count_in_the_file_as_uploaded(tmp_path: Path) -> None:
    content = f"{GOOD}\r\n\r\n  \r\n{{broken\r\n{GOOD}"
    summary = run(tmp_path, "rows.jsonl", content)
    assert summary["counts"]["dropped"] == 1
    (item,) = items(tmp_path)
    assert (item["line"], item["byte_offset"]) == (4, content.index("{broken"))
    assert [record["meta"]["line"] for record in records(tmp_path)] == [1, 5]


def test_document_is_read_in_pieces_with_the_right_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.datasets.readers import json_text

    monkeypatch.setattr(json_text, "CHUNK_BYTES", 7)
    rows_ = [{"prompt": f"é{n}" * 9, "completion": "b", "n": -12.5e-3} for n in range(20)]
    content = json.dumps({"version": 1, "data": rows_, "more": None}, ensure_ascii=False, indent=2)
    summary = run(tmp_path, "rows.json", content)
    assert summary["counts"]["kept"] == 20
    found = records(tmp_path)
    lines = content.splitlines()
    for number, record in enumerate(found):
        assert record["messages"][0]["content"] == rows_[number]["prompt"]
        assert f'"prompt": "{rows_[number]["prompt"]}"' in lines[record["meta"]["line"]]


@pytest.mark.parametrize(
    ("name", "content", "rows_"),
    [
        ("one.jsonl", GOOD, 1),
        ("one.json", GOOD, 1),
        ("lines.json", f"{GOOD}\n{GOOD}\n", 2),
        ("named.txt", f"{GOOD}\n{GOOD}\n", 2),
        ("array.jsonl", f"[{GOOD}, {GOOD}]", 2),
        ("holder.json", f'{{"data": [{GOOD}, {GOOD}]}}', 2),
        ("pretty.json", json.dumps(json.loads(f"[{GOOD}]"), indent=4), 1),
        ("noname", f"[{GOOD}]", 1),
        ("table", "prompt;completion\na;b\nc;d\n", 2),
        ("table.tsv", "prompt\tcompletion\na\tb\n", 1),
        ("poem.txt", "one\ntwo\n\n\nthree\n", 2),
    ],
)
def test_kind_of_file_is_recognised(tmp_path: Path, name: str, content: str, rows_: int) -> None:
    summary = run(tmp_path, name, content)
    assert (summary["status"], summary["num_rows"]) == ("ready", rows_)


def test_text_blocks_keep_their_lines(tmp_path: Path) -> None:
    run(tmp_path, "poem.txt", "one\r\n  two\r\n\r\nthree")
    assert [(r["text"], r["meta"]["line"]) for r in records(tmp_path)] == [
        ("one\n  two", 1),
        ("three", 4),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_table_equals_what_a_reference_reads(tmp_path: Path, delimiter: str) -> None:
    rows_ = [
        ["plain", "answer"],
        ["two\nlines", 'with "quotes"'],
        [f"with {delimiter} inside", "x" * 200_000],
        ["=cmd()", "中文"],
        [" spaces ", "1.50"],
    ]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows([["prompt", "completion"], *rows_])
    summary = run(tmp_path, "rows.csv", buffer.getvalue())
    assert (summary["status"], summary["delimiter"]) == ("ready", delimiter)
    got = [[m["content"] for m in record["messages"]] for record in records(tmp_path)]
    assert got == rows_
    assert [record["meta"]["line"] for record in records(tmp_path)] == [2, 3, 5, 6, 7]


def test_bad_rows_of_a_table_are_reported_one_by_one(tmp_path: Path) -> None:
    content = 'prompt,completion\na,b\nonly\na,b,c\n"x"y,z\na,b,,\n"never closed,b\na,b\n'
    summary = run(tmp_path, "rows.csv", content)
    assert [(item["line"], item["rule"]) for item in items(tmp_path)] == [
        (3, "ragged_row"),
        (4, "ragged_row"),
        (5, "broken_quotes"),
        (7, "broken_quotes"),
    ]
    assert summary["counts"] == {"kept": 3, "repaired": 0, "truncated": 0, "dropped": 4}
    assert summary["status"] == "blocked"
    assert summary["error"]["params"] == {"dropped": 4, "max_dropped_rows": 0}


def test_row_beyond_the_limit_is_skipped_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reader in (chunks, jsonl, plain):
        monkeypatch.setattr(reader, "MAX_ROW_BYTES", 1000)
    long = '{"prompt": "' + "a" * 5000 + '", "completion": "b"}'
    summary = run(tmp_path, "rows.jsonl", f"{GOOD}\n{long}\n{GOOD}\n")
    assert summary["counts"]["kept"] == 2
    (item,) = items(tmp_path)
    assert (item["line"], item["rule"]) == (2, "row_too_long")
    assert len(item["excerpt"]) <= rows.EXCERPT_CHARACTERS + 1


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
@given(
    content=st.lists(
        st.sampled_from([GOOD, "", "  ", "{", "x" * 80, '{"text": "' + CHINESE + '"}']), max_size=12
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    size=st.integers(1, 200),
)
def test_pieces_of_any_size_have_the_same_rows(
    codec: str, content: list[str], end: str, last: bool, size: int
) -> None:
    raw = (end.join(content) + (end if last else "")).encode(codec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        path.write_bytes(raw)

        def rows_in(pieces: int) -> list[tuple[Any, ...]]:
            return [
                (row.line, row.byte_offset, row.raw, row.fields, row.error and row.error.rule)
                for chunk in chunks.chunks(path, 0, pieces)
                for row in jsonl.rows_of(chunk, codec)
            ]

        found = rows_in(size)
        assert found == rows_in(1 << 20)
        assert found == [
            (row.line, row.byte_offset, row.raw, row.fields, row.error and row.error.rule)
            for row in jsonl.read(path, Encoding(codec, 0, codec))
        ]
    assert [line for line, *_ in found] == [n for n, each in enumerate(content, 1) if each.strip()]
    for _line, offset, *_ in found:
        assert raw[offset - 1 : offset] in (b"", b"\n")


@pytest.mark.parametrize("size", [100, 900, 2000, 10_000])
def test_an_endless_line_is_passed_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    for reader in (chunks, jsonl):
        monkeypatch.setattr(reader, "MAX_ROW_BYTES", 1000)
    path = tmp_path / "rows"
    path.write_text(f"{GOOD}\n{'a' * 5000}\n{GOOD}\n{'b' * 3000}")
    rows_found = [
        row for chunk in chunks.chunks(path, 0, size) for row in jsonl.rows_of(chunk, "utf-8")
    ]
    assert [(row.line, row.error and row.error.rule) for row in rows_found] == [
        (1, None),
        (2, "row_too_long"),
        (3, None),
        (4, "row_too_long"),
    ]
    content = path.read_bytes()
    assert [content[row.byte_offset : row.byte_offset + 1] for row in rows_found] == [
        b"{",
        b"a",
        b"{",
        b"b",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"prompt": "a', "Not valid JSON: Unterminated string starting at column 12."),
        ('{"prompt": 1 2}', "Not valid JSON: Expecting ',' delimiter at column 14."),
    ],
)
def test_broken_json_says_where(tmp_path: Path, line: str, message: str) -> None:
    run(tmp_path, "rows.jsonl", f"{GOOD}\n{line}\n")
    assert [(item["line"], item["message"]) for item in items(tmp_path)] == [(2, message)]


def test_report_is_capped_and_counts_stay_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MAX_ITEMS", 5)
    summary = run(tmp_path, "rows.jsonl", f"{GOOD}\n" + "{bad\n" * 20)
    assert summary["counts"]["dropped"] == 20
    assert summary["rules"] == {"broken_json": 20}
    assert len(items(tmp_path)) == 5


def test_western_alphabet_is_recognised_or_refused_never_mangled(tmp_path: Path) -> None:
    text = "Wie kann ich meine Bestellung ändern? Schöne Grüße aus Köln, für später."
    content = f"prompt;completion\n{text};Natürlich, gerne möchten wir helfen.\n".encode("cp1252")
    summary = run(tmp_path, "rows.csv", content * 3)
    if summary["status"] == "failed":
        assert summary["error"]["code"] == "unknown_encoding"
    else:
        assert records(tmp_path)[0]["messages"][0]["content"] == text


line = st.one_of(
    st.just(GOOD),
    st.just('{"prompt": "", "completion": "b"}'),
    st.just('{"prompt": "a", "completion": 1}'),
    st.text(alphabet='{}[]",:abc\\\n\r\t é你\x00', max_size=30),
    st.dictionaries(st.sampled_from(["prompt", "completion", "x"]), st.text(max_size=5)).map(
        lambda row: json.dumps(row)
    ),
)


@examples(200)
@given(st.lists(line, min_size=1, max_size=30))
def test_every_row_is_kept_repaired_or_dropped(
    tmp_path_factory: pytest.TempPathFactory, lines_: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    content = "\n".join([GOOD, *lines_])
    summary = run(folder, "rows.jsonl", content)
    if summary["status"] == "failed":
        assert summary["error"]["code"] == "binary_file"
        assert content.count("\x00") > len(content.encode()) / 5
        return
    rows_ = [part for part in content.encode().split(b"\n") if part.strip()]
    counts = summary["counts"]
    assert counts["kept"] + counts["repaired"] + counts["dropped"] == len(rows_)
    assert counts["kept"] + counts["repaired"] == summary["num_rows"]


def test_utf8_that_a_chinese_codec_could_read_stays_utf8(tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(CHINESE.encode() * 1000)
    assert encoding.detect(upload).name == "utf-8"


def test_import_job_needs_little(tmp_path: Path) -> None:
    """The child starts in a moment because it imports almost nothing."""
    import subprocess
    import sys

    code = (
        "import sys; import backend.datasets.importing.job; "
        "print([m for m in ('fastapi', 'sqlalchemy', 'torch', 'charset_normalizer', 'pyarrow') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert import_job.main.__doc__
