"""Bytes to lines: every cut gives the same text."""

import errno
import os
from pathlib import Path

import pytest

from training_engine.contract.log_lines import parse_line
from training_engine.contract.names import MAX_LOG_LINE_BYTES
from training_engine.run_host.lines import LineAssembler, safe_text
from training_engine.run_host.log_file import LogFile

AT = "2026-01-02T03:04:05.678Z"


def texts(chunks: list[bytes]) -> list[str]:
    assembler = LineAssembler("out")
    lines = [line for chunk in chunks for line in assembler.feed(chunk, AT)]
    lines += assembler.finish(AT)
    parsed = [parse_line(line.removesuffix("\n")) for line in lines]
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
    lines = assembler.feed(b"\0" * 60_000 + b"\n", AT)
    assert len(lines) == 4
    assert max(len(line) for line in lines) < MAX_LOG_LINE_BYTES + 100


def test_an_endless_progress_bar_takes_no_memory() -> None:
    assembler = LineAssembler("out")
    for i in range(20_000):
        assert assembler.feed(f"{i} of many, and then some more text\r".encode(), AT) == []
    assert assembler.finish(AT)[0].endswith("19999 of many, and then some more text\n")


def test_controls_can_not_reach_a_terminal() -> None:
    assert safe_text(b"\x1b]0;title\x07\x1b[1;31mred\x1b[m\x08\x7f") == "red\\x08\\x7f"
    assert safe_text("a\u2028b\x85".encode()) == "a\\u2028b\\x85"


def test_what_a_full_disk_took_is_said_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogFile(tmp_path / "output.log")
    log.write(["one\n"], AT)
    real = os.write

    def full(descriptor: int, content: bytes) -> int:
        if len(content) > 3:
            return real(descriptor, content[:3])  # torn
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    log.write(["two\n", "three\n"], AT)
    log.write(["four\n"], AT)
    assert (tmp_path / "output.log").read_text() == "one\n"
    monkeypatch.setattr(os, "write", real)
    log.write(["five\n"], AT)
    log.close(AT)
    first, gap, last = (tmp_path / "output.log").read_text().splitlines()
    assert (first, last) == ("one", "five")
    assert gap == (
        f"{AT} WARNING host dropped: 3 lines, they could not be written (No space left on device)"
    )


def test_the_log_has_a_limit(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "output.log", max_bytes=20)
    for _ in range(10):
        log.write(["12345678\n"], AT)
    log.close(AT)
    lines = (tmp_path / "output.log").read_text().splitlines()
    assert lines[:2] == ["12345678"] * 2
    assert "dropped: 8 lines, the log has reached its limit" in lines[2]
    assert len(lines) == 3
