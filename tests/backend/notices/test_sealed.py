"""Secrets in the database: readable with the key, for the row they belong to, and no other way."""

import base64

import hypothesis.strategies as st
import pytest
from hypothesis import given

from backend.notices.sealed import NONCE_BYTES, Seal, Unreadable
from tests.effort import examples

SEAL = Seal("a" * 64)


@examples(200)
@given(st.text(), st.text(max_size=50))
def test_what_is_sealed_can_be_opened_by_its_owner_only(text: str, owner: str) -> None:
    sealed = SEAL.seal(text, owner)
    assert SEAL.open(sealed, owner) == text
    with pytest.raises(Unreadable):
        SEAL.open(sealed, owner + "x")
    with pytest.raises(Unreadable):
        Seal("b" * 64).open(sealed, owner)


def test_nothing_of_the_text_shows_and_no_two_are_alike() -> None:
    text = "mailtos://user:hunter2@smtp.example?to=ops@example.com"
    first, second = SEAL.seal(text, "x"), SEAL.seal(text, "x")
    assert first != second
    raw = base64.b64decode(first[2:])
    assert b"hunter2" not in raw
    # The key stream is not the same one twice, nor block after block.
    zeros = base64.b64decode(SEAL.seal("\0" * 96, "x")[2:])[NONCE_BYTES:]
    assert len({zeros[i : i + 32] for i in (0, 32, 64)}) == 3


@examples(100)
@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    raw = bytearray(base64.b64decode(SEAL.seal("https://a.example/x", "row")[2:]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unreadable):
        SEAL.open("1:" + base64.b64encode(raw).decode(), "row")


@pytest.mark.parametrize("sealed", ["", "1:", "2:AAAA", "1:!!!", "1:AAAA", "https://plain.example"])
def test_rubbish_is_unreadable(sealed: str) -> None:
    with pytest.raises(Unreadable):
        SEAL.open(sealed, "row")
