"""Phone numbers in a text. A number is one when its country has it (`phonenumbers`) and it is
written like one or called one: a number in a sentence is none.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

# ASCII: beside a number, ideographs are no letters that would make it a part of a word.
_INTERNATIONAL = re.compile(r"(?a)(?<![\w+)])\+\d[\d ().\-]{6,20}\d(?!\d)")
# Ways of writing that are a phone number's own, with the countries that use them.
_WRITTEN: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"(?a)(?<![\w.\-/])1[3-9]\d([ -])\d{4}\1\d{4}(?![\w\-])"), ("CN",)),
    (re.compile(r"(?a)(?<![\w.\-/(])(?:\(0\d{2,3}\) ?|0\d{2,3}-)\d{7,8}(?![\w\-])"), ("CN", "TW")),
    (re.compile(r"(?a)(?<![\w.\-/(])\(?\d{3}\)?[ .\-] ?\d{3}[.\-]\d{4}(?![\w\-])"), ("US",)),
    (
        re.compile(r"(?a)(?<![\w.\-/(])0\d{1,4}-\d{1,4}-\d{3,4}(?![\w\-])"),
        ("JP", "KR", "TW"),
    ),
    (re.compile(r"(?a)(?<![\w.\-/(])0\d{3,4} \d{3} ?\d{3,4}(?![\w\-])"), ("GB", "AU")),
    (re.compile(r"(?a)(?<![\w.\-/(])0[1-9](?:[ .]\d{2}){4}(?![\w\-])"), ("FR",)),
)
_BARE_CN = re.compile(r"(?a)(?<![\w.\-/])1[3-9]\d{9}(?![\w\-])")
_ANY = re.compile(r"(?a)(?<![\w.])\(?\d[\d ().\-/]{5,17}\d(?!\d)")
_CALLED = re.compile(
    r"(?:\b(?:phone|telephone|tel|mobile|cell|call|whatsapp|wechat|fax|telefon|handy|telefono|"
    r"téléphone|teléfono|telefone|celular|móvil|cellulare|numéro)\b|телефон|тел\.|звоните|"
    r"电话|手机|致电|联系方式|拨打|微信|電話|手機|携帯|전화|휴대폰|연락처|هاتف|फ़ोन)"
    r"[^\n\d+]{0,24}$",
    re.IGNORECASE,
)
_CALLED_OTHERWISE = re.compile(
    r"(?:订单|单号|编号|流水号?|工号|学号|序列号|order|ref|invoice|ticket|serial|\bid)[^\n\d]{0,8}$",
    re.IGNORECASE,
)
# Less may be an extension, a price or an article.
MIN_CALLED_DIGITS = 8
# Where a number that is called one may be from, when nothing says it.
_REGIONS = (
    *("CN", "US", "GB", "DE", "FR", "ES", "IT", "JP", "KR", "TW", "HK", "IN", "BR", "MX", "RU"),
    *("AU", "NL", "PL", "TR", "SG"),
)


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """`(start, end, region or nothing)` of each phone number; they may overlap."""
    for match in _INTERNATIONAL.finditer(text):
        if region := _region(match[0], (None,)):
            yield *match.span(), region
    for pattern, regions in _WRITTEN:
        for match in pattern.finditer(text):
            if not _otherwise(text, match.start()) and (region := _region(match[0], regions)):
                yield *match.span(), region
    for match in _BARE_CN.finditer(text):
        called = _called(text, match.start())
        chinese = re.search(r"[\u4e00-\u9fff]", text) is not None
        if (called or (chinese and not _otherwise(text, match.start()))) and _region(
            match[0], ("CN",)
        ):
            yield *match.span(), "CN"
    for match in _ANY.finditer(text):
        long = sum(c.isdigit() for c in match[0]) >= MIN_CALLED_DIGITS
        if long and _called(text, match.start()) and _region(match[0], _REGIONS):
            yield *match.span(), ""  # which country's, nobody says


def is_name(label: str) -> bool:
    """Whether what is called so is a phone number."""
    return _called(f"{label}: ", len(label) + 2)


def _called(text: str, start: int) -> bool:
    return _CALLED.search(text, max(0, start - 48), start) is not None


def _otherwise(text: str, start: int) -> bool:
    return _CALLED_OTHERWISE.search(text, max(0, start - 24), start) is not None


@lru_cache(maxsize=10_000)
def _region(number: str, regions: tuple[str | None, ...]) -> str | None:
    """The first of `regions` that has this number; for None the one that its prefix names."""
    for region in regions:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return region or phonenumbers.region_code_for_number(parsed) or "?"
    return None
