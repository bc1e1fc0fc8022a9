"""The format of `output.log`: what is written is read back, and levels are what lines claim."""

from datetime import UTC, datetime

import pytest

from training_engine.contract.log_lines import (
    LogLine,
    format_line,
    infer_level,
    parse_line,
    timestamp,
)


def test_a_line_is_read_back() -> None:
    at = timestamp(1_700_000_000.25)
    assert at == "2023-11-14T22:13:20.250Z"
    line = format_line(at, "warning", "err", "two  words ", continued=True)
    assert line == "2023-11-14T22:13:20.250Z WARNING err+ two  words "
    moment = datetime(2023, 11, 14, 22, 13, 20, 250_000, UTC)
    assert parse_line(line) == LogLine(moment, "warning", "err", "two  words ", True)
    empty = parse_line(format_line(at, "info", "out", ""))
    assert empty is not None
    assert empty.text == ""


@pytest.mark.parametrize(
    "line",
    ["", "hello", "now INFO out x", "2023-11-14T22:13:20.250Z LOUD out x", b"\xff\xfe", "a b c d"],
)
def test_other_lines_are_refused(line: str | bytes) -> None:
    assert parse_line(line) is None


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("step 1/3  loss 1.2", "info"),
        ("WARNING: careful", "warning"),
        ("[ERROR] gone", "error"),
        ("2026-01-01 10:00:00,123 - ERROR - boom", "error"),
        ("DEBUG:root:detail", "debug"),
        ("/a/b.py:12: UserWarning: old", "warning"),
        ("torch.OutOfMemoryError: no room", "error"),
        ("Traceback (most recent call last):", "error"),
        ("errors were few", "info"),
        ("[1/3] compiling", "info"),
    ],
)
def test_levels(text: str, level: str) -> None:
    assert infer_level(text, "out") == level


def test_stderr_without_a_level_is_a_warning() -> None:
    assert infer_level("something odd", "err") == "warning"
    assert infer_level("INFO all is well", "err") == "info"
