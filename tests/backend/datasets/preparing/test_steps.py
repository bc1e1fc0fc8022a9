"""Each step against a few lines of Python that say the same."""

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.datasets.preparing import shares
from tests.backend.datasets.preparing.made import Row, rows_of, run, source, talk, version

FREE = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WORDS = st.text("abcAB é好\n=", min_size=1, max_size=12).filter(lambda text: not text.isspace())
TALKS = st.lists(st.builds(talk, WORDS, WORDS, st.none() | WORDS), min_size=1, max_size=40)
COLUMNS = st.fixed_dictionaries(
    {},
    optional={
        "score": st.integers(0, 5) | st.sampled_from(["3", "x", "2.5"]),
        "tags": st.lists(st.sampled_from(["a", "b", "c"]), max_size=2),
    },
)


def contents(rows: list[Row]) -> list[tuple[Any, ...]]:
    return [(row["record"], row["line"], row["extra"]) for row in rows]


def said(record: Row, role: str) -> list[str]:
    return [m["content"] for m in record["messages"] if m["role"] == role]


def number_of(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


REFERENCE: list[tuple[Row, Any]] = [
    (
        {"field": "prompt", "op": "contains", "value": "a"},
        lambda r, e: any("a" in t for t in said(r, "user")),
    ),
    (
        {"field": "prompt", "op": "contains", "value": "A", "ignore_case": True},
        lambda r, e: any("a" in t.lower() for t in said(r, "user")),
    ),
    (
        {"field": "text", "op": "not_contains", "value": "b"},
        lambda r, e: not any("b" in m["content"] for m in r["messages"]),
    ),
    (
        {"field": "answer", "op": "matches", "value": "^[ab]+$"},
        lambda r, e: any(re.search(r"\A[ab]+\Z", t) for t in said(r, "assistant")),
    ),
    ({"field": "system", "op": "missing"}, lambda r, e: not said(r, "system")),
    ({"field": "system", "op": "present"}, lambda r, e: bool(said(r, "system"))),
    ({"field": "turns", "op": "at_least", "value": 3}, lambda r, e: len(r["messages"]) >= 3),
    (
        {"field": "characters", "op": "at_most", "value": 9},
        lambda r, e: sum(len(m["content"]) for m in r["messages"]) <= 9,
    ),
    (
        {"field": "extra.score", "op": "at_least", "value": 2.5},
        lambda r, e: (number_of(e.get("score")) or -1) >= 2.5,
    ),
    (
        {"field": "extra.score", "op": "equals", "value": 3},
        lambda r, e: e.get("score") in (3, "3"),
    ),
    (
        {"field": "extra.tags", "op": "one_of", "value": ["a", "c"]},
        lambda r, e: bool({"a", "c"} & set(e.get("tags", []))),
    ),
    (
        {"field": "extra.tags", "op": "not_equals", "value": "b"},
        lambda r, e: "b" not in e.get("tags", []),
    ),
]


@FREE
@given(
    records=TALKS,
    data=st.data(),
    chosen=st.lists(st.sampled_from(REFERENCE), min_size=1, max_size=3),
    match=st.sampled_from(["all", "any"]),
    keep=st.booleans(),
)
def test_a_filter_keeps_what_its_conditions_say(
    folder: Path, records: list[Row], data: Any, chosen: Any, match: str, keep: bool
) -> None:
    extras = data.draw(st.lists(COLUMNS, min_size=len(records), max_size=len(records)))
    base = version(folder, records, extras)
    before = rows_of(base)
    judge = all if match == "all" else any
    wanted = [
        row
        for row in before
        if judge(test(row["record"], row["extra"]) for _, test in chosen) == keep
    ]
    step = {"kind": "filter", "conditions": [c for c, _ in chosen], "match": match, "keep": keep}
    if not wanted:
        with pytest.raises(Exception, match="leaves no row"):
            run(folder, base, [step])
        return
    summary, out = run(folder, base, [step])
    assert contents(rows_of(out)) == contents(wanted)
    numbers = {"rows_in": len(records), "rows_out": len(wanted), "dropped": 0}
    assert summary["steps"][0].items() >= numbers.items()
    assert summary["counts"] == {"kept": len(wanted), "repaired": 0, "truncated": 0, "dropped": 0}


@FREE
@given(size=st.integers(1, 120), rows=st.integers(1, 150), seed=st.integers(0, 2**63 - 1))
def test_a_sample_has_so_many_rows_in_their_order(
    folder: Path, size: int, rows: int, seed: int
) -> None:
    base = version(folder, [talk(f"Q{n}", "A") for n in range(size)])
    step = {"kind": "sample", "rows": rows, "seed": seed}
    _, out = run(folder, base, [step])
    lines = [row["line"] for row in rows_of(out)]
    assert len(lines) == min(rows, size)
    assert lines == sorted(set(lines))
    assert rows_of(run(folder, base, [step])[1]) == rows_of(out)


def test_a_sample_takes_every_row_as_often_as_others(folder: Path) -> None:
    base = version(folder, [talk(f"Q{n}", "A") for n in range(20)])
    taken: Counter[int] = Counter()
    for seed in range(200):
        _, out = run(folder, base, [{"kind": "sample", "fraction": 0.25, "seed": seed}])
        taken.update(row["line"] for row in rows_of(out))
    assert sum(taken.values()) == 200 * 5
    assert all(25 <= taken[line] <= 80 for line in range(1, 21)), taken


@FREE
@given(size=st.integers(1, 3000), seed=st.integers(0, 2**63 - 1))
def test_a_shuffle_keeps_every_row(folder: Path, size: int, seed: int) -> None:
    base = version(folder, [talk(f"Q{n}", "A") for n in range(size)])
    step = {"kind": "shuffle", "seed": seed}
    _, out = run(folder, base, [step])
    found = rows_of(out)
    assert sorted(row["line"] for row in found) == list(range(1, size + 1))
    assert all(said(row["record"], "user") == [f"Q{row['line'] - 1}"] for row in found)
    assert size < 20 or [row["line"] for row in found] != list(range(1, size + 1))


def test_another_seed_is_another_order(folder: Path) -> None:
    base = version(folder, [talk(f"Q{n}", "A") for n in range(50)])
    orders = [
        [row["line"] for row in rows_of(run(folder, base, [{"kind": "shuffle", "seed": s}])[1])]
        for s in (0, 1)
    ]
    assert orders[0] != orders[1]


def test_rows_of_others_come_behind(folder: Path) -> None:
    base = version(folder, [talk(f"Q{n}", "A") for n in range(5)], [{"x": n} for n in range(5)])
    other = version(folder, [talk(f"X{n}", "B") for n in range(3)])
    step = {"kind": "concatenate", "sources": [source(), source()]}
    _, out = run(folder, base, [step], sources=[other, base])
    assert contents(rows_of(out)) == contents([*rows_of(base), *rows_of(other), *rows_of(base)])


@FREE
@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=4),
    data=st.data(),
    rows=st.none() | st.integers(1, 60),
    repeat=st.booleans(),
)
def test_a_mixture_has_the_shares_of_its_weights(
    folder: Path, sizes: list[int], data: Any, rows: int | None, repeat: bool
) -> None:
    weights = data.draw(
        st.lists(st.sampled_from([0.5, 1, 2, 3]), min_size=len(sizes), max_size=len(sizes))
    )
    made = [
        version(folder, [talk(f"{which}:{n}", "A") for n in range(size)])
        for which, size in enumerate(sizes)
    ]
    step: Row = {
        "kind": "mix",
        "weight": weights[0],
        "sources": [source(w) for w in weights[1:]],
        "repeat": repeat,
    }
    if rows is not None:
        step["rows"] = rows
    shared = [weight / sum(weights) for weight in weights]
    reach = [size / share for size, share in zip(sizes, shared, strict=True)]
    if repeat:
        total = rows if rows is not None else -(-round(max(reach) * 1000) // 1000)
    else:
        total = min(int(min(reach) + 1e-9), rows if rows is not None else 10**9)
    if total == 0:
        with pytest.raises(Exception, match="leaves no row"):
            run(folder, made[0], [step], sources=made[1:])
        return
    summary, out = run(folder, made[0], [step], sources=made[1:])
    taken = Counter(said(row["record"], "user")[0] for row in rows_of(out))
    counts = [sum(taken[f"{w}:{n}"] for n in range(size)) for w, size in enumerate(sizes)]
    assert sum(counts) == total
    assert summary["steps"][0]["rows_taken"] == counts
    for which, (size, count, share) in enumerate(zip(sizes, counts, shared, strict=True)):
        assert abs(count - share * total) < 1
        times = [taken[f"{which}:{n}"] for n in range(size)]
        assert max(times) - min(times) <= 1  # each row as often as the others
        assert repeat or max(times) <= 1


@given(
    total=st.integers(0, 10_000),
    parts=st.lists(st.integers(1, 50), min_size=1, max_size=6),
)
def test_rows_are_shared_out_exactly(total: int, parts: list[int]) -> None:
    fractions = shares.of_weights([float(part) for part in parts])
    found = shares.largest_remainder(total, fractions)
    assert sum(found) == total
    assert all(abs(n - f * total) < 1 for n, f in zip(found, fractions, strict=True))


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=30),
    parts=st.lists(st.integers(1, 50), min_size=1, max_size=4),
)
def test_classes_and_parts_both_add_up(sizes: list[int], parts: list[int]) -> None:
    fractions = shares.of_weights([float(part) for part in parts])
    found = shares.in_classes(sizes, fractions)
    assert [sum(row) for row in found] == sizes
    wanted = shares.largest_remainder(sum(sizes), fractions)
    assert [sum(column) for column in zip(*found, strict=True)] == wanted
    assert all(
        n >= int(f * size)
        for size, row in zip(sizes, found, strict=True)
        for n, f in zip(row, fractions, strict=True)
    )


def test_rows_that_are_named_are_left_out_wherever_they_have_gone(folder: Path) -> None:
    base = version(folder, [talk(f"Q{n}", "A") for n in range(2000)])
    random.seed(1)
    out_rows = random.sample(range(2000), 700)
    steps = [{"kind": "shuffle", "seed": 3}, {"kind": "exclude", "rows": out_rows}]
    _, out = run(folder, base, steps)
    assert {row["line"] - 1 for row in rows_of(out)} == set(range(2000)) - set(out_rows)
