"""Rows that compiled code reads become the same bytes as by the long way, or go that way."""

import json
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.datasets.importing.batch import Batch, convert, convert_chunk
from backend.datasets.importing.plain import read
from backend.datasets.importing.recognition import importer_of
from backend.datasets.importing.run import import_file
from backend.datasets.importing.shapes import shape_of
from backend.datasets.readers.chunks import Chunk
from backend.datasets.readers.jsonl import rows_of
from backend.datasets.versions.packing import MemoryPacker
from tests.backend.datasets.stored import records_of

TEXT = st.one_of(
    st.sampled_from(
        ["a", "Yes.", " ", "", 'say "x" :', '"a": 1', "\\", 'C:\\"', "\x7f\x00\t\r", "é好"]
    ),
    st.text(max_size=8),
)
OTHER = st.one_of(st.none(), st.booleans(), st.integers(-(2**66), 2**66), st.floats(), TEXT)
ROLES = st.sampled_from(["system", "user", "assistant", "tool", "human", "gpt", "x"])


def turns(said: str, content: str) -> st.SearchStrategy[Any]:
    """Conversations, most of them in order."""
    plain = st.lists(TEXT, min_size=2, max_size=4).map(
        lambda texts: [
            {said: ("user", "assistant")[n % 2] if said == "role" else ("human", "gpt")[n % 2],
             content: text}
            for n, text in enumerate(texts)
        ]
    )  # fmt: skip
    return st.one_of(plain, st.lists(st.fixed_dictionaries({said: ROLES, content: TEXT})))


def rows(parts: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    other = {"id": OTHER, "z": OTHER, "nested": st.just({"b": 1, "a": [2]})}
    return st.lists(
        st.fixed_dictionaries(parts, optional={**optional, **other}), min_size=1, max_size=4
    )


NOTHING = st.sampled_from([None, "", []])
FORMATS = {
    "openai_messages": rows({"messages": turns("role", "content")}, {"tools": NOTHING}),
    "sharegpt": rows({"conversations": turns("from", "value")}, {"system": TEXT, "tools": NOTHING}),
    "alpaca": rows(
        {"instruction": TEXT, "output": TEXT},
        {"input": TEXT, "system": TEXT, "history": st.sampled_from([[], [["a", "b"]], None])},
    ),
    "prompt_completion": rows({"prompt": TEXT, "completion": TEXT}, {"system": TEXT}),
    "query_response": rows({"question": TEXT, "answer": TEXT}, {"history": NOTHING}),
    "classification": rows({"text": TEXT, "label": OTHER}, {}),
    "text": rows({"text": TEXT}, {}),
}


def line_of(row: Any, spaced: bool, escaped: bool) -> str:
    return json.dumps(row, separators=None if spaced else (",", ":"), ensure_ascii=escaped)


def both(name: str, data: bytes, columns: list[str]) -> tuple[Batch, Batch]:
    """What the fast way and the long way make of a file."""
    importer = importer_of(name, None)
    shape = shape_of(name, columns)
    assert shape is not None
    chunk = Chunk(1, 0, data)
    fast, long = Batch(), Batch()
    convert(rows_of(chunk, "utf-8"), importer, long)
    convert_chunk(chunk, importer, "utf-8", shape, fast)
    return fast, long


def table(batch: Batch) -> pa.Table:
    assert isinstance(batch.packer, MemoryPacker)
    return batch.packer.table()


def same(fast: Batch, long: Batch) -> None:
    assert table(fast).equals(table(long))
    assert fast.found == long.found
    assert _by_name(fast.tally.summary()) == _by_name(long.tally.summary())


def _by_name(summary: dict[str, Any]) -> dict[str, Any]:
    return {**summary, "fields": sorted(summary["fields"], key=lambda field: str(field["name"]))}


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_both_ways_say_the_same(name: str, data: st.DataObject) -> None:
    found = data.draw(FORMATS[name])
    spaced, escaped = data.draw(st.booleans()), data.draw(st.booleans())
    end = data.draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    text = end.join(line_of(row, spaced, escaped) for row in found)
    columns = list(dict.fromkeys(key for row in found[:1] for key in row))
    same(*both(name, text.encode("utf-8", "surrogatepass"), columns))


@pytest.mark.parametrize(
    "line",
    [
        '{"text": "a", "text": "b"}',
        '{"text": "a", "id": 1, "id": 2}',
        '{"text" : "a", "text": "b"}',
        '{"text": "a", "id\\\\": 1, "x": "\\":", "text": "b"}',
        '{"text": "a", "id": NaN}',
        '{"text": "a", "id": 99999999999999999999999}',
        '{"text": "a", "id": 1e999}',
        '{"text": "a", "id": -9223372036854775809}',
        '{"text": "a", "id": 18446744073709551615}',
        '{"text": "\\ud800"}',
        '{"text": "a"',
        '["a"]',
        "",
        "   ",
    ],
)
def test_what_is_not_json_as_it_should_be(line: str) -> None:
    data = f'{{"text": "x", "id": 1}}\n{line}\n{{"text": "y", "id": 2}}\n'.encode()
    fast, long = both("text", data, ["text", "id"])
    same(fast, long)
    assert fast.packer.num_rows >= 2


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 254, 255, 256, 257, 300])
@pytest.mark.parametrize("inside", ['": ', '": "', "", ":"])
def test_backslashes_before_the_end_of_a_text(number: int, inside: str) -> None:
    row = {"text": "\\" * number + inside, "id": inside + "\\" * number}
    doubled = json.dumps(row, ensure_ascii=False).replace(', "id"', ', "text": "x", "id"')
    for line in (json.dumps(row), doubled, json.dumps({**row, "a" + "\\" * number: 1})):
        same(*both("text", f"{line}\n{json.dumps(row)}\n".encode(), ["text", "id"]))


