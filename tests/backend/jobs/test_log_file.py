"""Reading a growing log by offset, checked against the whole file read at once."""

import random
import sys
from pathlib import Path

import pytest

from backend.jobs import log_file
from backend.jobs.log_file import (
    newlines_before,
    read_backward,
    read_forward,
    size_of,
    start_of_line,
    start_of_next,
    total_lines,
)
from backend.jobs.log_hole import Hole, hole_of
from training_engine.run_host.log_file import LogFile


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 64 bytes, so that small files cross many of them."""
    monkeypatch.setattr(log_file, "BLOCK_BYTES", 64)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """300 lines of many lengths, empty ones among them, and a torn last one."""
    rng = random.Random(7)
    lines = [bytes(rng.choices(b"abc \r\xff", k=rng.choice([0, 1, 5, 63, 64, 65, 200])))
             for _ in range(300)]  # fmt: skip
    file = tmp_path / "output.log"
    file.write_bytes(b"".join(line + b"\n" for line in lines) + b"torn")
    return file


def whole(file: Path) -> list[tuple[int, bytes]]:
    """Every complete line with its offset, the simple way."""
    content, found, at = file.read_bytes(), [], 0
    for part in content.split(b"\n")[:-1]:
        found.append((at, part))
        at += len(part) + 1
    return found


def test_pages_forwards_make_the_whole(log: Path) -> None:
    found, offset = [], 0
    while lines := read_forward(log, offset, 7, max_bytes=128):
        found += [(line.offset, line.content) for line in lines]
        offset = lines[-1].end
    assert found == whole(log)


def test_pages_backwards_make_the_whole(log: Path) -> None:
    found, offset = [], size_of(log)
    while lines := read_backward(log, offset, 7):
        found = [(line.offset, line.content) for line in lines] + found
        offset = lines[0].offset
    assert found == whole(log)


@pytest.mark.parametrize("count", [1, 2, 50, 300, 301, 10_000])
def test_the_last_lines(log: Path, count: int) -> None:
    lines = read_backward(log, size_of(log), count)
    assert [(line.offset, line.content) for line in lines] == whole(log)[-count:]


def test_line_numbers_in_any_order(log: Path) -> None:
    numbered = list(enumerate(whole(log)))
    random.Random(3).shuffle(numbered)
    for number, (offset, _) in numbered:
        assert newlines_before(log, offset) == number
    assert total_lines(log) == 300


def test_lines_are_found_by_their_number(log: Path) -> None:
    for number, (offset, _) in enumerate(whole(log), 1):
        assert start_of_line(log, number) == offset
    end = log.read_bytes().rfind(b"\n") + 1
    assert start_of_line(log, 301) == start_of_line(log, 10_000) == end
    assert start_of_line(log, 0) == start_of_line(log, -5) == 0


@pytest.fixture
def holed(tmp_path: Path) -> tuple[Path, list[tuple[int, int, bytes]]]:
    """A log with a hole, written by the real writer, and its lines: number, offset, content."""
    file = tmp_path / "output.log"
    writer = LogFile(file, max_bytes=20_000, head_bytes=3_000, step_bytes=5_000)
    offset, lines = 0, []
    for i in range(2_000):
        content = b"line %04d %s" % (i, b"x" * (i % 90))
        lines.append((i + 1, offset, content))
        writer.write(content + b"\n", "2026-01-01T12:00:00.000Z")
        offset += len(content) + 1
        if i % 100 == 0 or i == 1_999:
            hole = hole_of(file)
            if hole.end:
                check_holed(file, hole, lines)
    writer.close("")
    return file, lines


def check_holed(file: Path, hole: Hole, lines: list[tuple[int, int, bytes]]) -> None:
    """Everything that is kept is where it was, under the number it had."""
    before = [line for line in lines if line[1] < hole.start - 160]
    after = [line for line in lines if line[1] >= hole.end]
    assert len(before) + hole.lines + len(after) == len(lines)
    kept = [(offset, content) for _, offset, content in (*before, *after)]
    forward, offset = [], 0
    while found := read_forward(file, offset, 7, max_bytes=128):
        forward += [(line.offset, line.content) for line in found]
        offset = found[-1].end
    gap = forward.pop(len(before))
    assert f"dropped: {hole.lines} lines".encode() in gap[1]
    assert forward == kept
    backward, offset = [], size_of(file)
    while found := read_backward(file, offset, 7):
        backward = [(line.offset, line.content) for line in found] + backward
        offset = found[0].offset
    assert backward.pop(len(before)) == gap
    assert backward == kept
    for number, at, _ in (*before[-20:], *after[:20], *after[-5:]):
        assert newlines_before(file, at) == number - 1
        assert start_of_line(file, number) == at
    gone = len(before) + hole.lines // 2
    assert start_of_line(file, gone) == gap[0]
    assert start_of_next(file, gap[0]) == hole.end
    assert start_of_next(file, (hole.start + hole.end) // 2) == hole.end
    assert total_lines(file) == len(lines)


@pytest.mark.skipif(sys.platform != "linux", reason="holes are made by Linux")
def test_a_log_with_a_hole(holed: tuple[Path, list[tuple[int, int, bytes]]]) -> None:
    file, lines = holed
    hole = hole_of(file)
    assert hole.lines > 1_000
    check_holed(file, hole, lines)


def test_the_start_of_the_next_line_from_anywhere(log: Path) -> None:
    starts = [offset for offset, _ in whole(log)] + [log.read_bytes().rfind(b"\n") + 1]
    for at in range(0, starts[-1], 11):
        assert start_of_next(log, at) == min(start for start in starts if start > at)
    assert start_of_next(log, starts[-1]) == size_of(log)
    assert start_of_next(log, 10**9) == size_of(log)


def test_a_torn_line_waits_for_its_end(log: Path) -> None:
    offset = log.read_bytes().rfind(b"\n") + 1
    assert read_forward(log, offset, 10) == []
    with log.open("ab") as stream:
        stream.write(b" no more\nnext")
    [line] = read_forward(log, offset, 10)
    assert line.content == b"torn no more"
    assert total_lines(log) == 301


def test_a_line_longer_than_a_page_comes_whole(tmp_path: Path) -> None:
    file = tmp_path / "output.log"
    file.write_bytes(b"x" * 5000 + b"\nshort\n")
    first, *_ = read_forward(file, 0, 10, max_bytes=100)
    assert len(first.content) == 5000
    assert [line.content for line in read_backward(file, size_of(file), 2)][1] == b"short"


def test_numbers_follow_a_growing_file(log: Path) -> None:
    before = total_lines(log)
    for more in range(1, 40):
        with log.open("ab") as stream:
            stream.write(b"line\n")
        assert total_lines(log) == before + more


def test_another_file_under_the_same_name_is_counted_anew(log: Path) -> None:
    assert total_lines(log) == 300
    other = log.with_name("other")
    other.write_bytes(b"a\nb\n" + b"c" * 500 + b"\n")
    other.replace(log)
    assert total_lines(log) == 3


def test_no_file_is_an_empty_log(tmp_path: Path) -> None:
    file = tmp_path / "output.log"
    assert (size_of(file), total_lines(file), start_of_next(file, 5)) == (0, 0, 0)
    assert read_forward(file, 0, 5) == read_backward(file, 5, 5) == []


def test_a_page_of_a_large_log_reads_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "BLOCK_BYTES", 4096)
    file = tmp_path / "output.log"
    file.write_bytes(b"a line of the log\n" * 500_000)
    total_lines(file)
    read = 0
    plain_open = Path.open

    def counting_open(self: Path, *args: object, **kwargs: object) -> object:
        stream = plain_open(self, *args, **kwargs)  # type: ignore[call-overload]
        plain_read = stream.read

        class Counting:
            def __enter__(self) -> "Counting":
                return self

            def __exit__(self, *_: object) -> None:
                stream.close()

            def __getattr__(self, name: str) -> object:
                return getattr(stream, name)

            def read(self, size: int = -1) -> bytes:
                nonlocal read
                content: bytes = plain_read(size)
                read += len(content)
                return content

        return Counting()

    monkeypatch.setattr(Path, "open", counting_open)
    middle = 250_000 * 18
    assert newlines_before(file, middle) == 250_000
    assert len(read_forward(file, middle, 100)) == 100
    assert len(read_backward(file, middle, 100)) == 100
    assert read < 64 * 1024
