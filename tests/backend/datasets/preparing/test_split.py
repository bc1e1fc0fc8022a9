"""Divided versions: exact shares, nothing that belongs together apart, and the same every time."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.datasets.preparing.stream import NotPossible
from tests.backend.datasets.preparing.made import Row, rows_of, run, source, talk, version

FREE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def split(**more: Any) -> Row:
    return {"kind": "split", "fractions": {"validation": 0.2, "test": 0.1}, **more}


def parts_of(rows: list[Row]) -> dict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["split"]].append(row)
    return found


@FREE
@given(size=st.integers(10, 300), seed=st.integers(0, 2**63 - 1))
def test_shares_are_exact_and_rows_stay_where_they_are(folder: Path, size: int, seed: int) -> None:
    base = version(folder, [talk(f"Q{n}", "A") for n in range(size)])
    summary, out = run(folder, base, [split(seed=seed)])
    found = rows_of(out)
    assert [row["line"] for row in found] == list(range(1, size + 1))
    counts = Counter(row["split"] for row in found)
    for name, share in {"train": 0.7, "validation": 0.2, "test": 0.1}.items():
        assert abs(counts[name] - share * size) < 1
    assert {n: f["num_rows"] for n, f in summary["splits"].items()} == counts
    assert summary["num_rows"] == size
    again = rows_of(run(folder, base, [split(seed=seed)])[1])
    assert [row["split"] for row in again] == [row["split"] for row in found]


@FREE
@given(st.lists(st.integers(0, 15), min_size=20, max_size=200), st.integers(0, 99))
def test_rows_that_say_the_same_stay_together(folder: Path, which: list[int], seed: int) -> None:
    base = version(folder, [talk(f"Q{n}", "A") for n in which])
    try:
        _, out = run(folder, base, [split(seed=seed)])
    except NotPossible:
        assert len(set(which)) < 20  # few and large: a part may get none
        return
    homes = defaultdict(set)
    for row in rows_of(out):
        homes[row["record"]["messages"][0]["content"]].add(row["split"])
    assert all(len(parts) == 1 for parts in homes.values())


def test_duplicates_may_be_divided_when_that_is_wanted(folder: Path) -> None:
    base = version(folder, [talk("Q", "A")] * 10)
    summary, _ = run(folder, base, [split(keep_duplicates_together=False)])
    assert {n: f["num_rows"] for n, f in summary["splits"].items()} == {
        "train": 7,
        "validation": 2,
        "test": 1,
    }


def test_shares_are_exact_beside_duplicates(folder: Path) -> None:
    base = version(folder, [talk(f"Q{n // 3 if n < 90 else n}", "A") for n in range(200)])
    summary, _ = run(folder, base, [split()])
    numbers = {n: f["num_rows"] for n, f in summary["splits"].items()}
    assert numbers == {"train": 140, "validation": 40, "test": 20}


@FREE
@given(st.lists(st.sampled_from("aaaaabbbc"), min_size=30, max_size=200), st.integers(0, 99))
def test_classes_keep_their_shares(folder: Path, labels: list[str], seed: int) -> None:
    records = [{"text": f"T{n}", "label": label} for n, label in enumerate(labels)]
    base = version(folder, records)
    step = split(by="stratified", field="label", seed=seed)
    summary, out = run(folder, base, [step], "classification")
    sizes = Counter(labels)
    counts = Counter((row["record"]["label"], row["split"]) for row in rows_of(out))
    for label, size in sizes.items():
        for name, share in {"train": 0.7, "validation": 0.2, "test": 0.1}.items():
            assert abs(counts[label, name] - share * size) < 2
    total = {n: f["num_rows"] for n, f in summary["splits"].items()}
    for name, share in {"train": 0.7, "validation": 0.2, "test": 0.1}.items():
        assert abs(total[name] - share * len(labels)) < 1
    did = summary["steps"][0]
    alone = sorted(label for label, size in sizes.items() if size == 1)
    assert (did["classes"], did["classes_with_one_row"]) == (len(sizes), len(alone))
    assert sorted(did["classes_with_one_row_named"]) == alone


def test_a_class_that_is_rare_everywhere_is_not_only_trained_on(folder: Path) -> None:
    """Twenty classes of three rows: a tenth of each is less than a row, of all it is six."""
    records = [{"text": f"T{n}", "label": f"L{n // 3}"} for n in range(60)]
    base = version(folder, records)
    step = {"kind": "split", "by": "stratified", "field": "label", "fractions": {"test": 0.1}}
    summary, out = run(folder, base, [step], "classification")
    assert summary["splits"]["test"]["num_rows"] == 6
    labels = [row["record"]["label"] for row in parts_of(rows_of(out))["test"]]
    assert len(set(labels)) == 6


@FREE
@given(
    st.lists(st.integers(0, 30) | st.none(), min_size=40, max_size=150),
    st.integers(0, 99),
    st.booleans(),
)
def test_a_group_is_never_divided(
    folder: Path, groups: list[int | None], seed: int, together: bool
) -> None:
    records = [talk(f"Q{n % 50}", "A") for n in range(len(groups))]
    extras = [{} if group is None else {"user": group} for group in groups]
    base = version(folder, records, extras)
    step = split(by="group", field="extra.user", seed=seed, keep_duplicates_together=together)
    try:
        summary, out = run(folder, base, [step])
    except NotPossible:
        assert len(set(groups) - {None}) < 20  # few and large: a part may get none
        return
    homes = defaultdict(set)
    for row in rows_of(out):
        if "user" in row["extra"]:
            homes["user", row["extra"]["user"]].add(row["split"])
        if together:
            homes["said", row["record"]["messages"][0]["content"]].add(row["split"])
    assert all(len(parts) == 1 for parts in homes.values())
    assert summary["steps"][0]["rows_without_group"] == groups.count(None)


@FREE
@given(st.lists(st.integers(-(10**6), 10**6), min_size=20, max_size=100), st.booleans())
def test_the_latest_rows_come_last(folder: Path, times: list[int], as_dates: bool) -> None:
    records = [talk(f"Q{n}", "A") for n in range(len(times))]
    extras = [
        {"at": f"20{abs(t) % 90 + 10}-0{abs(t) % 9 + 1}-1{abs(t) % 9}T10:00:00Z" if as_dates else t}
        for t in times
    ]
    base = version(folder, records, extras)
    step = split(by="time", field="extra.at")
    summary, out = run(folder, base, [step])
    assert summary["steps"][0]["order"] == ["train", "validation", "test"]
    found = parts_of(rows_of(out))
    moments = {name: [row["extra"]["at"] for row in rows] for name, rows in found.items()}
    assert max(moments["train"]) <= min(moments["validation"])
    assert max(moments["validation"]) <= min(moments["test"])
    assert abs(len(moments["test"]) - len(times) / 10) < 1


@pytest.mark.parametrize("value", ["soon", None, True, [1], "nan", "1e999"])
def test_a_row_without_a_time_is_named(folder: Path, value: Any) -> None:
    base = version(
        folder, [talk(f"Q{n}", "A") for n in range(30)], [{"at": 1}] * 20 + [{"at": value}] * 10
    )
    with pytest.raises(NotPossible, match=r"\(row 21\)") as caught:
        run(folder, base, [split(by="time", field="extra.at")])
    shown = value if isinstance(value, str) else orjson.dumps(value).decode()
    assert caught.value.code == "no_time"
    assert caught.value.params == {"field": "extra.at", "value": shown, "row": 21}


def test_a_row_of_another_data_set_without_a_time_has_no_number(folder: Path) -> None:
    base = version(folder, [talk("Q", "A")] * 20, [{"at": 1}] * 20)
    other = version(folder, [talk("R", "B")], [{"at": "soon"}])
    steps = [{"kind": "concatenate", "sources": [source()]}, split(by="time", field="extra.at")]
    with pytest.raises(NotPossible, match="a row that was added") as caught:
        run(folder, base, steps, sources=[other])
    assert caught.value.code == "no_time_added"


def test_a_part_without_rows_is_refused(folder: Path) -> None:
    base = version(folder, [talk(f"Q{n}", "A") for n in range(3)])
    with pytest.raises(NotPossible, match="“test” would have no row"):
        run(folder, base, [{"kind": "split", "fractions": {"test": 0.01}}])


def test_too_many_classes_are_refused(folder: Path) -> None:
    base = version(folder, [{"text": f"T{n}", "label": f"L{n}"} for n in range(10_001)])
    with pytest.raises(NotPossible, match="more than 10000 different values"):
        run(folder, base, [split(by="stratified", field="label")], "classification")


@pytest.mark.parametrize("by", ["random", "stratified", "group", "time"])
def test_nothing_can_be_divided_after_everything_is_gone(folder: Path, by: str) -> None:
    base = version(folder, [talk("Q", "A")])
    nothing = {"kind": "filter", "conditions": [{"field": "label", "op": "present"}]}
    field = {} if by == "random" else {"field": "extra.x"}
    with pytest.raises(NotPossible, match=r"Step 1 \(filter\) leaves no row"):
        run(folder, base, [nothing, split(by=by, **field)])


def test_a_mixture_does_not_fill_the_disk(folder: Path) -> None:
    base = version(folder, [talk("Q", "A")] * 5)
    step = {"kind": "mix", "weight": 1, "repeat": True}
    step["sources"] = [{**source(), "weight": 1e-9}]
    with pytest.raises(NotPossible, match="would have 5000000005 rows"):
        run(folder, base, [step], sources=[base])
