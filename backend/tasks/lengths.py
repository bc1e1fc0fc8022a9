"""How many tokens a row has, guessed from its words: the API process holds no tokenizer.

Rows are sampled evenly over the data set. What a word is worth was fitted to tokenizers of the
byte-pair kind on English, Chinese, code and tool calls: within 9 % on each of twelve data sets.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import pstdev
from typing import Any

from backend.datasets.pages import rows

WINDOWS, ROWS_PER_WINDOW = 16, 16
# A word up to so many letters is one token, longer ones a little more for each letter beyond.
WHOLE_WORD, PER_LETTER = 5, 0.1
PER_FOREIGN_LETTER = 0.5  # letters outside ASCII of scripts that are written in words
WIDE_TOKENS = {True: 0.75, False: 1.75}  # per East Asian sign, by whether the vocabulary is large
SHORT_SIGNS, PER_SIGN = 2, 0.5
LARGE_VOCABULARY = 100_000
TURN_TOKENS = 5
# What the template itself says; more where it speaks for a system message that is not there.
TEMPLATE_TOKENS = 20
WIDE_FROM = "\u2e80"
WIDE_SHARE = 0.2
_PIECES = re.compile(
    r"(?P<wide>[\u2e80-\uffef]+)|(?P<word>[^\W\d_]+)|\d|(?P<signs>[^\w\s]+)|[\s_]+"
)


@dataclass(frozen=True)
class Samples:
    """What the rows become: samples per row, and the tokens of a sample."""

    per_row: float
    mean: float
    spread: float


@dataclass(frozen=True)
class Lengths:
    """Tokens of the sampled texts that are trained on; a row with two answers holds two texts.

    `wide_share` is the share of letters of East Asian scripts, 0–1.
    """

    tokens: tuple[float, ...]
    wide_share: float

    @property
    def mean_tokens(self) -> float:
        """Per text, whole."""
        return sum(self.tokens) / max(1, len(self.tokens))

    @property
    def longest_tokens(self) -> int:
        """Of the longest sampled text."""
        return round(max(self.tokens, default=0))

    def samples(self, most: int, *, in_pieces: bool) -> Samples:
        """When what lies beyond `most` tokens is cut off, or goes on in samples of its own."""
        found = [min(each, most) for each in self.tokens]
        if in_pieces:
            for each in self.tokens:
                whole, rest = divmod(max(0.0, each - most), most)
                found += [float(most)] * int(whole) + ([rest] if rest else [])
        return Samples(
            per_row=len(found) / max(1, len(self.tokens)),
            mean=sum(found) / max(1, len(found)),
            spread=pstdev(found) if found else 0.0,
        )


def lengths_of(folder: Path, num_rows: int, vocabulary: int) -> Lengths:
    """Guess from a sample of a version's records; blocks on files."""
    per_wide = WIDE_TOKENS[vocabulary >= LARGE_VOCABULARY]
    tokens: list[float] = []
    letters = wide_letters = 0
    for texts in _sample(folder, num_rows):
        plain = len(texts) == 1
        framed = 0 if plain else TURN_TOKENS * len(texts) + TEMPLATE_TOKENS
        tokens.append(framed + sum(count_tokens(text, per_wide) for text in texts))
        wide_letters += sum(1 for text in texts for letter in text if letter >= WIDE_FROM)
        letters += sum(map(len, texts))
    return Lengths(tuple(tokens), wide_letters / max(1, letters))


def count_tokens(text: str, per_wide: float) -> float:
    """Tokens that a byte-pair tokenizer makes of a text, about; `per_wide`: of a wide sign."""
    found = 0.0
    for piece in _PIECES.finditer(text):
        part, kind = piece.group(), piece.lastgroup
        if kind == "wide":
            found += per_wide * len(part)
        elif kind == "word":
            found += 1 + PER_LETTER * max(0, len(part) - WHOLE_WORD)
            if not part.isascii():
                found += PER_FOREIGN_LETTER * sum(letter > "\x7f" for letter in part)
        elif kind == "signs":
            found += 1 if len(part) <= SHORT_SIGNS else PER_SIGN * len(part)
        elif part != " ":  # a digit, or space that is no mere gap between words
            found += 1
    return found


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
