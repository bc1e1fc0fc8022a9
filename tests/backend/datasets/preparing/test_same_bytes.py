"""What is quick makes no difference: rows kept in memory or on disk, read one way or another."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.datasets.importing.tally import Tally
from backend.datasets.preparing import spool
from backend.datasets.preparing.statistics import count
from backend.datasets.preparing.stream import Batch
from tests.backend.datasets.preparing.made import Row, run, source, talk, version
from training_engine.contract.names import RecordType

TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": st.text()},
    optional={"train": st.booleans(), "tool_calls": st.just([{"id": "1"}])},
)
TURNS = st.lists(TURN, max_size=4)
RECORD = (
    st.fixed_dictionaries({"messages": TURNS})
    | st.fixed_dictionaries({"messages": TURNS, "tools": st.just([{"name": "f"}])})
    | st.fixed_dictionaries({"messages": TURNS, "label": st.booleans()})
    | st.fixed_dictionaries({"messages": TURNS, "chosen": TURNS, "rejected": TURNS})
)
VALUE = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | st.just([1, "a"])
NAME = st.sampled_from(["id", "lang", "messages", "tools", "", "é"])
ROWS = st.lists(st.tuples(RECORD, st.dictionaries(NAME, VALUE, max_size=3)), max_size=8)


@given(st.lists(ROWS, max_size=3))
def test_rows_are_counted_as_an_import_counts_them(batches: list[list[tuple[Row, Row]]]) -> None:
    plain, quick = Tally(), Tally()
    for rows in batches:
        plain.add_rows([{**record, **extra} for record, extra in rows])
        plain.add_records([record for record, _ in rows])
        size = len(rows)
        records = [orjson.dumps(record) for record, _ in rows]
        extras = [orjson.dumps(extra) if extra else None for _, extra in rows]
        nothing: list[Any] = [None] * size
        batch = Batch(records, nothing, extras, nothing, [0] * size, [False] * size)
        count(batch, RecordType.CONVERSATIONAL, quick)
    assert orjson.dumps(quick.summary()) == orjson.dumps(plain.summary())


STEPS: list[Row] = [
    {"kind": "filter", "conditions": [{"field": "answer", "op": "not_contains", "value": "7"}]},
    {"kind": "shuffle", "seed": 4},
    {"kind": "mix", "sources": [source(2.0)], "weight": 3.0, "seed": 5},
    {"kind": "sample", "fraction": 0.7, "seed": 6},
    {"kind": "split", "fractions": {"validation": 0.2}},
]


@pytest.mark.parametrize("memory", [0, 5_000, 200_000])
def test_rows_that_are_laid_aside_on_disk_come_back_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    records = [talk(f"Question {n}", f"Answer {n} " * 9) for n in range(3000)]
    base = version(folder, records, [{"n": n} if n % 3 else {} for n in range(3000)])
    _, kept = run(folder, base, STEPS, sources=[base])
    made = spool.pa.ipc.new_stream
    files: list[Path] = []
    monkeypatch.setattr(
        spool.pa.ipc, "new_stream", lambda file, *a, **k: files.append(file) or made(file, *a, **k)
    )
    monkeypatch.setattr(spool, "MEMORY_BYTES", memory)
    monkeypatch.setattr(spool.Spool.__init__, "__defaults__", (lambda _rows: None, memory))
    _, spilled = run(folder, base, STEPS, sources=[base])
    assert files
    for file in kept.iterdir():
        assert (spilled / file.name).read_bytes() == file.read_bytes(), file.name


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 700), min_size=1, max_size=5), memory=st.integers(0, 400_000))
def test_a_spool_gives_back_what_it_got(folder: Path, sizes: list[int], memory: int) -> None:
    rows = spool.Spool(folder / "spool", memory_bytes=memory)
    given_rows: list[tuple[Any, ...]] = []
    for size in sizes:
        first = len(given_rows)
        numbers = list(range(first, first + size))
        batch = Batch(
            [b"{}%d" % n for n in numbers],
            [n if n % 2 else None for n in numbers],
            [None if n % 3 else b"{}" for n in numbers],
            ["train" if n % 5 else None for n in numbers],
            numbers,
            [n % 7 == 0 for n in numbers],
        )
        rows.add(batch, [2 * n for n in numbers])
        given_rows += zip(*batch.columns(), [2 * n for n in numbers], strict=True)
    rows.close()
    for _ in range(2):
        back = [
            row
            for batch, ranks in rows.ranked()
            for row in zip(*batch.columns(), ranks, strict=True)
        ]
        assert back == given_rows
    assert rows.num_rows == len(given_rows)
    rows.remove()
    assert not (folder / "spool").exists()
