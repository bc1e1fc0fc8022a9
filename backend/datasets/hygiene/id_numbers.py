"""Numbers that stand for a person: those whose form and check digits leave little doubt, and
others where the text says what they are. Checks: python-stdnum.
"""

import re
from collections.abc import Callable, Iterator

from stdnum.br import cpf
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.us import ssn

Check = Callable[[str], bool]
_BEFORE, _AFTER = r"(?<![A-Za-z0-9.\-])", r"(?![A-Za-z0-9\-])"


def _taiwan(value: str) -> bool:
    """A letter of a county and nine digits; sum of weights divisible by 10."""
    place = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(value[0]) + 10
    digits = [place // 10, place % 10, *map(int, value[1:])]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return sum(d * w for d, w in zip(digits, weights, strict=True)) % 10 == 0


def _hong_kong(value: str) -> bool:
    """One or two letters, six digits and a check digit in brackets; weighted sum mod 11."""
    plain = value.replace("(", "").replace(")", "").rjust(9)
    codes = [36 if c == " " else int(c, 36) for c in plain[:-1]]
    check = 10 if plain[-1] == "A" else int(plain[-1])
    return (sum(c * w for c, w in zip(codes, range(9, 1, -1), strict=True)) + check) % 11 == 0


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(_BEFORE + pattern + _AFTER, re.ASCII)


_FORMS: tuple[tuple[str, re.Pattern[str], Check], ...] = (
    ("CN", _form(r"[1-9]\d{5}(?:18|19|20)\d{2}[01]\d[0-3]\d{4}[\dXx]"), ric.is_valid),
    ("US", _form(r"\d{3}-\d{2}-\d{4}"), ssn.is_valid),
    ("KR", _form(r"\d{6}-\d{7}"), rrn.is_valid),
    ("TW", _form(r"[A-Z][12]\d{8}"), _taiwan),
    ("HK", _form(r"[A-Z]{1,2}\d{6}\([0-9A]\)"), _hong_kong),
    ("BR", _form(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), cpf.is_valid),
    ("IT", _form(r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]"), codicefiscale.is_valid),
    ("MX", _form(r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d"), curp.is_valid),
    ("ES", _form(r"[XYZ]-?\d{7}-?[A-Z]"), nie.is_valid),
    ("FI", _form(r"\d{6}[-+A]\d{3}[0-9A-Y]"), hetu.is_valid),
    ("FR", _form(r"[12] ?\d{2} ?[01]\d ?\d{2} ?\d{3} ?\d{3} ?\d{2}"), nir.is_valid),
)
_WORDS: tuple[tuple[str, re.Pattern[str], re.Pattern[str], Check], ...] = tuple(
    (country, re.compile(word + r"[^\n\d]{0,24}$", re.IGNORECASE), _form(pattern), check)
    for country, word, pattern, check in (
        ("ES", r"\b(?:dni|nif)\b", r"\d{8}[ -]?[A-Z]", dni.is_valid),
        ("IN", r"(?:aadhaar|aadhar|आधार)", r"\d{4} ?\d{4} ?\d{4}", aadhaar.is_valid),
        ("PL", r"pesel", r"\d{11}", pesel.is_valid),
        (
            "DE",
            r"(?:steuer-?id|identifikationsnummer)",
            r"\d{2} ?\d{3} ?\d{3} ?\d{3}",
            idnr.is_valid,
        ),
        ("GB", r"\bnhs\b", r"\d{3} ?\d{3} ?\d{4}", nhs.is_valid),
        ("NL", r"(?:\bbsn\b|burgerservicenummer)", r"\d{9}", bsn.is_valid),
        ("SE", r"personnummer", r"(?:\d{2})?\d{6}-?\d{4}", personnummer.is_valid),
        ("US", r"(?:\bssn\b|social security)", r"\d{3}[ -]?\d{2}[ -]?\d{4}", ssn.is_valid),
    )
)


def is_name(label: str) -> bool:
    """Whether what is called so is the number of a person."""
    return any(word.search(f"{label}: ") for _country, word, _form, _check in _WORDS)


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """`(start, end, country)` of each number of a person."""
    for country, pattern, is_valid in _FORMS:
        for match in pattern.finditer(text):
            if is_valid(match[0]):
                yield *match.span(), country
    for country, word, pattern, is_valid in _WORDS:
        for match in pattern.finditer(text):
            called = word.search(text, max(0, match.start() - 48), match.start())
            if called and is_valid(match[0].replace(" ", "")):
                yield *match.span(), country
