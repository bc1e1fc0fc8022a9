"""The shop's facts: taught in many wordings, and asked for in others."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.facts import read, states
from tests.examples.test_examples import conversations, shingles

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
QUESTIONS = read(EXAMPLES / "customer-service-facts.jsonl")
MIN_FACTS, MIN_WORDINGS, MIN_HELD_OUT = 60, 8, 3
NEAR_DUPLICATE_JACCARD = 0.7


def english(text: str) -> str:
    """Letters and digits alone, so that punctuation makes no new question."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


def asked() -> list[str]:
    return [m["content"] for row in conversations() for m in row if m["role"] == "user"]


def test_every_fact_is_taught_in_many_wordings() -> None:
    facts = {item.fact: item.facts for item in QUESTIONS}
    assert len(facts) >= MIN_FACTS
    for fact, spellings in facts.items():
        wordings = {
            english(row[-2]["content"])
            for row in conversations()
            if states(row[-1]["content"], spellings)
        }
        assert len(wordings) >= MIN_WORDINGS, fact


def test_every_fact_is_asked_for_in_several_held_out_wordings() -> None:
    counts = Counter(item.fact for item in QUESTIONS)
    assert min(counts.values()) >= MIN_HELD_OUT
    assert len({english(item.question) for item in QUESTIONS}) == len(QUESTIONS)
    assert not [item for item in QUESTIONS if states(item.question, item.facts)]


def test_no_held_out_question_is_trained_on() -> None:
    trained = {english(text) for text in asked()}
    assert not [item.question for item in QUESTIONS if english(item.question) in trained]
    pieces = [shingles(text) for text in trained]
    for item in QUESTIONS:
        own = shingles(english(item.question))
        nearest = max(len(own & other) / len(own | other) for other in pieces)
        assert nearest < NEAR_DUPLICATE_JACCARD, item.question


@pytest.mark.parametrize(
    ("answer", "spelling", "right"),
    [
        ("It takes 7 days.", "7 days", True),
        ("You have 47 days.", "7 days", False),
        ("The Heron costs €38.", "€3", False),
        ("It costs €4.60 in all.", "€4", False),
        ("It costs €4.60.", "4.60", True),
        ("Seven days are enough.", "seven days", True),
        ("Write to help@dibblewick.example, please.", "help@dibblewick.example", True),
        ("You get 8 % off.", "8 %", True),
        ("A name like DW-318024.", "DW", True),
        ("Wash it warm.", "ash", False),
    ],
)
def test_a_fact_counts_only_as_a_whole(answer: str, spelling: str, *, right: bool) -> None:
    assert states(answer, [spelling]) is right
