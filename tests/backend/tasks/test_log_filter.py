"""Filters over blocks find exactly what looking at each line finds."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from backend.jobs.log_file import RawLine
from backend.tasks.log_filter import Filter, Matcher
from backend.tasks.log_line import parse
from backend.tasks.log_pattern import BadPattern, Pattern
from tests.effort import examples
from training_engine.contract.log_lines import LEVELS, STREAMS, format_head, timestamp

ATOMS = ["a", "b", r"\s", r"\d", "[^a]", "[ab]", ".", "^", "$", r"\W", r"\D", "(a|b)", "x*", r"\b",
         r"\B", "(?:ab)+", "[^b]{2}", r"\S", r"\w", r"\A", r"\z", " ", "[^]a]", "[]a]", r"[\]a]",
         "(?i)A", r"\Qa.\E", "[[:space:]]", r"\x61", "é", "[^é]",
         r"[\s]", "(?s).", r"\."]  # fmt: skip
TEXTS = st.text(alphabet="abA x1\té.]", max_size=6)


@examples(400)
@given(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=4), st.lists(TEXTS, max_size=8))
def test_a_pattern_finds_the_lines_that_match_alone(atoms: list[str], lines: list[str]) -> None:
    text = "".join(atoms)
    try:
        pattern = Pattern(text, case=True)
    except BadPattern:
        return
    content = "".join(line + "\n" for line in lines).encode()
    expected = [i for i, line in enumerate(lines) if re2.search(text, line)]
    assert pattern.lines(content) == expected
    pattern._runs = None
    assert pattern.lines(content) == expected


@given(st.text(max_size=30))
def test_no_pattern_breaks_anything(text: str) -> None:
    with suppress(BadPattern):
        Pattern(text, case=False).lines("some text\nä\n\n".encode() + b"\xff\n")


START = datetime(2026, 1, 1, tzinfo=UTC)
LINES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(LEVELS),
        st.sampled_from(STREAMS),
        st.sampled_from([None, 0, 1, 11]),
        st.sampled_from([(), ((0, 1, "31"),)]),
        st.one_of(TEXTS, st.sampled_from(["token hf_aaaaaaaaaaaa", "Loss 1", "ünï"])),
    ),
    max_size=12,
)
FILTERS = st.builds(
    Filter,
    levels=st.frozensets(st.sampled_from(LEVELS), max_size=2),
    streams=st.frozensets(st.sampled_from(STREAMS), max_size=2),
    ranks=st.frozensets(st.sampled_from([0, 1, 11]), max_size=2),
    q=st.sampled_from(["", "a", "A", "loss", "Ü", "*", "hf_", ".", "a b"]),
    case=st.booleans(),
    since=st.sampled_from([None, START + timedelta(seconds=1, microseconds=1)]),
    until=st.sampled_from([None, START + timedelta(seconds=2)]),
)


@examples(400)
@given(LINES, FILTERS)
def test_a_filter_wants_what_each_line_shows(lines: list, wanted: Filter) -> None:
    content = b""
    for second, level, stream, rank, colours, text in lines:
        at = timestamp((START + timedelta(seconds=second)).timestamp())
        head = format_head(at, level, stream, rank=rank, colours=colours)
        content += f"{head}{text}\n".encode()
    shown = [parse(RawLine(0, 0, line), 1, 1) for line in content.split(b"\n")[:-1]]

    def fits(line) -> bool:  # type: ignore[no-untyped-def]
        text, q = line.text, wanted.q
        if not wanted.case:
            text, q = text.lower(), q.lower()
        return (
            (not wanted.levels or line.level in wanted.levels)
            and (not wanted.streams or line.stream in wanted.streams)
            and (not wanted.ranks or line.rank in wanted.ranks)
            and q in text
            and (wanted.since is None or line.at >= wanted.since)
            and (wanted.until is None or line.at <= wanted.until)
        )

    expected = [i for i, line in enumerate(shown) if fits(line)]
    assert Matcher(wanted).indexes(content) == expected


@pytest.mark.parametrize("text", ["a.b", "(", "[x]", r"\d", "é*", "^$", "a\\", "终 +", "-", "&&"])
def test_literal_text_is_literal(text: str) -> None:
    content = f"2026-01-01T12:00:00.000Z INFO out x{text}y\n".encode()
    for case in (False, True):
        assert Matcher(Filter(q=text, case=case)).indexes(content) == [0]
        assert Matcher(Filter(q=text + "z", case=case)).indexes(content) == []


def test_times_at_the_ends_of_the_calendar() -> None:
    content = b"2026-01-01T12:00:00.000Z INFO out x\n"
    for far in (datetime.min, datetime.max):
        for zone in (timedelta(hours=23), timedelta(hours=-23)):
            at = far.replace(tzinfo=timezone(zone))
            assert Matcher(Filter(since=at)).indexes(content) == ([0] if at.year == 1 else [])
            assert Matcher(Filter(until=at)).indexes(content) == ([] if at.year == 1 else [0])


def test_lines_that_are_no_lines_of_a_log_are_searched_whole() -> None:
    content = b"torn piece\n2026-01-01T12:00:00.000Z INFO out fine\n\xff\xfe rubbish\n"
    assert Matcher(Filter(q="piece")).indexes(content) == [0]
    assert Matcher(Filter(q="rubbish", regex=True)).indexes(content) == [2]
    assert Matcher(Filter(levels=frozenset({"info"}))).indexes(content) == [1]
