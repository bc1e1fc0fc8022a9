"""How many tokens a row has, guessed from its words: the API process holds no tokenizer.

Rows are sampled evenly over the data set. What a word is worth was fitted to tokenizers of the
byte-pair kind on English, Chinese, code and tool calls: within 9 % on each of twelve data sets.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise, takewhile
from pathlib import Path
from statistics import pstdev
from typing import Any

import orjson

from backend.datasets.versions.names import FORMER_RECORDS_FILE, SAMPLE_FILE
from backend.tasks.record_texts import Texts, texts_of
from training_engine.contract.choices import Objective
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.memory import SHORTEST_BEGINNING

MOST_ROWS = 512
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


# A turn: which one it is, and its tokens with what the template puts around it.
Turn = tuple[int, float]
# For the system message that a template speaks where a conversation has none.
_SPOKEN_BY_TEMPLATE: Turn = (0, TEMPLATE_TOKENS)


@dataclass(frozen=True)
class Samples:
    """What the rows become: samples per row, and the tokens of a sample."""

    per_row: float
    mean: float
    spread: float


@dataclass(frozen=True)
class Lengths:
    """Tokens of the sampled texts that are trained on; a row with two answers holds two texts.

    `wide_share` is the share of letters of East Asian scripts, 0–1. `turns`: of each text, where it
    is a conversation; `answers`: texts of a row. `targets`: of what a decoder writes to each text
    that an encoder reads.
    """

    tokens: tuple[float, ...]
    wide_share: float
    turns: tuple[tuple[Turn, ...], ...] = ()
    answers: int = 1
    targets: tuple[float, ...] = ()

    @property
    def mean_tokens(self) -> float:
        """Per text, whole; with its target."""
        return (sum(self.tokens) + sum(self.targets)) / max(1, len(self.tokens))

    @property
    def longest_tokens(self) -> int:
        """Of the longest sampled text, without its target."""
        return round(max(self.tokens, default=0))

    @property
    def longest_target(self) -> int:
        """Tokens of the longest sampled target; 0 where there are none."""
        return round(max(self.targets, default=0))

    def computed(self, rows_at_once: int) -> float:
        """Share of the tokens that is left where beginnings are computed once in a pass, 0–1.

        As `training_engine/data/beginnings.py` does it, tried on the sampled rows.
        """
        size = self.answers
        rows = [self.turns[i : i + size] for i in range(0, len(self.turns), size)]
        groups = math.ceil(len(rows) / max(1, rows_at_once))
        shared = 0.0
        for first in range(groups):
            texts = sorted(text for row in rows[first::groups] for text in row)
            shared += sum(_common(*pair) for pair in pairwise(texts))
        whole = sum(self.tokens)
        return 1.0 - shared / whole if whole else 1.0

    def samples(self, knobs: Hyperparameters, *, in_pieces: bool) -> Samples:
        """When what is too long is cut off, or goes on in samples of its own."""
        most = knobs.max_length
        found = [min(each, most) for each in self.tokens]
        if self.targets:
            pairs = zip(found, self.targets, strict=True)
            found = [source + min(target, knobs.max_target_length) for source, target in pairs]
        if in_pieces:
            for each in self.tokens:
                whole, rest = divmod(max(0.0, each - most), most)
                found += [float(most)] * int(whole) + ([rest] if rest else [])
        return Samples(
            per_row=len(found) / max(1, len(self.tokens)),
            mean=sum(found) / max(1, len(found)),
            spread=pstdev(found) if found else 0.0,
        )


def lengths_of(folder: Path, vocabulary: int, objective: Objective = Objective.SFT) -> Lengths:
    """Guess from a sample of a version's records; blocks on files."""
    per_wide = WIDE_TOKENS[vocabulary >= LARGE_VOCABULARY]
    found = _Counted()
    for record in _sample(folder):
        sequences = texts_of(record, objective)
        found.answers = len(sequences)
        for texts in sequences:
            found.add(texts, per_wide)
    return Lengths(
        tokens=tuple(found.tokens),
        wide_share=found.wide_letters / max(1, found.letters),
        turns=tuple(found.turns),
        answers=found.answers,
        targets=tuple(found.targets),
    )


@dataclass
class _Counted:
    """What has been counted so far."""

    tokens: list[float] = field(default_factory=list)
    targets: list[float] = field(default_factory=list)
    turns: list[tuple[Turn, ...]] = field(default_factory=list)
    letters: int = 0
    wide_letters: int = 0
    answers: int = 1

    def add(self, texts: Texts, per_wide: float) -> None:
        """One sequence."""
        counted = [count_tokens(text, per_wide) for text in texts.turns]
        around = TURN_TOKENS * len(counted) + TEMPLATE_TOKENS if texts.framed else 0
        self.tokens.append(sum(counted) + around)
        if texts.framed:
            told = zip(map(hash, texts.turns), (TURN_TOKENS + n for n in counted), strict=True)
            self.turns.append((*([] if texts.has_system else [_SPOKEN_BY_TEMPLATE]), *told))
        if texts.target is not None:
            self.targets.append(count_tokens(texts.target, per_wide))
        for text in (*texts.turns, texts.target or ""):
            self.wide_letters += sum(1 for letter in text if letter >= WIDE_FROM)
            self.letters += len(text)


def _common(first: Sequence[Turn], second: Sequence[Turn]) -> float:
    """Tokens that two texts begin with alike; 0 where they are too few to be kept apart."""
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    found = sum(turn[1] for turn, _ in alike)
    return found if found >= SHORTEST_BEGINNING else 0.0


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


def _sample(folder: Path) -> Iterator[dict[str, Any]]:
    sample = folder / SAMPLE_FILE
    # A version of the first releases has no sample as long as nobody has looked at its rows.
    with (sample if sample.exists() else folder / FORMER_RECORDS_FILE).open("rb") as file:
        for line in islice(file, MOST_ROWS):
            yield orjson.loads(line)
