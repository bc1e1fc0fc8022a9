"""Personal data and secrets in the columns beside the records; and what is none there."""

import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.datasets.hygiene import beside, findings, run
from backend.datasets.hygiene.texts import CONTENT, PART, folded, read
from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import Rows
from tests.backend.datasets.hygiene.made import asked

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def found(extra: dict[str, Any]) -> list[tuple[str, str]]:
    """`(column, finding)` of one row."""
    return [(one.column, one.span.finding) for one in beside.find([None, orjson.dumps(extra)])]


@pytest.mark.parametrize(
    ("extra", "finding"),
    [
        ({"author": "anna.berg@firma.de"}, "email"),
        ({"phone_number": "(415) 555-2671"}, "phone"),
        ({"userPhone": 4155552671}, "phone"),
        ({"手机": "13812345678"}, "phone"),
        ({"ssn": "536 90 4399"}, "id_number"),
        ({"card": 4111111111111111}, "payment_card"),
        ({"iban": "DE89370400440532013000"}, "iban"),
        ({"password": "xK9#mQ2$vL7!pR4z"}, "secret"),
        ({"meta": {"contact": ["x", "anna.berg@firma.de"]}}, "email"),
    ],
)
def test_a_column_is_named_with_what_is_in_it(extra: dict[str, Any], finding: str) -> None:
    assert found({"note": "nothing", **extra}) == [(next(iter(extra)), finding)]


@pytest.mark.parametrize(
    "extra",
    [
        {"created_at": "2024-05-01T12:00:00.123456+00:00", "day": "2024-05-01"},
        {"at": 1700000000, "at_ms": 1700000000000, "id": 123456789012, "score": 0.1234567890123},
        {"uuid": "6e8bc430-9c3a-11d9-9669-0800200c9a66"},
        {"sha": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"tokens": 1234567, "num_tokens": 12, "secret": True, "password": None},
        {"phone": None, "email": ""},
    ],
)
def test_what_every_file_has_is_no_finding(extra: dict[str, Any]) -> None:
    assert found(extra) == []


@given(st.lists(st.none() | st.dictionaries(st.text(), JSON, max_size=4), max_size=6))
def test_any_columns_can_be_looked_through(extras: list[dict[str, Any] | None]) -> None:
    stored = [orjson.dumps(extra) if extra else None for extra in extras]
    for one in beside.find(stored):
        assert one.column in (extras[one.place] or {})
        assert one.text[one.span.start : one.span.end]


def test_a_finding_says_in_which_columns_it_is(tmp_path: Path) -> None:
    dice = random.Random(5)
    folder = tmp_path / "v1"
    folder.mkdir()
    rows, wanted = Rows(), set()
    for number in range(300):
        own, aside = dice.random() < 0.1, dice.random() < 0.2
        if own or aside:
            wanted.add(number)
        answer = f"Row {number}: write to jo{number}@firma.de." if own else f"Row {number} it is."
        extra = {"author_email": f"a{number}@firma.de"} if aside else {"author_email": "-"}
        rows.add(asked(f"Question {number}", answer), number + 1, extra)
    writer = RecordWriter(folder)
    writer.write(rows)
    writer.close()
    result = run.examine(folder, "x")
    (mail,) = [one for one in result["findings"] if one["name"] == "email"]
    assert findings.rows_of(folder, ["email"]).tolist() == sorted(wanted)
    assert mail["rows"] == len(wanted)
    asides = [extra for extra in rows.extras if extra and b"@" in extra]
    assert mail["columns"] == [{"column": "author_email", "rows": len(asides)}]
    for example in mail["examples"]:
        beside_it = example.get("column") == "author_email"
        assert beside_it != (b"@" in rows.records[example["index"]])
        assert beside_it == example["excerpt"].startswith("author email: a")
        assert "@firma" not in example["excerpt"]


TEXTS = st.text("aB ßİ\n\t\u3000Σς", max_size=12)
TURNS = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXTS},
        optional={"tool_calls": st.just([{"id": "A  b"}])},
    ),
    max_size=5,
)


@given(
    st.fixed_dictionaries(
        {"messages": TURNS}, optional={"chosen": TURNS, "tools": st.just([{"name": "X"}])}
    )
)
def test_what_is_folded_turn_by_turn_is_folded_as_a_whole(record: dict[str, Any]) -> None:
    row = read(orjson.dumps(record))
    groups = [record["messages"], record.get("chosen") or [], []]
    whole = ""
    for group in groups:
        for turn in group:
            calls = orjson.dumps(turn["tool_calls"]).decode() if "tool_calls" in turn else ""
            whole += f"{PART}{turn['role']}{CONTENT}{turn['content'].strip()}{calls}"
        whole += PART
    if "tools" in record:
        whole += PART + orjson.dumps(record["tools"]).decode()
    assert row.whole == folded(whole)
    assert folded(row.shingled) == folded(row.compared)
    turns = record["messages"]
    answers = [n for n, turn in enumerate(turns) if turn["role"] == "assistant"]
    last = len(turns) if record.get("chosen") or not answers else answers[-1]
    asked_for = [t["content"] for t in turns[:last] if t["role"] != "system"]
    assert row.prompt == folded("\n".join(asked_for))
