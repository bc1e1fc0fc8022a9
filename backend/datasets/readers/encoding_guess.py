"""Which of the older encodings a text is written in: by how common its characters would be.

The bytes of one East Asian encoding are often valid in another, where they mean rare characters.
So every candidate decodes the sample, and each foreign character counts by how everyday it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.datasets.readers import everyday

# A wrong guess scores below zero or a few hundredths.
ENOUGH = 0.12
# What comes this close to the best may be meant as well.
MARGIN = 0.25
# In a text of this many foreign characters a lead is no accident.
MANY = 200
INVALID, RARE = -3.0, -0.4
_KANA = frozenset(chr(c) for c in range(0x3041, 0x30FF)) - {"・"}
_MARKS = frozenset("，。、；：？！“”‘’（）《》「」『』【】…—·～〜　ー％￥")
_FOREIGN = 0x80


@dataclass(frozen=True)
class Candidate:
    """A family of encodings: the codecs to try, narrowest first, and how its characters rank.

    `level` is the range of two-byte codes whose characters are in common use, and `worth` what
    being in it counts.
    """

    name: str
    codecs: tuple[str, ...]
    everyday: frozenset[str]
    level: tuple[int, int]
    worth: float = 0.3


CANDIDATES: Mapping[str, Candidate] = {
    each.name: each
    for each in (
        Candidate("gb18030", ("gb18030",), everyday.SIMPLIFIED, (0xB0A1, 0xD7F9)),
        Candidate("big5", ("big5", "cp950", "big5hkscs"), everyday.TRADITIONAL, (0xA440, 0xC67E)),
        Candidate("shift_jis", ("shift_jis", "cp932"), everyday.JAPANESE | _KANA, (0x889F, 0x9872)),
        Candidate("euc_kr", ("euc_kr", "cp949"), everyday.KOREAN, (0xB0A1, 0xC8FE), 0.5),
    )
}
_ALL = frozenset().union(_KANA, _MARKS, *(each.everyday for each in CANDIDATES.values()))


@dataclass(frozen=True)
class Guess:
    """The likeliest of `CANDIDATES`, and those that it may be as well."""

    name: str
    also: tuple[str, ...]


def guess(sample: bytes) -> Guess | None:
    """The encoding of a text that is not UTF-8; None when it is none of them."""
    scores = {name: _score(sample, each) for name, each in CANDIDATES.items()}
    best = max(scores, key=scores.__getitem__)
    if scores[best] < ENOUGH:
        return None
    near = scores[best] - MARGIN if _foreign_bytes(sample) < MANY else scores[best]
    also = [name for name, score in scores.items() if name != best and score > max(near, 0.0)]
    return Guess(best, tuple(sorted(also, key=scores.__getitem__, reverse=True)))


def wide_score(text: str) -> float:
    """How much a text decoded from UTF-16 looks like one: 1 when all of it is everyday."""
    good = sum(
        1.0 if " " <= c <= "~" or c in "\r\n\t" or c in _ALL else 0.5 if _is_letter(c) else 0.0
        for c in text
    )
    return good / max(1, len(text))


def _is_letter(character: str) -> bool:
    """Alphabets and syllables that a wrong order of bytes seldom gives."""
    return "\u00a0" <= character < "\u0500" or "\uac00" <= character <= "\ud7a3"


def _foreign_bytes(sample: bytes) -> int:
    return sum(byte >= _FOREIGN for byte in sample)


def _score(sample: bytes, candidate: Candidate) -> float:
    """Mean worth of the foreign characters, from `INVALID` to 1."""
    codec = candidate.codecs[-1]
    text = sample.decode(codec, "replace")
    foreign = [c for c in text if ord(c) >= _FOREIGN]
    known = {c: _worth(c, candidate, codec) for c in set(foreign)}
    return sum(known[c] for c in foreign) / max(1, len(foreign))


def _worth(character: str, candidate: Candidate, codec: str) -> float:
    if character in candidate.everyday:
        return 1.0
    if character in _MARKS:
        return 0.3
    if character == "\ufffd":
        return INVALID
    code = character.encode(codec, "replace")
    low, high = candidate.level
    if len(code) == 2 and low <= int.from_bytes(code) <= high:
        return candidate.worth
    if "\uff61" <= character <= "\uff9f" or "\ue000" <= character <= "\uf8ff":
        return 2 * RARE  # half-width kana and private characters: what wrong guesses are full of
    return RARE
