"""Any bytes under any name: a verdict or a refusal, never a crash, and no row lost on the way."""

import csv
import gzip
import io
import json
import random
import zipfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backend.datasets.imports import items, run
from tests.effort import examples

ROWS = [
    {"prompt": f'问题 {n}, "quoted"; a|b\tc', "completion": f"é\nline {n}", "n": n}
    for n in range(12)
]


def _csv() -> bytes:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["prompt", "completion", "n"])
    writer.writeheader()
    writer.writerows(ROWS)
    return buffer.getvalue().encode()


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _parquet(**how: Any) -> bytes:
    sink = io.BytesIO()
    table = pa.Table.from_pylist([{**row, "deep": [{"a": {"b": row["n"]}}]} for row in ROWS])
    pq.write_table(table, sink, row_group_size=5, **how)
    return sink.getvalue()


LINES = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
SEEDS = {
    "a.jsonl": LINES.encode(),
    "b.jsonl": LINES.encode("gb18030"),
    "c.jsonl": LINES.encode("utf-16"),
    "a.json": json.dumps({"v": 1, "rows": ROWS}, ensure_ascii=False).encode(),
    "b.json": json.dumps(ROWS, indent=1).encode(),
    "a.csv": _csv(),
    "b.csv": _csv().decode().encode("gb18030"),
    "a.txt": LINES.replace("\n", "\n\n").encode(),
    "a.parquet": _parquet(),
    "b.parquet": _parquet(compression="none", use_dictionary=False, data_page_version="2.0"),
    "a.jsonl.gz": gzip.compress(LINES.encode()),
    "a.zip": _zip({"a.jsonl": LINES.encode(), "b/c.csv": _csv(), "README": b"x"}),
    "b.zip": _zip({"a.parquet": _parquet()}),
}
NAMES = [*SEEDS, "a.tsv", "noname", "x.bin", "a.gz", "a.md", "a.pq"]


def judged(folder: Any, name: str, content: bytes, **how: Any) -> dict[str, Any]:
    summary = run(folder, name, content, max_unpacked_bytes=10**8, **how)
    if summary["status"] == "failed":
        for part in ("code", "message", "hint"):
            assert summary["error"][part]
        assert items(folder)
    if summary["status"] in ("ready", "blocked"):
        counts = summary["counts"]
        assert counts["kept"] + counts["repaired"] == summary["num_rows"] > 0
        assert sum(summary["rules"].values()) >= counts["dropped"]
    json.dumps(summary)
    return summary


@examples(150)
@given(st.sampled_from(NAMES), st.binary(max_size=300))
def test_random_bytes(tmp_path_factory: pytest.TempPathFactory, name: str, raw: bytes) -> None:
    judged(tmp_path_factory.mktemp("any"), name, raw)


@examples(150)
@given(
    st.sampled_from(NAMES),
    st.text(alphabet='{}[]",;|\t:abc\\\n\r é你\x00\ud800\ufeff', max_size=120),
    st.sampled_from(["utf-8", "utf-16", "gb18030", "utf-16-be"]),
)
def test_random_text(
    tmp_path_factory: pytest.TempPathFactory, name: str, text: str, codec: str
) -> None:
    errors = "surrogatepass" if codec.startswith("utf") else "ignore"
    judged(tmp_path_factory.mktemp("any"), name, text.encode(codec, errors))


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A valid file that was cut, flipped, spliced, repeated or given another name."""
    seed = draw(st.sampled_from(sorted(SEEDS)))
    content = bytearray(SEEDS[seed])
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        kind = draw(st.sampled_from(["cut", "flip", "set", "splice", "drop", "twice"]))
        if kind == "cut":
            del content[place:]
        elif kind == "flip" and content:
            content[place] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set" and content:
            content[place] = draw(st.sampled_from([0, 10, 34, 44, 92, 127, 255]))
        elif kind == "splice":
            other = SEEDS[draw(st.sampled_from(sorted(SEEDS)))]
            content[place:place] = other[: draw(st.integers(1, 200))]
        elif kind == "drop":
            del content[place : place + draw(st.integers(1, 40))]
        else:
            content += content[place:]
    name = draw(st.sampled_from(NAMES)) if draw(st.booleans()) else seed
    return name, bytes(content)


@examples(400)
@given(mutated())
def test_mutated_files(tmp_path_factory: pytest.TempPathFactory, case: tuple[str, bytes]) -> None:
    judged(tmp_path_factory.mktemp("any"), *case)


@pytest.mark.parametrize("name", ["a.parquet", "b.parquet", "a.zip", "a.jsonl.gz"])
def test_every_bit_may_be_wrong(tmp_path: Any, name: str) -> None:
    """A single wrong byte: the rows are those of the file, or there is a reason why not."""
    noise = random.Random(name)
    for number in range(150):
        folder = tmp_path / str(number)
        folder.mkdir()
        content = bytearray(SEEDS[name])
        content[noise.randrange(len(content))] ^= 1 << noise.randrange(8)
        judged(folder, name, bytes(content))


cells = st.lists(st.text(alphabet='a,;"\n\r é', max_size=6), min_size=2, max_size=2)


@examples(200)
@given(st.lists(cells, min_size=1, max_size=8), st.sampled_from([",", ";", "\t", "|"]))
def test_tables_equal_a_reference(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([["prompt", "completion"], *rows])
    summary = judged(folder, "a.csv", buffer.getvalue().encode(), options={"delimiter": delimiter})
    wanted = [row for row in rows if all(cell.strip() for cell in row)]
    assert (summary["num_rows"] or 0) == len(wanted)
    assert summary["counts"]["dropped"] == len(rows) - len(wanted)


line = st.text(alphabet='a,"x', max_size=7)


@examples(300)
@given(st.lists(line, min_size=1, max_size=9))
def test_every_line_of_a_wild_table_is_in_a_row(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str]
) -> None:
    """A row has as many lines as its quotes have: none is in no row, none in two."""
    from backend.datasets.readers import delimited
    from backend.datasets.readers.encoding import Encoding

    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_text("\n".join(["p,c", *rows]))
    covered: list[str] = []
    previous = 0
    for row in delimited.read(path, Encoding("utf-8", 0, "utf-8"), ","):
        assert row.line > previous
        previous = row.line
        assert isinstance(row.raw, bytes)
        covered += row.raw.decode().removesuffix("\n").split("\n")
        assert (row.error is None) == (row.fields is not None)
    assert [each for each in covered if each] == [each for each in rows if each]


def test_a_long_cell_does_not_hide_the_delimiter(tmp_path: Any) -> None:
    csv.field_size_limit(131_072)  # as in a fresh process
    content = f"prompt;completion\n{'long, ' * 50_000};b\n".encode()
    summary = judged(tmp_path, "a.csv", content)
    assert (summary["status"], summary["delimiter"]) == ("ready", ";")


def test_a_name_of_a_column_that_is_no_text(tmp_path: Any) -> None:
    content = SEEDS["b.parquet"].replace(b"completion", b"\xff\xfe" * 5)
    assert judged(tmp_path, "a.parquet", content)["status"] in ("failed", "needs_mapping")


def test_large_cells_do_not_fill_the_sample(tmp_path: Any, monkeypatch: Any) -> None:
    from backend.datasets.importing import parts

    monkeypatch.setattr(parts, "SAMPLE_BYTES", 1000)
    content = f"prompt,completion\n{'x' * 600},b\n".encode() + f"{'x' * 600},b\n".encode() * 99
    summary = judged(tmp_path, "a.csv", content)
    assert summary["num_rows"] == 100
