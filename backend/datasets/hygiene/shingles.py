"""Texts as sets of shingles: hashes of two tokens that follow each other, many texts at a time.

A token is a word, or one sign of a script that puts no spaces between words. Two texts in which
5 % of the tokens differ share about 0.82 of their shingles (Jaccard). Hashes are the same on every
machine: they are stored, and compared with those of other versions.
"""

import unicodedata
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_U64 = np.uint64
_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)
_SIZE = 0x20000  # beyond are rare ideographs
# What of a text counts, at most: the arrays that it needs stay below a hundred megabytes.
TEXT_CHARACTERS = 1_000_000
# So many characters at once: what they need stays in the cache of a core.
SLICE_CHARACTERS = 64_000
# Thai, Lao, Burmese, Khmer, kana, ideographs, emoji.
_SINGLE = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x4DBF)),
    *((0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x2600, 0x27BF), (0x1F000, 0x1FAFF)),
)


def _kinds() -> Array:
    """0 between tokens, 1 part of a word, 2 a token by itself, for each code point."""
    kinds = np.zeros(_SIZE + 1, np.uint8)
    kinds[:_SIZE] = [unicodedata.category(chr(code))[0] in "LNM" for code in range(_SIZE)]
    for first, last in _SINGLE:
        kinds[first : last + 1] = 2
    kinds[_SIZE] = 2
    return kinds


_KINDS = _kinds()


def is_sign(character: str) -> bool:
    """Whether it is a token by itself."""
    return bool(_KINDS[min(ord(character), _SIZE)] == 2)


def count_tokens(text: str) -> int:
    """Words, and signs that are tokens by themselves."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return len(_tokens(codes)[0])


def of_texts(texts: list[str]) -> tuple[Array, Array]:
    """All shingles of folded texts one after the other (uint64), and where those of each text begin
    and end (`len(texts) + 1` offsets). Only the first `TEXT_CHARACTERS` of a text count.
    """
    hashes: list[Array] = []
    counts: list[Array] = []
    some: list[str] = []
    size = 0
    for text in texts:
        short = text[:TEXT_CHARACTERS]
        if some and size + len(short) > SLICE_CHARACTERS:
            _append(some, hashes, counts)
            some, size = [], 0
        some.append(short)
        size += len(short)
    if some:
        _append(some, hashes, counts)
    lengths = np.concatenate(counts) if counts else np.zeros(0, np.int64)
    return _joined(hashes), np.concatenate([[0], np.cumsum(lengths)]).astype(_U64)


def _joined(parts: list[Array]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0, _U64)


def _append(texts: list[str], hashes: list[Array], counts: list[Array]) -> None:
    codes = np.frombuffer("\n".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.cumsum([len(text) + 1 for text in texts])
    tokens, starts = _tokens(codes)
    bounds = np.concatenate([[0], np.searchsorted(starts, ends)])
    per_text = np.diff(bounds)
    if len(tokens) > 1:
        pairs = _mixed(tokens[:-1] * _U64(_INVERSE) + tokens[1:])
        within = np.ones(len(pairs), bool)
        last = bounds[1:][per_text > 0] - 1  # the last token of each text begins no pair
        within[last[last < len(pairs)]] = False
        hashes.append(pairs[within])
    counts.append(np.maximum(per_text - 1, 0))


def _tokens(codes: Array) -> tuple[Array, Array]:
    """A hash for each token, and the place where it begins."""
    kinds = _KINDS[np.minimum(codes, _SIZE)]
    word = kinds == 1
    begins = kinds == 2
    begins[0:1] |= word[0:1]
    begins[1:] |= word[1:] & ~word[:-1]
    inside = np.flatnonzero(kinds)
    if not len(inside):
        return np.zeros(0, _U64), np.zeros(0, np.int64)
    powers, inverses = _powers(len(inside))
    values = (codes[inside].astype(_U64) + _U64(1)) * _U64(0xD6E8FEB86659FD93)
    values ^= values >> _U64(32)
    values *= powers
    starts = np.flatnonzero(begins[inside])
    return _mixed(np.add.reduceat(values, starts) * inverses[starts]), inside[starts]


_known: list[tuple[Array, Array]] = []


def _powers(count: int) -> tuple[Array, Array]:
    """`_BASE ** n` and its inverse modulo 2 ** 64, for n below `count`."""
    if not _known or len(_known[0][0]) < count:
        tables = []
        for base in (_BASE, _INVERSE):
            factors = np.full(max(count, 2 * SLICE_CHARACTERS), base, _U64)
            factors[0] = 1
            tables.append(np.cumprod(factors))
        _known[:] = [(tables[0], tables[1])]
    powers, inverses = _known[0]
    return powers[:count], inverses


def _mixed(values: Array) -> Array:
    """Every bit depends on every other (the last steps of splitmix64)."""
    values = (values ^ (values >> _U64(30))) * _U64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> _U64(27))) * _U64(0x94D049BB133111EB)
    mixed: Array = values ^ (values >> _U64(31))
    return mixed
