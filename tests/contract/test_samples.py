"""The samples of the contract: what stands in `samples/` is what both programs understand.

The same files are read by the documentation, so a change that breaks them is a change of contract.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from training_engine.contract.event_writer import EventWriter
from training_engine.contract.events import TERMINAL_TYPES, Event, parse_event
from training_engine.contract.log_lines import parse_line
from training_engine.contract.names import CONTRACT_VERSION
from training_engine.contract.records import Record
from training_engine.contract.spec import RunSpec

SAMPLES = Path(__file__).parent / "samples"


def lines(name: str) -> list[bytes]:
    return (SAMPLES / name).read_bytes().splitlines()


@pytest.mark.parametrize("name", ["spec-lora.json", "spec-full.json"])
def test_specs(name: str) -> None:
    content = (SAMPLES / name).read_bytes()
    spec = RunSpec.model_validate_json(content)
    assert spec.contract_version == CONTRACT_VERSION
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec
    assert set(json.loads(content)) <= set(RunSpec.model_fields)


@pytest.mark.parametrize("name", ["events-finished.jsonl", "events-failed.jsonl"])
def test_events(name: str) -> None:
    events: list[Event] = [parse_event(line) for line in lines(name)]
    assert [event.seq for event in events] == list(range(len(events)))
    assert events[0].type == "started"
    assert [event.type in TERMINAL_TYPES for event in events] == [False] * (len(events) - 1) + [
        True
    ]


def test_every_type_of_event_has_a_sample() -> None:
    seen = {
        json.loads(line)["type"] for path in SAMPLES.glob("events*") for line in lines(path.name)
    }
    seen |= {json.loads(line)["type"] for line in lines("stopped.jsonl")}
    assert seen == {
        "started", "progress", "metrics", "checkpoint", "notice", "samples",
        "finished", "stopped", "failed",
    }  # fmt: skip


def test_records() -> None:
    records = [Record.model_validate_json(line) for line in lines("records.jsonl")]
    assert all(record.messages or record.text is not None for record in records)


def test_log() -> None:
    found = [parse_line(line) for line in lines("output.log")]
    assert all(found)
    assert {line.stream for line in found if line} == {"out", "err", "host"}
    assert any(line.continued for line in found if line)


@pytest.mark.parametrize(
    "line",
    [
        '{"v": 1, "seq": 0, "at": "2026-01-01T00:00:00Z", "type": "surprise"}',
        '{"v": 1, "seq": 0, "at": "2026-01-01T00:00:00Z", "type": "metrics", "step": 1,'
        ' "values": {"loss": NaN}}',
        '{"v": 1, "seq": 0, "at": "2026-01-01T00:00:00Z", "type": "failed", "code": "bad_luck",'
        ' "message": "", "hint": ""}',
        '{"v": 1, "seq": 0, "type": "stopped", "step": 1}',
        "{",
    ],
)
def test_what_is_unknown_is_refused(line: str) -> None:
    with pytest.raises(ValidationError):
        parse_event(line)


def test_the_writer_ends_once_and_writes_no_bare_nan(tmp_path: Path) -> None:
    with EventWriter(tmp_path) as writer:
        writer.write("metrics", step=1, values={"loss": float("nan"), "rate": float("inf")})
        writer.write("stopped", step=1)
        with pytest.raises(RuntimeError):
            writer.write("stopped", step=1)
    first, last = (
        parse_event(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()
    )
    assert first.values == {"loss": None, "rate": None}
    assert (last.type, last.seq) == ("stopped", 1)


def test_a_line_that_finds_no_room_leaves_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    with EventWriter(tmp_path) as writer:
        writer.write("metrics", step=1, values={"loss": 1.0})
        monkeypatch.setattr(os, "write", lambda file, content: write(file, content[:20]))
        with pytest.raises(OSError, match="could not be continued"):
            writer.write("metrics", step=2, values={"loss": 0.5})
        monkeypatch.undo()
        writer.write("failed", code="disk_full", message="The disk is full.", hint="Free space.")
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert [parse_event(line).type for line in lines] == ["metrics", "failed"]


def test_the_contract_is_cheap_to_import() -> None:
    """The API process imports it; the run host imports only names and log lines."""
    code = (
        "import sys, training_engine.contract.spec, training_engine.contract.events,"
        " training_engine.contract.records, training_engine.contract.event_writer,"
        " training_engine.contract.serving, training_engine.contract.model_folder;"
        "print(*({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    host = "import sys, training_engine.__main__; print(*({'pydantic'} & set(sys.modules)))"
    for program in (code, host):
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, timeout=60
        )
        assert done.stdout.split() == []
