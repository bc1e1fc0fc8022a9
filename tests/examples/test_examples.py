"""The example data sets: enough of it, well-formed, varied."""

import csv
import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NEAR_DUPLICATE_JACCARD = 0.7
MAX_NEAR_DUPLICATE_SHARE = 0.02


def conversations() -> list[list[dict[str, str]]]:
    lines = (EXAMPLES / "customer-service.jsonl").read_text().splitlines()
    return [json.loads(line)["messages"] for line in lines]


def sentiment() -> list[dict[str, str]]:
    with (EXAMPLES / "sentiment.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def preferences() -> list[dict[str, str]]:
    lines = (EXAMPLES / "preferences.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def translation() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads((EXAMPLES / "translation.json").read_text())
    return rows


def questions() -> list[dict[str, str]]:
    lines = (EXAMPLES / "domain-qa.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def texts_of(name: str) -> list[str]:
    if name == "customer-service":
        return [
            " ".join(m["content"] for m in messages if m["role"] != "system")
            for messages in conversations()
        ]
    if name == "sentiment":
        return [row["text"] for row in sentiment()]
    if name == "preferences":
        return [row["prompt"] + " " + row["chosen"] for row in preferences()]
    if name == "translation":
        return [row["input"] + " " + row["output"] for row in translation()]
    return [row["instruction"] + " " + row["output"] for row in questions()]


def shingles(text: str, size: int = 5) -> frozenset[str]:
    text = " ".join(text.lower().split())
    return frozenset(text[i : i + size] for i in range(max(1, len(text) - size + 1)))


def test_customer_service_is_bilingual_and_partly_multi_turn() -> None:
    rows = conversations()
    assert len(rows) >= 200
    chinese = [r for r in rows if any("\u4e00" <= c <= "\u9fff" for c in r[-1]["content"])]
    assert len(chinese) >= 60
    assert len(rows) - len(chinese) >= 100
    assert sum(len([m for m in r if m["role"] == "user"]) > 1 for r in rows) >= 40
    for messages in rows:
        roles = [m["role"] for m in messages if m["role"] != "system"]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert all(m["content"].strip() for m in messages)


def test_sentiment_is_balanced() -> None:
    labels = Counter(row["label"] for row in sentiment())
    assert set(labels) == {"positive", "neutral", "negative"}
    assert sum(labels.values()) >= 1000
    assert min(labels.values()) / max(labels.values()) > 0.8


def test_preferences_are_of_either_length() -> None:
    rows = preferences()
    assert len(rows) >= 60
    assert all(row["chosen"] != row["rejected"] for row in rows)
    # Else length alone would be learnt.
    longer = sum(len(row["chosen"]) > len(row["rejected"]) for row in rows)
    assert 0.2 < longer / len(rows) < 0.8


def test_translation_goes_both_ways() -> None:
    rows = translation()
    assert len(rows) >= 200
    to_english = [r for r in rows if any("\u4e00" <= c <= "\u9fff" for c in r["input"])]
    assert 50 < len(to_english) < len(rows)


def test_domain_questions_are_answered() -> None:
    rows = questions()
    assert len(rows) >= 150
    assert all(row["instruction"].strip() and row["output"].strip() for row in rows)


@pytest.mark.parametrize(
    "name", ["customer-service", "sentiment", "preferences", "translation", "domain-qa"]
)
def test_rows_differ(name: str) -> None:
    rows = [shingles(text) for text in texts_of(name)]
    alike = {
        j
        for (_, a), (j, b) in combinations(enumerate(rows), 2)
        # What both have is at most the shorter one: most pairs need no more than their lengths.
        if min(len(a), len(b)) >= NEAR_DUPLICATE_JACCARD * max(len(a), len(b))
        and len(a & b) >= NEAR_DUPLICATE_JACCARD * len(a | b)
    }
    assert len(alike) / len(rows) < MAX_NEAR_DUPLICATE_SHARE
