"""Examinations as a whole: hostile rows, many rows, one that is killed or stopped."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import psutil
import pytest

from backend.datasets.hygiene import findings, run, workers
from backend.datasets.versions import search_index
from backend.jobs.child import Stopped
from backend.settings import PROJECT_ROOT
from tests.backend.datasets.hygiene.made import asked, found_in, version, words

DERIVED = {"hygiene.json", "findings.arrow", "fingerprints.arrow", "search.arrow"}
PATIENCE_S = 120.0
MB = 1_000_000


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_everything_about_a_version(tmp_path: Path) -> None:
    rows = [
        asked("What is your mail?", "It is anna.berg@firma.de, write soon."),
        asked("What is your mail?", "It is anna.berg@firma.de, write soon."),
        asked("Say something", "  "),
        asked("Is it so?", "Yes."),
        asked("请介绍一下北京这座城市的历史", "北京有三千多年的建城史，是中国的首都。"),
        {
            "messages": [
                {"role": "user", "content": "call"},
                {"role": "assistant", "content": "", "tool_calls": [{"id": "a"}]},
            ]
        },
    ]
    result = run.examine(folder := version(tmp_path / "v1", rows), "x")
    counts = {"exact_duplicates": 1, "email": 2, "empty_answer": 1, "short_answer": 1}
    assert found_in(result) == counts
    assert result["examined_rows"] == 6
    assert {one["language"] for one in result["languages"]} >= {"en", "zh"}
    assert sum(one["rows"] for one in result["languages"]) == result["language_rows"] == 6
    first = result["findings"][0]["examples"][0]
    assert (first["index"], first["line"], first["other"], first["detail"]) == (
        1,
        2,
        0,
        "identical",
    )
    assert "berg" not in first["excerpt"]
    assert orjson.loads((folder / "hygiene.json").read_bytes()) == result
    assert findings.rows_of(folder, ["email", "empty_answer"]).tolist() == [0, 1, 2]
    assert findings.rows_of(folder, []).tolist() == []
    assert names_in(folder) > DERIVED
    assert not [name for name in names_in(folder) if name.startswith(run.SCRATCH)]


def test_findings_are_asked_for_by_their_names(tmp_path: Path) -> None:
    folder = version(tmp_path / "v1", [asked("a", "b")])
    with pytest.raises(findings.NotExamined):
        findings.rows_of(folder, ["email"])
    with pytest.raises(findings.UnknownFinding, match="no finding “mail”"):
        findings.rows_of(folder, ["mail"])


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"text": ""}],
        [asked("", "")] * 3,
        [{"text": "\x00\x00"}, {"text": "\x00"}, asked("\x00", "a\x00b")],
        [{"text": "😀🎉" * n} for n in range(50)],
        [{"text": "x" * MB}, {"text": "y"}, {"text": "12345 " * 20_000}],
        pytest.param(
            [{"text": "x" * 10 * MB}, {"text": "y"}, {"text": "12345 " * 200_000}],
            marks=pytest.mark.long,
        ),
        [
            {"text": "a", "label": None},
            {"text": "a", "label": ["x", "y"]},
            {"text": "a", "label": []},
        ],
        [{"text": "\ufdd0\ufdd1\u2028\ud7ff\U0010ffff"}],
        [{"something": "nobody understood"}, {"messages": "nor this"}],
        [{"chosen": [{"role": "assistant", "content": ""}], "rejected": [], "messages": []}],
    ],
    ids=[
        "none",
        "empty",
        "no-text",
        "nul",
        "emoji",
        "long",
        "longer",
        "labels",
        "strange",
        "raw",
        "no-turns",
    ],
)
def test_hostile_rows_are_examined_like_others(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    result = run.examine(folder := version(tmp_path / "v1", rows), "x")
    assert result["examined_rows"] == len(rows)
    assert findings.rows_of(folder, findings.NAMES).tolist() == sorted(
        set(findings.rows_of(folder, findings.NAMES).tolist())
    )


@pytest.mark.long
def test_on_all_cores_the_same_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(3)
    rows = [asked(" ".join(words(dice, 9)), f"mail a{n % 7}@b.org") for n in range(3000)]
    alone = run.examine(one := version(tmp_path / "v1", rows), "x")
    monkeypatch.setattr(run, "PARALLEL_FROM_BYTES", 0)
    monkeypatch.setattr(workers, "PIECE_ROWS", 1)  # a piece is a row group
    monkeypatch.setattr(run, "number_of_workers", lambda: 2)
    together = run.examine(two := version(tmp_path / "v2", rows), "x")
    assert {**alone, "seconds": 0} == {**together, "seconds": 0}
    texts = [pl.read_ipc(folder / "search.arrow") for folder in (one, two)]
    assert texts[0].equals(texts[1])
    search_index.build(two)
    assert pl.read_ipc(two / "search.arrow").equals(texts[0])


def test_a_stop_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = version(tmp_path / "v1", [asked(str(n), "b") for n in range(2000)])
    before = names_in(folder)

    def tick(done: int) -> None:
        if done > run.TOTAL / 2:
            raise Stopped

    with pytest.raises(Stopped):
        run.examine(folder, "x", tick)
    assert names_in(folder) - before <= {"search.arrow"}


def test_a_version_that_goes_meanwhile_is_no_version(tmp_path: Path) -> None:
    folder = version(tmp_path / "v1", [asked(str(n), "b") for n in range(2000)])

    def tick(done: int) -> None:
        if done and folder.exists():
            folder.rename(tmp_path / "gone")
            version(folder, [asked("another", "one")])

    with pytest.raises(FileNotFoundError):
        run.examine(folder, "x", tick)
    assert "hygiene.json" not in names_in(folder)
    with pytest.raises(FileNotFoundError):
        run.examine(tmp_path / "v9", "x")


def made_in(tmp_path: Path, count: int) -> Path:
    """A version of ordinary rows, and a run folder for its examination."""
    dice = random.Random(11)
    pool = words(dice, 20_000)
    rows = (
        asked(" ".join(dice.choices(pool, k=40)), " ".join(dice.choices(pool, k=60)))
        for _ in range(count)
    )
    folder = version(tmp_path / "v1", rows)
    (tmp_path / "run" / "control").mkdir(parents=True)
    spec = {"folder": str(folder), "version": 1, "then": [], "run_id": "r", "attempt": 1}
    (tmp_path / "run" / "spec.json").write_text(json.dumps(spec))
    return folder


def peak_of(pid: int) -> int:
    """The most memory that a process held, in bytes; 0 when it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(peak[1]) * 1024 if peak else 0


