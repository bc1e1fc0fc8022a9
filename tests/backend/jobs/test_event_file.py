"""Reading events by offset: whole lines only, bad ones stepped over."""

import json
from pathlib import Path

import pytest

from backend.jobs import event_file
from backend.jobs.event_file import last_event, read_events
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.events import Failed, Finished, Metrics


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Twenty steps and an end."""
    with EventWriter(tmp_path) as events:
        events.write("started", device="cpu", dtype="float32", device_reason="test", versions={})
        for step in range(1, 21):
            events.write("metrics", step=step, values={"loss": float("nan") if step == 7 else 1.0})
        events.write("finished", step=20)
    return tmp_path / "events.jsonl"


def test_stretches_make_the_whole(written: Path) -> None:
    found, offset = [], 0
    while True:
        events, end = read_events(written, offset, max_bytes=300)
        if end == offset:
            break
        assert events[0].offset == offset
        assert events[-1].end == end
        found += [placed.event for placed in events]
        offset = end
    assert [event.seq for event in found] == list(range(22))
    assert offset == written.stat().st_size
    [nan] = [event for event in found if isinstance(event, Metrics) and event.step == 7]
    assert nan.values == {"loss": None}


def test_every_cut_of_the_file_gives_only_whole_events(written: Path) -> None:
    content = written.read_bytes()
    for cut in range(0, len(content), 37):
        written.write_bytes(content[:cut])
        events, end = read_events(written, 0)
        assert end == content[:cut].rfind(b"\n") + 1
        assert len(events) == content[:cut].count(b"\n")


def test_an_unknown_line_does_not_hold_up_the_next(written: Path) -> None:
    lines = written.read_bytes().splitlines(keepends=True)
    bad = [b"not json\n", b"{}\n", b'{"v":1,"seq":5,"type":"surprise"}\n', b"\xff\xfe\n", b"\n"]
    written.write_bytes(b"".join([lines[0], *bad, *lines[1:]]))
    events, end = read_events(written, 0)
    assert [placed.event.seq for placed in events] == list(range(22))
    assert end == written.stat().st_size


@pytest.mark.parametrize(
    "event",
    [
        {"type": "progress", "phase": "training", "step": 2**31},
        {"type": "progress", "phase": "training", "step": -1},
        {"type": "progress", "phase": "training", "step": 1, "total_steps": 10**30},
        {"type": "stopped", "step": 10**400},
        {"type": "checkpoint", "step": 1, "name": "s", "size_bytes": 2**63, "manifest_sha256": ""},
        {"type": "notice", "level": "info", "code": "x", "message": "", "params": {"n": 10**30}},
        {"type": "notice", "level": "info", "code": "x", "message": "\ud800"},
    ],
)
def test_what_no_column_holds_is_stepped_over(written: Path, event: dict[str, object]) -> None:
    first, *rest = written.read_bytes().splitlines(keepends=True)
    line = json.dumps({"v": 1, "seq": 99, "at": "2026-01-01T00:00:00Z", **event}).encode() + b"\n"
    written.write_bytes(b"".join([first, line, *rest, line]))
    events, end = read_events(written, 0)
    assert [placed.event.seq for placed in events] == list(range(22))
    assert end == written.stat().st_size
    assert isinstance(last_event(written), Finished)


def test_a_nul_in_what_an_error_quotes_does_not_hide_the_error(tmp_path: Path) -> None:
    with EventWriter(tmp_path) as events:
        events.write("failed", code="internal", message="bad name \0x", hint="Rename \0 it.")
    failed = last_event(tmp_path / "events.jsonl")
    assert isinstance(failed, Failed)
    assert (failed.message, failed.hint) == ("bad name \ufffdx", "Rename \ufffd it.")


def test_a_line_without_end_is_stepped_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_file, "MAX_EVENT_BYTES", 4096)
    file = tmp_path / "events.jsonl"
    at = "2026-01-01T00:00:00Z"
    event = {"v": 1, "seq": 0, "at": at, "type": "metrics", "step": 1, "values": {}}
    file.write_bytes(b"x" * 10_000 + b"\n" + json.dumps(event).encode() + b"\n")
    offset, found = 0, []
    for _ in range(10):
        events, offset = read_events(file, offset, max_bytes=1024)
        found += events
    assert [placed.event.seq for placed in found] == [0]
    assert offset == file.stat().st_size


def test_the_last_event_behind_much_else(written: Path) -> None:
    assert isinstance(last_event(written), Finished)
    with written.open("ab") as stream:
        stream.write(b'{"torn')
    assert isinstance(last_event(written), Finished)
    content = written.read_bytes()
    padding = b"x" * 200_000 + b"\n"
    written.write_bytes(padding + content)
    assert isinstance(last_event(written), Finished)


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert read_events(tmp_path / "events.jsonl", 0) == ([], 0)
    assert last_event(tmp_path / "events.jsonl") is None
