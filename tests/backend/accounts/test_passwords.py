"""Which passwords are refused, and that hashing is what it should be."""

import pytest

from backend.accounts import passwords
from backend.accounts.passwords import WeakPassword


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "length"),
        ("x" * 129, "length"),
        ("password1234", "common"),
        ("P@ssw0rd2026!", "common"),
        ("Welcome12345", "common"),
        ("qwertyuiop12", "common"),
        ("letmein12345!", "common"),
        ("aaaaaaaaaaaa", "pattern"),
        ("abcabcabcabc", "pattern"),
        ("123456789012", "pattern"),
        ("0987654321098", "pattern"),
        ("asdfghjklzxcv", "pattern"),
        ("alexandra2026", "context"),
        ("my EasyTune 1!", "context"),
    ],
)
def test_weak_passwords_are_refused(password: str, code: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        passwords.check(password, "alexandra")
    assert refused.value.errors[0].code == f"password_{code}"


@pytest.mark.parametrize(
    "password",
    [
        "seven rusty anchors",
        "correct easytune horse",
        "我的貓今天不想上班在家睡覺",
        "x7#Kp2$mQ9!vL4",
        "  spaces are kept  ",
    ],
)
async def test_good_passwords_are_kept_as_they_are(password: str) -> None:
    passwords.check(password, "alexandra")
    stored = await passwords.hash_password(password)
    assert stored.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert await passwords.verify(stored, password)
    assert not await passwords.verify(stored, password.strip() + "x")


async def test_nothing_verifies_against_nobody() -> None:
    for guess in ("", "password", "x" * 128):
        assert not await passwords.verify(None, guess)
    assert not await passwords.verify("damaged", "x")
