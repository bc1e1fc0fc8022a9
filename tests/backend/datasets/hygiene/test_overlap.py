"""What two versions share, at a known rate."""

import random
from pathlib import Path

import pytest

from backend.datasets.hygiene import overlap, run
from backend.datasets.hygiene.findings import NotExamined
from backend.datasets.hygiene.overlap import Part
from tests.backend.datasets.hygiene.made import asked, edited, version, words


def test_exact_near_and_same_prompt_at_a_known_rate(tmp_path: Path) -> None:
    dice = random.Random(1)
    vocabulary = words(dice, 3000)

    def text(count: int) -> list[str]:
        return dice.choices(vocabulary, k=count)

    training = [(text(30), text(60)) for _ in range(2000)]
    rows = [asked(" ".join(q), " ".join(a)) for q, a in training]
    exact = [asked(" ".join(q).upper(), "  ".join(a)) for q, a in training[:50]]
    near = [
        asked(
            " ".join(edited(dice, q, 0.05, vocabulary)), " ".join(edited(dice, a, 0.05, vocabulary))
        )
        for q, a in training[100:160]
    ]
    same = [asked(" ".join(q), " ".join(text(60))) for q, _ in training[200:230]]
    fresh = [asked(" ".join(text(30)), " ".join(text(60))) for _ in range(400)]
    ours = version(tmp_path / "a", [*exact, *near, *same, *fresh])
    theirs = version(tmp_path / "b", rows)
    for folder in (ours, theirs):
        run.examine(folder, "x")
    found = overlap.of_versions(Part(ours), Part(theirs))
    assert (found["exact"], found["same_prompt"], found["rows"]) == (50, 30, 540)
    assert 57 <= found["near"] <= 63
    kinds = {example["kind"]: example for example in found["examples"]}
    assert kinds["exact"]["index"] == kinds["exact"]["other"]
    assert kinds["near"]["other"] == kinds["near"]["index"] + 50
    assert kinds["same_prompt"]["line"] == kinds["same_prompt"]["index"] + 1
    assert len(found["examples"]) <= overlap.MAX_EXAMPLES
    again = overlap.of_versions(Part(theirs), Part(theirs))
    assert (again["exact"], again["near"], again["same_prompt"]) == (2000, 0, 0)


def test_with_nothing_and_with_what_was_not_examined(tmp_path: Path) -> None:
    empty, some = version(tmp_path / "a", []), version(tmp_path / "b", [asked("a", "b")])
    for ours, theirs in ((empty, some), (some, empty)):
        with pytest.raises(NotExamined):
            overlap.of_versions(Part(ours), Part(theirs))
    run.examine(empty, "x")
    run.examine(some, "x")
    nothing = {"exact": 0, "near": 0, "same_prompt": 0, "examples": []}
    assert overlap.of_versions(Part(empty), Part(some)) == {**nothing, "rows": 0}
    assert overlap.of_versions(Part(some), Part(empty)) == {**nothing, "rows": 1}


def test_plain_texts_have_no_prompt_to_share(tmp_path: Path) -> None:
    for name, rows in (("a", ["one two three"]), ("b", ["four five six", ""])):
        run.examine(version(tmp_path / name, [{"text": text} for text in rows]), "x")
    found = overlap.of_versions(Part(tmp_path / "a"), Part(tmp_path / "b"))
    assert (found["exact"], found["near"], found["same_prompt"]) == (0, 0, 0)
