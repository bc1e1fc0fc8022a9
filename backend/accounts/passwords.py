"""Passwords: argon2id (RFC 9106), and which ones are refused.

Length is what counts; there are no rules about kinds of characters. Refused are passwords that
guessing programs try first: common ones, runs and repetitions, the user's or the product's name.
"""

import asyncio
import re

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.accounts.common_passwords import COMMON
from backend.errors import FieldError, Refused

MIN_LENGTH = 12
MAX_LENGTH = 128
# OWASP's second choice for argon2id; two at once bound the memory that signing in may take.
_hasher = PasswordHasher(time_cost=2, memory_cost=47_104, parallelism=1)
_at_once = asyncio.Semaphore(2)
CONTEXT_WORDS = ("easytune", "finetune", "finetuning")
RUNS = (
    "0123456789" * 13,
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn",
)
LEET = str.maketrans("013457@$!", "oieastasi")


class WeakPassword(Refused):
    """This password is too easy to guess; take a few unrelated words instead."""


def check(password: str, username: str) -> None:
    """Raise `WeakPassword` with the reason."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise _weak("length", f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.")
    lower = password.lower()
    plain = re.sub(r"[\W_]", "", lower)
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", lower)
    if {lower, plain, core, core.translate(LEET), plain.translate(LEET)} & COMMON:
        raise _weak("common", "This password is on every list of common passwords.")
    if len(set(lower)) < 5 or _is_repetition(lower) or _is_run(plain):
        raise _weak("pattern", "This password repeats itself or runs along the keyboard.")
    for word in (username.lower(), *CONTEXT_WORDS):
        rest = re.sub(r"[\W\d_]", "", lower.replace(word, ""))
        if len(word) > 2 and word in lower and len(rest) < 6:
            raise _weak("context", "This password is your name or the product's, a little dressed.")


def _weak(code: str, message: str) -> WeakPassword:
    error = FieldError(pointer="/password", code=f"password_{code}", message=message)
    return WeakPassword(message, errors=[error])


def _is_repetition(text: str) -> bool:
    return any(
        (text[:n] * (len(text) // n + 1))[: len(text)] == text for n in range(1, len(text) // 2 + 1)
    )


def _is_run(text: str) -> bool:
    return len(text) > 3 and any(text in run or text in run[::-1] for run in RUNS)


async def hash_password(password: str) -> str:
    """The string to store; takes about 50 ms in a thread."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


async def verify(stored: str | None, password: str) -> bool:
    """Whether `password` is the one; takes the same time when there is nothing to compare with."""
    async with _at_once:
        right = await asyncio.to_thread(_verify, stored or _NOBODY, password)
    return right and stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the parameters were raised since this hash was made."""
    return _hasher.check_needs_rehash(stored)


# The hash of a password that nobody has, with today's parameters.
_NOBODY = (
    "$argon2id$v=19$m=47104,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
