"""Versions made for a test, and sentences that have nothing in common."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backend.datasets.versions.records import RecordWriter

SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "or", "ist")]
SIGNS = [chr(code) for code in range(0x4E00, 0x5200)]


def version(folder: Path, records: Iterable[dict[str, Any]]) -> Path:
    """A version folder with these records, each with its line."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = RecordWriter(folder)
    for line, record in enumerate(records, 1):
        writer.append({**record, "meta": {"line": line}})
    writer.close()
    return folder


def asked(prompt: str, answer: str) -> dict[str, Any]:
    """A conversation of one question and one answer."""
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return {"messages": turns}


def words(dice: random.Random, count: int) -> list[str]:
    """Words of a large vocabulary."""
    return ["".join(dice.choices(SYLLABLES, k=dice.randint(1, 4))) for _ in range(count)]


def edited(dice: random.Random, tokens: list[str], share: float, others: list[str]) -> list[str]:
    """The tokens with a share of them replaced."""
    changed = list(tokens)
    for place in dice.sample(range(len(tokens)), max(1, round(share * len(tokens)))):
        changed[place] = dice.choice(others) + dice.choice(others)
    return changed


def found_in(result: dict[str, Any]) -> dict[str, int]:
    """Finding → rows."""
    return {finding["name"]: finding["rows"] for finding in result["findings"]}
