"""Bytes to lines: every cut gives the same text."""

import errno
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import examples
from training_engine.contract.log_lines import Stream, parse_line
from training_engine.contract.names import MAX_LOG_LINE_BYTES
from training_engine.run_host import log_file
from training_engine.run_host.colours import MAX_SPANS, Colours
from training_engine.run_host.lines import LineAssembler, safe_text
from training_engine.run_host.log_file import LogFile
from training_engine.run_host.quick import formatted

AT = "2026-01-02T03:04:05.678Z"


def texts(chunks: list[bytes]) -> list[str]:
    assembler = LineAssembler("out")
    content = b"".join(assembler.feed(chunk, AT) for chunk in chunks) + assembler.finish(AT)
    assert not content or content.endswith(b"\n")
    parsed = [parse_line(line) for line in content.split(b"\n")[:-1]]
    whole, start = [], ""
    for line in parsed:
        assert line is not None
        start += line.text
        if not line.continued:
            whole.append(start)
            start = ""
    return whole


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_cuts_do_not_matter(size: int) -> None:
    content = "plain\n终于\r\n\n 5%\r 50%\rdone\ntorn é".encode() + b"\n\xff\x00\nend"
    chunks = [content[i : i + size] for i in range(0, len(content), size)]
    assert texts(chunks) == ["plain", "终于", "", "done", "torn é", "\\xff\\x00", "end"]


def test_a_long_line_is_not_cut_inside_a_character() -> None:
    content = "a" + "界" * 100_000
    chunk = content.encode()
    chunks = [chunk[i : i + 65_536] for i in range(0, len(chunk), 65_536)]
    assert texts([*chunks, b"\n"]) == [content]


def test_a_line_that_grows_by_escaping_is_split_again() -> None:
    assembler = LineAssembler("out")
    lines = assembler.feed(b"\0" * 60_000 + b"\n", AT).splitlines()
    assert len(lines) == 4
    assert max(len(line) for line in lines) < MAX_LOG_LINE_BYTES + 100


def test_an_endless_progress_bar_takes_no_memory() -> None:
    assembler = LineAssembler("out")
    for i in range(20_000):
        assert assembler.feed(f"{i} of many, and then some more text\r".encode(), AT) == b""
    assert assembler.finish(AT).endswith(b"19999 of many, and then some more text\n")


def test_controls_can_not_reach_a_terminal() -> None:
    strange = b"\x1b]0;title\x07\x1b[2K\x1b[1;31mred\x1b[m\x08\x7f"
    assert safe_text(strange, Colours()) == ("red\\x08\\x7f", [(0, 3, "31;1")])
    assert safe_text("a\u2028b\x85".encode(), Colours()) == ("a\\u2028b\\x85", [])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["plain \x1b[32mgreen\x1b[0m plain"], [("plain green plain", [(6, 11, "32")])]),
        (["\x1b[31mtwo", "lines\x1b[m done"], [("two", [(0, 3, "31")]),
                                                ("lines done", [(0, 5, "31")])]),
        (["\x1b[38;5;208m终于\x1b[39m!"], [("终于!", [(0, 2, "38;5;208")])]),
        (["\x1b[1m\x1b[38;2;1;2;3mx\x1b[22my"],
         [("xy", [(0, 1, "38;2;1;2;3;1"), (1, 2, "38;2;1;2;3")])]),
        ([" 5%\r\x1b[32m100%\x1b[0m"], [("100%", [(0, 4, "32")])]),
        (["\x1b[38;5mx\x1b[48my\x1b[999;;mz"], [("xyz", [])]),
        (["\x1b[31ma\x1b[31mb\x1b[2Kc"], [("abc", [(0, 3, "31")])]),
    ],
)  # fmt: skip
def test_colours_stand_beside_the_text(
    lines: list[str], expected: list[tuple[str, list[tuple[int, int, str]]]]
) -> None:
    assembler = LineAssembler("out", rank=3)
    content = assembler.feed("".join(line + "\n" for line in lines).encode(), AT)
    parsed = [parse_line(line) for line in content.split(b"\n")[:-1]]
    assert [(line.text, list(line.colours)) for line in parsed if line] == expected
    assert {line.rank for line in parsed if line} == {3}


