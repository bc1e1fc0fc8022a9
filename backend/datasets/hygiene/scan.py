"""Personal data and secrets in texts: where they are, and the text with them covered.

`candidates` is the fast look at many texts at once (compiled regular expressions); only texts that
it names are read exactly.
"""

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from backend.datasets.hygiene import credentials, id_numbers, payments, phones

EMAIL, PHONE, ID_NUMBER, CARD, IBAN, SECRET = (
    *("email", "phone", "id_number", "payment_card", "iban", "secret"),
)
KINDS = (EMAIL, PHONE, ID_NUMBER, CARD, IBAN, SECRET)

_EMAIL_HINT = r"[A-Za-z0-9_%+-]@[A-Za-z0-9]"
_GROUP = r"[0-9０-９](?:[ ().\-/]{0,2}[0-9０-９])"
# Numbers of persons that are mostly letters: Italy, Mexico.
_MIXED = r"|[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]|[A-Z]{4}[0-9]{6}[HM][A-Z]{5}"
_DIGITS_HINT = _GROUP + "{6}" + _MIXED
_EMAIL = re.compile(
    r"(?a)(?<![\w.%+/:@-])[A-Za-z0-9_%+-]{1,64}(?:\.[A-Za-z0-9_%+-]{1,64}){0,8}@"
    r"((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,6}[A-Za-z]{2,24})(?![\w@])"
)
# Names that no mailbox has: reserved ones (RFC 2606), and files with an @ in their name.
_NO_MAILBOX = re.compile(
    r"\.(?:example|test|invalid|localhost|local|png|jpe?g|gif|svg|webp|js|ts|py|css|so|md)$",
    re.IGNORECASE,
)
_DIGITS = re.compile(_GROUP + "{6,}" + _MIXED)
_WIDE_SIGN = re.compile("[０-９－]")
_WIDE = str.maketrans("０１２３４５６７８９－", "0123456789-")
AROUND = 48
_NUMBERS = (
    (IBAN, payments.ibans),
    (ID_NUMBER, id_numbers.find),
    (CARD, payments.cards),
    (PHONE, phones.find),
)


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]` is a `finding`; `kind` says which sort of it."""

    start: int
    end: int
    finding: str
    kind: str


def candidates(texts: pl.Series) -> list[tuple[int, tuple[bool, bool, bool]]]:
    """Rows that need an exact look, each with (e-mail?, number?, secret?)."""
    hints = [texts.str.contains(hint) for hint in (_EMAIL_HINT, _DIGITS_HINT, credentials.HINT)]
    columns: list[Any] = [hint.fill_null(False).to_list() for hint in hints]
    return [(row, looks) for row, looks in enumerate(zip(*columns, strict=True)) if any(looks)]


def spans(text: str, looks: tuple[bool, bool, bool] = (True, True, True)) -> list[Span]:
    """What is in a text, in order and without overlaps."""
    found: list[Span] = []
    if looks[0]:
        found += _emails(text)
    if looks[2]:
        found += (Span(a, b, SECRET, kind) for a, b, kind in credentials.find(text))
    if looks[1]:
        found += _numbers(text.translate(_WIDE) if _WIDE_SIGN.search(text) else text)
    return _apart(found)


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text):
        if not _NO_MAILBOX.search(match[1]) and not match[0].startswith("git@"):
            yield Span(*match.span(), EMAIL, match[1].lower())


def _numbers(text: str) -> list[Span]:
    """Looks around each group of digits, and nowhere else."""
    found: list[Span] = []
    for start, end in _windows(text):
        window = text[start:end]
        for finding, find in _NUMBERS:
            found += (Span(start + a, start + b, finding, kind) for a, b, kind in find(window))
    return found


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Where groups of digits are, with what stands around them, without overlaps."""
    start = end = 0
    for match in _DIGITS.finditer(text):
        if match.start() - AROUND > end:
            if end:
                yield start, end
            start = max(0, match.start() - AROUND)
        end = match.end() + AROUND
    if end:
        yield start, end


# A number that is several things is the first of them.
_RANK = {SECRET: 0, EMAIL: 1, IBAN: 2, ID_NUMBER: 3, CARD: 4, PHONE: 5}


def _apart(found: list[Span]) -> list[Span]:
    """Of spans that overlap the one that is surest stays."""
    kept: list[Span] = []
    for span in sorted(found, key=lambda s: (_RANK[s.finding], s.start, -s.end)):
        at = bisect(kept, span.start, key=lambda other: other.start)
        free_before = at == 0 or kept[at - 1].end <= span.start
        if free_before and (at == len(kept) or kept[at].start >= span.end):
            kept.insert(at, span)
    return kept


COVER = "•••"


def covered(value: str) -> str:
    """The first 2–4 characters, and that there is more."""
    return value[: 2 if len(value) < 12 else 4] + COVER
