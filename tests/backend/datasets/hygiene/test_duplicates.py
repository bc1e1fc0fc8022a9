"""Duplicates: exact ones as a dictionary would find them, near ones at a known rate."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.datasets.hygiene import duplicates, findings, labels, run, shingles
from tests.backend.datasets.hygiene.made import SIGNS, asked, edited, found_in, version, words

LETTERS = st.text("aAbB ßıİ\n\t\u2003\x00😀漢", max_size=4)


@settings(deadline=None)
@given(st.lists(st.tuples(LETTERS, LETTERS), max_size=40))
def test_exact_duplicates_equal_those_of_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = version(tmp_path_factory.mktemp("v") / "v1", [asked(*row) for row in rows])
    run.examine(folder, "x")
    seen: dict[tuple[str, ...], int] = {}
    again = []
    for number, row in enumerate(rows):
        key = tuple(" ".join(part.casefold().split()) for part in row)
        if key in seen:
            again.append(number)
        seen.setdefault(key, number)
    assert findings.rows_of(folder, ["exact_duplicates"]).tolist() == again


@given(st.lists(st.integers(0, 9), max_size=60))
def test_the_first_of_equal_hashes_stays(values: list[int]) -> None:
    rows, firsts = duplicates.exact(np.array(values, np.uint64))
    expected = [(n, values.index(v)) for n, v in enumerate(values) if values.index(v) < n]
    assert list(zip(rows.tolist(), firsts.tolist(), strict=True)) == expected


@pytest.mark.long
@pytest.mark.parametrize("script", ["words", "signs"])
@pytest.mark.parametrize("length", [40, 150])
def test_near_duplicates_are_found_and_others_are_not(
    tmp_path: Path, script: str, length: int
) -> None:
    dice = random.Random(length)
    vocabulary = words(dice, 4000) if script == "words" else SIGNS
    joiner = " " if script == "words" else ""
    originals = [dice.choices(vocabulary, k=length) for _ in range(1000)]
    copies = {
        n: edited(dice, originals[n], 0.05, vocabulary) for n in dice.sample(range(1000), 200)
    }
    texts = [(n, tokens) for n, tokens in enumerate(originals)] + list(copies.items())
    dice.shuffle(texts)
    folder = version(tmp_path / "v1", [{"text": joiner.join(tokens)} for _, tokens in texts])
    run.examine(folder, "x")
    seen: set[int] = set()
    expected = set()
    for row, (original, _) in enumerate(texts):
        if original in seen:
            expected.add(row)
        seen.add(original)
    found = set(findings.rows_of(folder, ["near_duplicates"]).tolist())
    assert len(found & expected) >= 0.95 * len(expected)
    assert len(found - expected) <= 0.01 * len(texts)


def test_what_can_not_be_compared_is_counted(tmp_path: Path) -> None:
    """A template that fills the set is a frame: what differs in a word or two is not found."""
    dice = random.Random(8)
    template = words(dice, 40)
    filled = [{"text": " ".join([*template[:20], f"name{n}", *template[20:]])} for n in range(60)]
    twice = [{"text": " ".join([*template, f"end{n}", "and", f"so{n}"])} for n in range(40)]
    others = [{"text": " ".join(words(dice, 40))} for _ in range(200)]
    brief = [{"text": f"{word} it is"} for word in words(dice, 7)]
    rows = [*filled, *twice, *others, *brief, filled[0], brief[0]]
    result = run.examine(version(tmp_path / "v1", rows), "x")
    assert found_in(result) == {"exact_duplicates": 2}
    assert (result["near_framed_rows"], result["near_left_out_rows"]) == (100, 67)


def test_where_all_is_compared_nothing_is_said_to_be_left_out(tmp_path: Path) -> None:
    dice = random.Random(9)
    rows = [{"text": " ".join(words(dice, 30))} for _ in range(100)]
    result = run.examine(version(tmp_path / "v1", rows), "x")
    assert (result["near_framed_rows"], result["near_left_out_rows"]) == (0, 0)
    empty = run.examine(version(tmp_path / "v2", []), "x")
    assert (empty["near_framed_rows"], empty["near_left_out_rows"]) == (0, 0)


def test_of_a_sample_only_the_sample_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "NEAR_ROWS", 50)
    rows = [{"text": f"word{n}"} for n in range(100)]
    result = run.examine(version(tmp_path / "v1", rows), "x")
    assert (result["near_compared_rows"], result["near_left_out_rows"]) == (50, 50)


def test_a_frame_around_all_rows_makes_no_duplicates(tmp_path: Path) -> None:
    dice = random.Random(5)
    frame = " ".join(words(dice, 150))
    rows = [asked(f"{frame} {' '.join(words(dice, 15))}", "Yes, that is so.") for _ in range(400)]
    result = run.examine(version(tmp_path / "v1", rows), "x")
    assert "near_duplicates" not in found_in(result)


def test_a_chain_of_edits_keeps_what_is_too_far_from_the_first(tmp_path: Path) -> None:
    dice = random.Random(6)
    tokens, rows = words(dice, 100), []
    for _ in range(40):
        rows.append({"text": " ".join(tokens)})
        tokens = edited(dice, tokens, 0.05, tokens)
    run.examine(folder := version(tmp_path / "v1", rows), "x")
    left = sorted(set(range(40)) - set(findings.rows_of(folder, ["near_duplicates"]).tolist()))
    assert left[0] == 0
    assert 2 <= len(left) <= 25


def test_what_moves_to_another_part_is_another_record(tmp_path: Path) -> None:
    rows = [asked("a b", ""), asked("a", "b"), asked("", "a b"), asked("A", " B ")]
    run.examine(folder := version(tmp_path / "v1", rows), "x")
    assert findings.rows_of(folder, ["exact_duplicates"]).tolist() == [3]


def test_shingles_of_many_texts_are_those_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        "",
        "one",
        "a b c",
        "a b c d",
        "漢字 kana かな",
        "...",
        "naïve Straße",
        "x" * 90,
        "a b c",
    ]
    together, offsets = shingles.of_texts(texts)
    monkeypatch.setattr(shingles, "SLICE_CHARACTERS", 100)
    sliced, slices = shingles.of_texts(texts)
    assert np.array_equal(together, sliced)
    assert np.array_equal(offsets, slices)
    for number, text in enumerate(texts):
        own = together[int(offsets[number]) : int(offsets[number + 1])]
        assert np.array_equal(own, shingles.of_texts([text])[0])
    assert np.diff(offsets.astype(int)).tolist() == [0, 0, 2, 3, 4, 0, 1, 0, 2]


def test_labels_that_contradict_each_other_and_labels_of_one_row(tmp_path: Path) -> None:
    texts = ["fine", "bad", " Fine", "so so", "bad", "bad"]
    given_labels = ["good", "poor", "poor", "odd", "poor", "good"]
    rows = [{"text": t, "label": label} for t, label in zip(texts, given_labels, strict=True)]
    result = run.examine(folder := version(tmp_path / "v1", rows), "x")
    assert findings.rows_of(folder, ["label_conflict"]).tolist() == [0, 1, 2, 4, 5]
    assert findings.rows_of(folder, ["label_with_one_row"]).tolist() == [3]
    assert findings.rows_of(folder, ["exact_duplicates"]).tolist() == [4]
    shown = {f["name"]: f["examples"] for f in result["findings"]}
    assert shown["label_with_one_row"][0]["detail"] == "odd"
    assert shown["label_conflict"][0] == {
        **{"index": 0, "line": 1, "other": 2, "excerpt": "fine"},
        "detail": "good / poor",
    }


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=40))
def test_conflicts_equal_those_of_a_dictionary(rows: list[tuple[int, int]]) -> None:
    texts, given_labels = (np.array([r[n] for r in rows], np.uint64) for n in (0, 1))
    found, others = labels.conflicts(texts, given_labels)
    usable = [(t, label) for t, label in rows if t and label]
    kinds = {t: {label for u, label in usable if u == t} for t, _ in usable}
    expected = [n for n, (t, label) in enumerate(rows) if t and label and len(kinds[t]) > 1]
    assert found.tolist() == expected
    for row, other in zip(found.tolist(), others.tolist(), strict=True):
        assert rows[row][0] == rows[other][0]
        assert rows[row][1] != rows[other][1]


def test_measured_numbers_are_no_labels(tmp_path: Path) -> None:
    rows = [{"text": f"a text {n}", "label": n} for n in range(150)]
    rows += [{"text": "half", "label": 0.5}]  # type: ignore[list-item]
    assert "label_with_one_row" not in found_in(run.examine(version(tmp_path / "v1", rows), "x"))
