"""Answers that teach little: none at all, one word, a few signs."""

from backend.datasets.hygiene import shingles

# A word of Chinese or Japanese is two signs or so.
SHORT_SIGNS = 2
LOOKED_AT = 64


def is_empty(answers: list[str]) -> bool:
    """Whether the assistant says nothing somewhere."""
    return any(not answer.strip() for answer in answers)


def is_short(answers: list[str]) -> bool:
    """Whether the last answer is one word, or two signs of a script without spaces."""
    if not answers or not (answer := answers[-1].strip()) or len(answer) > LOOKED_AT:
        return False
    if len(answer.split()) > 1:
        return False
    tokens = shingles.count_tokens(answer)
    return tokens <= SHORT_SIGNS if any(map(shingles.is_sign, answer)) else True
