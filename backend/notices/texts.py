"""What messages to the outside say, in the language of their target.

The words stand in `words_en` and `words_zh_cn`; the app's own notices are worded in the browser.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import quote

from backend.notices import words_en, words_zh_cn
from backend.notices.kinds import Language, NoticeKind, SubjectType
from backend.notices.tables import NoticeRow

WORDS: Mapping[Language, ModuleType] = {
    Language.ENGLISH: words_en,
    Language.CHINESE: words_zh_cn,
}
MAX_NAME = 120
GB = 1024**3
MAX_LINE = 400
# Chat services read these as mentions and links; a name must not ring everybody's telephone.
HARMLESS = str.maketrans({"@": "＠", "<": "‹", ">": "›", "`": "'", "*": "∗", "|": "¦"})


@dataclass(frozen=True)
class Text:
    """A message: one line, then a few."""

    title: str
    body: str
    link: str | None = None


def test_text(language: Language, public_url: str | None) -> Text:
    """What a target is tested with."""
    words = WORDS[language]
    return Text(words.TEST_TITLE, words.TEST_TEXT, public_url)


def text_of(notice: NoticeRow, language: Language, public_url: str | None) -> Text:
    """What is said of `notice`: what happened, why, what to do; a link where one is known."""
    words, kind = WORDS[language], NoticeKind(notice.kind)
    title = words.TITLES[kind].format(name=one_line(notice.subject_name, MAX_NAME))
    lines = [*_figures(notice.params, words)]
    error = notice.params.get("error")
    if error:
        lines += _cause(error, kind, language)
    else:
        lines += [words.REASONS[kind]] if kind in words.REASONS else []
        lines.append(words.NEXT[kind])
    link = public_url + path_of(notice) if public_url else None
    if link:
        lines.append(link)
    return Text(title, "\n".join(lines), link)


def path_of(notice: NoticeRow) -> str:
    """Where the app shows the subject."""
    match SubjectType(notice.subject_type):
        case SubjectType.TASK:
            return f"/training/{notice.subject_id}"
        case SubjectType.DATASET:
            return f"/data/{notice.subject_id}"
        case SubjectType.MODEL:
            return f"/models?q={quote(notice.subject_name, safe='')}"
        case SubjectType.DISK:
            return "/system"


def one_line(text: str, most: int) -> str:
    """Text of a user's or a program's, as it can stand in a message: short, plain, one line."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    cut = plain if len(plain) <= most else plain[: most - 1] + "…"
    return cut.translate(HARMLESS)


def _cause(error: Mapping[str, Any], kind: NoticeKind, language: Language) -> list[str]:
    """Why, and the next step."""
    words, code = WORDS[language], error["code"]
    said = one_line(error["message"], MAX_LINE)
    hint = one_line(error["hint"], MAX_LINE)
    if language is Language.ENGLISH:
        return [said, hint or words.NEXT[kind]]
    known = words.CODES.get(code)
    return [known or words.FOREIGN.format(message=said), words.HINTS.get(code, words.NEXT[kind])]


def _figures(params: Mapping[str, Any], words: ModuleType) -> list[str]:
    said = []
    took_s, loss = params.get("duration_s"), params.get("loss")
    if isinstance(took_s, int | float):
        said.append(words.TOOK.format(duration=_duration(took_s, words)))
    if isinstance(loss, int | float) and math.isfinite(loss):
        said.append(words.LOSS.format(loss=f"{loss:.4g}"))
    free_bytes = params.get("free_bytes")
    if isinstance(free_bytes, int):
        said.append(words.FREE.format(size=f"{free_bytes / GB:.1f}"))
    return [" ".join(said)] if said else []


def _duration(seconds: float, words: ModuleType) -> str:
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    form = words.HOURS if hours else words.MINUTES if minutes else words.SECONDS
    text: str = form.format(h=hours, m=minutes, s=rest)
    return text