def test_the_colours_of_a_long_line_are_split_with_it() -> None:
    assembler = LineAssembler("out")
    chunk = b"\x1b[31m" + b"a" * 100_000 + b"\x1b[32m" + b"b" * 10 + b"\n"
    content = assembler.feed(chunk, AT)
    shown = ""
    for line in map(parse_line, content.split(b"\n")[:-1]):
        assert line is not None
        for start, end, code in line.colours:
            shown += code[1] * (end - start)
    assert shown == "1" * 100_000 + "2" * 10


def test_colours_of_every_character_do_not_grow_without_end() -> None:
    content = LineAssembler("out").feed(b"\x1b[31ma\x1b[32mb" * 5_000 + b"\n", AT)
    line = parse_line(content[:-1])
    assert line is not None
    assert line.text == "ab" * 5_000
    assert len(line.colours) == MAX_SPANS


WORDS = ["step 1", "", " ", "INFO: a", "ERROR b", "[warn] c", "a.b.ValueError: d", "info: e",
         "é终",
         "Traceback (most recent call last):", "  File x", "2026-01-02 10:00:00,1 - ERROR - f",
         "/a.py:1: UserWarning: g", "Exception: ", "\x1b[31mred", "x\x85y", "errors",
         "\tz"]  # fmt: skip


@examples(200)
@given(
    st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=8)), max_size=12),
    st.sampled_from(["out", "err"]),
)
def test_the_quick_way_says_the_same(lines: list[str], stream: Stream) -> None:
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    one_by_one = LineAssembler(stream)
    slow = b"".join(one_by_one._format(line, AT, more=False) for line in content.split(b"\n"))
    quick = formatted(content, AT, stream, None)
    assert quick is None or quick == slow


def test_a_flood_takes_the_quick_way() -> None:
    plain = "\n".join(f"flood {i}  终" for i in range(20_000))
    assert formatted(plain.encode(), AT, "out", None) is not None
    assert formatted(b"x" * 70_000, AT, "out", None) is None


def test_what_a_full_disk_took_is_said_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogFile(tmp_path / "output.log")
    log.write(b"one\n", AT)
    real = os.write

    def full(descriptor: int, content: bytes) -> int:
        if len(content) > 3:
            return real(descriptor, content[:3])  # torn
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    log.write(b"two\nthree\n", AT)
    log.write(b"four\n", AT)
    assert (tmp_path / "output.log").read_text() == "one\n"
    monkeypatch.setattr(os, "write", real)
    log.write(b"five\n", AT)
    log.close(AT)
    first, gap, last = (tmp_path / "output.log").read_text().splitlines()
    assert (first, last) == ("one", "five")
    assert gap == (
        f"{AT} WARNING host dropped: 3 lines, they could not be written (No space left on device)"
    )


def test_without_holes_the_log_ends_at_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "_punch", lambda *_: False)
    log = LogFile(tmp_path / "output.log", max_bytes=20)
    for _ in range(10):
        log.write(b"12345678\n", AT)
    log.close(AT)
    lines = (tmp_path / "output.log").read_text().splitlines()
    assert lines[:2] == ["12345678"] * 2
    assert "dropped: 8 lines, the log has reached its limit" in lines[2]
    assert len(lines) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="holes are made by Linux")
def test_a_log_at_its_limit_keeps_its_beginning_and_its_newest_lines(tmp_path: Path) -> None:
    file = tmp_path / "output.log"
    limit, head, step = 400_000, 50_000, 100_000
    log = LogFile(file, max_bytes=limit, head_bytes=head, step_bytes=step)
    for i in range(0, 60_000, 50):
        lines = b"".join(b"line %06d\n" % n for n in range(i, i + 50))
        log.write(lines, AT)
        assert file.stat().st_blocks * 512 <= limit + 16_384
    log.close(AT)
    hole = json.loads((tmp_path / "output.hole.json").read_text())
    content = file.read_bytes()
    assert len(content) >= 60_000 * 12  # what is kept stays at its offset
    assert content[hole["start"] : hole["end"]].strip(b"\0") == b""
    before, after = content[: hole["start"]].splitlines(), content[hole["end"] :].splitlines()
    assert before[0] == b"line 000000"
    assert len(b"\n".join(before)) >= head
    assert f"dropped: {hole['lines']} lines, the log has reached".encode() in before[-1]
    kept = [int(line.split()[1]) for line in (*before[:-1], *after)]
    assert kept[: len(before) - 1] == list(range(len(before) - 1))
    assert kept[len(before) - 1 :] == list(range(len(before) - 1 + hole["lines"], 60_000))
