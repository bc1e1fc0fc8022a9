"""Payment cards and bank accounts (IBAN) in a text, by form, issuer and check digits."""

import re
from collections.abc import Iterator

from stdnum import iban, luhn

# ASCII: beside a number, ideographs are no letters that would make it a part of a word.
_CARD = re.compile(
    r"(?a)(?<![\w.\-/+])\d(?:\d{12,18}|\d{3}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|"
    r"\d{3}([ -])\d{6}\2\d{4,5})(?![\w\-/]|\.\d)"
)
# Issuer, first digits, lengths (ISO/IEC 7812 ranges as the networks publish them).
_ISSUERS: tuple[tuple[str, re.Pattern[str], frozenset[int]], ...] = (
    ("Visa", re.compile(r"4"), frozenset({16, 19})),
    ("Mastercard", re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), frozenset({16})),
    ("American Express", re.compile(r"3[47]"), frozenset({15})),
    ("Discover", re.compile(r"6011|64[4-9]|65"), frozenset({16, 19})),
    ("JCB", re.compile(r"35(?:2[89]|[3-8])"), frozenset({16})),
    ("Diners Club", re.compile(r"3(?:0[0-5]|[689])"), frozenset({14})),
    ("UnionPay", re.compile(r"62"), frozenset({16, 17, 18, 19})),
)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
)


def cards(text: str) -> Iterator[tuple[int, int, str]]:
    """`(start, end, issuer)` of each number of a payment card."""
    for match in _CARD.finditer(text):
        number = match[0].replace(" ", "").replace("-", "")
        issuer = _issuer(number)
        if issuer is not None and len(set(number)) > 1 and luhn.is_valid(number):
            yield *match.span(), issuer


def _issuer(number: str) -> str | None:
    for name, first, lengths in _ISSUERS:
        if len(number) in lengths and first.match(number):
            return name
    return None


def ibans(text: str) -> Iterator[tuple[int, int, str]]:
    """`(start, end, country)` of each IBAN."""
    for match in _IBAN.finditer(text):
        start, value = match.start(), match[0]
        # In running text a capital word may follow: take what is left without the last group.
        while len(value) >= 15:
            if iban.is_valid(value):
                yield start, start + len(value), value[:2]
                break
            value = value[: value.rfind(" ")] if " " in value else ""