def test_keys_behind_backslashes_are_counted() -> None:
    for number in range(120):
        line = json.dumps({"text": "\\" * number + '": ', "id": "\\" * number})
        found = read(line.encode(), shape_of("text", ["text", "id"]))
        assert found is not None
        assert len(found.kept) == 1


def test_plain_rows_go_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else this file would prove nothing."""
    samples = {
        "openai_messages": {"messages": [
            {"role": "system", "content": "s"}, {"role": "user", "content": "q"},
            {"role": "assistant", "content": "a"}]},
        "sharegpt": {"conversations": [
            {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "system": "s"},
        "alpaca": {"instruction": "q", "input": "i", "output": "a", "history": []},
        "prompt_completion": {"prompt": "q", "completion": "a"},
        "query_response": {"question": "q", "answer": "a"},
        "classification": {"text": "t", "label": "good"},
        "text": {"text": "t"},
    }  # fmt: skip
    monkeypatch.setattr("backend.datasets.importing.batch.convert", None)
    for name, row in samples.items():
        rows = [{**row, "id": number, "tag": "x"} for number in range(3)]
        data = b"".join(orjson.dumps(each) + b"\n" for each in rows)
        shape = shape_of(name, list(rows[0]))
        batch = Batch()
        convert_chunk(Chunk(5, 0, data), importer_of(name, None), "utf-8", shape, batch)
        found = table(batch).to_pylist()
        assert [row["line"] for row in found] == [5, 6, 7], name
        assert found[0]["extra"] == '{"id":0,"tag":"x"}', name
        assert batch.found.kept == 3, name


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "\x00"])
def test_a_column_of_a_strange_name_goes_the_long_way(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(orjson.dumps({"prompt": "a", "completion": "b", name: 1}))
    folder = tmp_path / "out"
    folder.mkdir()
    assert import_file(path, path.name, folder)["counts"]["kept"] == 1
    assert records_of(folder)[0]["meta"]["extra"] == {name: 1}
