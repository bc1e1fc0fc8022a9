"""Which language a row is in: by its script where that is enough, else by py3langid."""

import re
from functools import cache
from typing import Any

# Even sample: so many rows say enough of a version.
SAMPLE_ROWS = 10_000
LOOKED_AT = 300
UNKNOWN = "und"
MIN_LETTERS = 12
MIN_CONFIDENCE = 0.25
# Below this share of a script's letters, they are quotations.
MAIN = 0.3

# Relatives that a classifier tells apart and readers do not; "zxx" is no language.
_SHOWN_AS = {"wuu": "zh", "yue": "zh", "zxx": UNKNOWN}

_NOISE = re.compile(r"https?://\S+|\S+@\S+|`[^`]*`|<[^>]{1,40}>|[\d_]+")
_LETTER = re.compile(r"[^\W\d_]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_SCRIPTS = (
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("km", re.compile(r"[\u1780-\u17ff]")),
    ("lo", re.compile(r"[\u0e80-\u0eff]")),
    ("my", re.compile(r"[\u1000-\u109f]")),
    ("ka", re.compile(r"[\u10a0-\u10ff]")),
    ("hy", re.compile(r"[\u0530-\u058f]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("ta", re.compile(r"[\u0b80-\u0bff]")),
    ("te", re.compile(r"[\u0c00-\u0c7f]")),
    ("bn", re.compile(r"[\u0980-\u09ff]")),
)


def of(text: str) -> str:
    """ISO 639-1 code, or `und` for text that is too short or too strange to say."""
    plain = _NOISE.sub(" ", text[: 4 * LOOKED_AT])[:LOOKED_AT]
    letters = len(_LETTER.findall(plain))
    if not letters:
        return UNKNOWN
    if plain.isascii():
        return _by_words(plain) if letters >= MIN_LETTERS else UNKNOWN
    han, kana = len(_HAN.findall(plain)), len(_KANA.findall(plain))
    if han + kana >= MAIN * letters:
        # Japanese has kana among its ideographs; a Chinese text may quote one or two.
        return "ja" if kana > 0.1 * (han + kana) else "zh"
    for code, script in _SCRIPTS:
        if len(script.findall(plain)) >= MAIN * letters:
            return code
    return _by_words(plain) if letters >= MIN_LETTERS else UNKNOWN


def _by_words(text: str) -> str:
    code, confidence = _identifier().classify(text)
    if confidence < MIN_CONFIDENCE:
        return UNKNOWN
    return _SHOWN_AS.get(code, str(code))


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
