"""Pieces of text add up to the whole text, never split a character, never leak a stop word."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training_engine.serve.text_stream import Detokenizer, StopWords


def decode_bytes(tokens: Sequence[int]) -> str:
    """A tokenizer whose tokens are bytes: the hardest case for whole characters."""
    return bytes(tokens).decode(errors="replace")


def pieces_of(tokens: Sequence[int]) -> list[str]:
    stream = Detokenizer(decode_bytes)
    return [*(stream.add(token) for token in tokens), stream.finish()]


@given(st.text())
def test_pieces_add_up_and_hold_whole_characters(text: str) -> None:
    pieces = pieces_of(text.encode(errors="surrogatepass"))
    assert "".join(pieces) == decode_bytes(text.encode(errors="surrogatepass"))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd")))
def test_no_piece_of_valid_text_holds_half_a_character(text: str) -> None:
    assert not any("\ufffd" in piece for piece in pieces_of(text.encode()))


def test_a_character_of_four_tokens_comes_with_the_last() -> None:
    assert pieces_of("a😀".encode()) == ["a", "", "", "", "😀", ""]


def test_an_unfinished_character_is_told_at_the_end() -> None:
    assert pieces_of(b"a\xf0\x9f") == ["a", "", "", "\ufffd"]


@given(
    st.lists(st.text(alphabet="abc", max_size=4), max_size=12),
    st.lists(st.text(alphabet="abc", min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_stop_words_cut_exactly_where_the_first_begins(pieces: list[str], words: list[str]) -> None:
    stop = StopWords(words)
    told = "".join(stop.add(piece) for piece in pieces) + stop.finish()
    whole = "".join(pieces)
    places = [whole.find(word) for word in words if word in whole]
    assert stop.found == bool(places)
    if not places:
        assert told == whole
        return
    assert whole.startswith(told)
    assert not any(word in told for word in words)


def test_text_that_may_be_a_stop_word_waits() -> None:
    stop = StopWords(["###"])
    assert [stop.add("a#"), stop.add("#b"), stop.add("##"), stop.add("#c")] == ["a", "##b", "", ""]
    assert stop.found


@pytest.mark.parametrize("words", [[], ["zz"]])
def test_without_a_stop_word_text_flows_at_once(words: list[str]) -> None:
    assert StopWords(words).add("hello") == "hello"