def started(tmp_path: Path, *prefix: str) -> subprocess.Popen[bytes]:
    command = [*prefix, sys.executable, "-m", "backend.datasets.hygiene.job", str(tmp_path / "run")]
    return subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL)


def events_of(tmp_path: Path) -> list[dict[str, Any]]:
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.long
def test_a_killed_examination_leaves_no_half_file_and_no_worker(tmp_path: Path) -> None:
    folder = made_in(tmp_path, 10_000)
    before = names_in(folder)
    child = started(tmp_path)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not list(folder.glob(f"{run.SCRATCH}*/fingerprints.arrow")):
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.01)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    left = names_in(folder) - before - {"search.arrow"}
    assert all(name.startswith((run.SCRATCH, "search.arrow.")) for name in left)
    run.examine(folder, "again")
    assert names_in(folder) - before == DERIVED


@pytest.mark.long
def test_many_rows_within_bounds_of_memory(tmp_path: Path) -> None:
    folder = made_in(tmp_path, 50_000)
    child = started(tmp_path)
    peaks: dict[int, int] = {}
    while child.poll() is None:
        with suppress(psutil.NoSuchProcess):
            job = psutil.Process(child.pid)
            for process in (job, *job.children(recursive=True)):
                peaks[process.pid] = max(peaks.get(process.pid, 0), peak_of(process.pid))
        time.sleep(0.05)
    assert child.returncode == 0
    assert peaks
    assert max(peaks.values()) < 600 * MB  # of the job and of each worker
    events = events_of(tmp_path)
    assert [e["type"] for e in (events[0], events[-1])] == ["started", "finished"]
    assert events[-1]["step"] == 50_000
    fractions = [e["fraction"] for e in events if e["type"] == "progress"]
    assert fractions == sorted(fractions)
    assert names_in(folder) > DERIVED


def test_a_damaged_version_is_a_failure_with_a_sentence(tmp_path: Path) -> None:
    folder = made_in(tmp_path, 10)
    (folder / "records.parquet").write_bytes(b"PAR1 is not enough")
    assert started(tmp_path).wait() == 1
    last = events_of(tmp_path)[-1]
    assert (last["type"], last["code"]) == ("failed", "internal")
    assert "could not be examined" in last["message"]
    assert "Examine it again" in last["hint"]
