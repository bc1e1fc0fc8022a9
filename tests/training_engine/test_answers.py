"""Answers in training as a person reads them."""

from pathlib import Path

import pytest

from tests.training_engine.data import templates
from training_engine.sampling import answer_text

END = 258


@pytest.mark.parametrize(
    ("text", "bytes_missing", "ends", "shown"),
    [
        ("你好", 0, False, "你好"),
        ("你好", 1, False, "你"),
        ("你好", 2, False, "你"),
        (" fine \ufffd", 0, True, "fine \ufffd"),
        ("", 0, True, ""),
    ],
)
def test_an_answer_that_was_cut_does_not_end_in_half_a_character(
    tmp_path: Path, text: str, bytes_missing: int, ends: bool, shown: str
) -> None:
    """The tiny tokenizer writes a token per byte; a whole answer keeps what the model said."""
    tokenizer = templates.load(tmp_path, templates.CHATML)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    ids = ids[: len(ids) - bytes_missing] + [END] * ends
    assert answer_text(tokenizer, ids, {END}) == shown
