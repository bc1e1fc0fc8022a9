"""How many tokens a row has, guessed from its letters: the API process holds no tokenizer.

Rows are sampled evenly over the data set. A letter of a Latin script is about a quarter of a
token; one of Chinese, Japanese or Korean about one with a large vocabulary and two with a small.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.datasets.pages import rows

WINDOWS, ROWS_PER_WINDOW = 16, 16
LATIN_PER_TOKEN = 4.2
WIDE_TOKENS = {True: 0.9, False: 1.9}  # per letter, by whether the vocabulary is large
LARGE_VOCABULARY = 100_000
TURN_TOKENS = 5
TEMPLATE_TOKENS = 20
WIDE_FROM = 0x2E80
WIDE_SHARE = 0.2


@dataclass(frozen=True)
class Lengths:
    """Tokens per text that is trained on; a row with two answers holds two texts.

    `wide_share` is the share of letters of East Asian scripts, 0–1.
    """

    mean_tokens: float
    longest_tokens: int
    wide_share: float


def lengths_of(folder: Path, num_rows: int, vocabulary: int) -> Lengths:
    """Guess from a sample of a version's records; blocks on files."""
    tokens: list[float] = []
    letters = wide_letters = 0
    for texts in _sample(folder, num_rows):
        wide = sum(1 for text in texts for letter in text if ord(letter) >= WIDE_FROM)
        all_letters = sum(map(len, texts))
        per_wide = WIDE_TOKENS[vocabulary >= LARGE_VOCABULARY]
        told = (all_letters - wide) / LATIN_PER_TOKEN + wide * per_wide
        plain = len(texts) == 1
        tokens.append(told + (0 if plain else TURN_TOKENS * len(texts) + TEMPLATE_TOKENS))
        letters, wide_letters = letters + all_letters, wide_letters + wide
    if not tokens:
        return Lengths(0.0, 0, 0.0)
    return Lengths(sum(tokens) / len(tokens), round(max(tokens)), wide_letters / max(1, letters))


def _sample(folder: Path, num_rows: int) -> Iterator[list[str]]:
    step = max(ROWS_PER_WINDOW, num_rows // WINDOWS)
    for start in range(0, num_rows, step):
        for row in rows(folder, start, ROWS_PER_WINDOW)[0]:
            yield from _sequences(row.record)


def _sequences(record: dict[str, Any]) -> Iterator[list[str]]:
    """The turns of each text that a record becomes; a plain text is a single one."""
    if record.get("text"):
        yield [str(record["text"])]
        return
    asked = record.get("messages") or []
    answers = [record[name] for name in ("chosen", "rejected") if record.get(name)]
    for answer in answers or [[]]:
        yield [str(message.get("content") or "") for message in (*asked, *answer)]
