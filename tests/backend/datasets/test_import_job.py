"""The import's own process: progress in rows, a stop at any moment, limits on what it may take."""

import gzip
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.datasets.importing import ceilings
from backend.datasets.importing import job as import_job
from backend.jobs import child
from training_engine.contract.events import Finished, Metrics, Progress, parse_event
from training_engine.contract.names import CONTROL_DIR, STOP_COMMAND, ExitCode

GOOD = '{"prompt": "a", "completion": "b"}\n'
NUMBER = 20_000


def prepared(folder: Path, files: dict[str, bytes], **how: Any) -> Path:
    """A run folder for an import of these files."""
    made = []
    for number, (name, content) in enumerate(files.items()):
        path = folder / f"upload{number}"
        path.write_bytes(content)
        made.append({"path": str(path), "filename": name})
    run_dir = folder / "run"
    (run_dir / CONTROL_DIR).mkdir(parents=True)
    spec = {"staging": str(folder / "staging"), "attempt": 1, "mapping": None, "version": 1}
    spec |= {"max_dropped_rows": 0, "run_id": "x", "kind": "import_dataset"} | how
    spec |= {"files": made} if len(made) > 1 else {"upload": made[0]["path"], "filename": name}
    (run_dir / "spec.json").write_text(json.dumps(spec))
    return run_dir


def events(run_dir: Path) -> list[Any]:
    return [parse_event(line) for line in (run_dir / "events.jsonl").read_bytes().splitlines()]


def summary(folder: Path) -> Any:
    return orjson.loads((folder / "staging/1/import.json").read_bytes())


def _parquet(folder: Path) -> bytes:
    table = pa.table({"prompt": ["a"] * NUMBER, "completion": ["b"] * NUMBER})
    pq.write_table(table, folder / "made")
    return (folder / "made").read_bytes()


def _zip(folder: Path) -> bytes:
    with zipfile.ZipFile(folder / "made", "w") as archive:
        archive.writestr("a.jsonl", GOOD * NUMBER)
    return (folder / "made").read_bytes()


KINDS = {
    "a.jsonl": lambda _: (GOOD * NUMBER).encode(),
    "b.jsonl": lambda _: (GOOD * NUMBER).encode("utf-16"),
    "a.json": lambda _: f"[{','.join([GOOD] * NUMBER)}]".encode(),
    "a.csv": lambda _: ("prompt,completion\n" + "a,b\n" * NUMBER).encode(),
    "a.txt": lambda _: ("text\n\n" * NUMBER).encode(),
    "a.parquet": _parquet,
    "a.jsonl.gz": lambda _: gzip.compress((GOOD * NUMBER).encode(), 0),
    "a.zip": _zip,
}


def test_progress_says_rows_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "REPORT_EVERY_S", 0.0)
    monkeypatch.setattr(child, "MEASURE_S", 0.0)
    for name, make in KINDS.items():
        folder = tmp_path / name
        folder.mkdir()
        run_dir = prepared(folder, {name: make(folder)})
        assert import_job.main([str(run_dir)]) == ExitCode.FINISHED
        found = events(run_dir)
        fractions = [e.fraction for e in found if isinstance(e, Progress)]
        assert fractions == sorted(fractions), name
        assert 0 <= fractions[0] < 0.5
        assert fractions[-1] > 0.9
        rates = [e for e in found if isinstance(e, Metrics)]
        assert all(e.values["rows_per_s"] >= 0 for e in rates)
        counted = [e.values["rows"] for e in rates]
        assert counted == sorted(counted)
        if name not in ("a.jsonl", "a.jsonl.gz", "a.zip"):  # those are a single piece
            assert len(counted) > 3, name
            assert 0 < counted[0] < NUMBER
            assert any(e.eta_s is not None for e in found if isinstance(e, Progress)), name
        assert isinstance(found[-1], Finished)
        assert found[-1].metrics["kept"] == NUMBER


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_ends_it_soon(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "REPORT_EVERY_S", 0.0)
    run_dir = prepared(tmp_path, {kind: KINDS[kind](tmp_path)})
    calls = 0
    listen = child.Ticker.listen

    def stop_at_the_second(self: child.Ticker) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            (run_dir / CONTROL_DIR / STOP_COMMAND).touch()
        listen(self)

    monkeypatch.setattr(child.Ticker, "listen", stop_at_the_second)
    assert import_job.main([str(run_dir)]) == ExitCode.STOPPED
    assert calls == 2
    assert not (tmp_path / "staging/1/import.json").exists()
    assert not (tmp_path / "staging/1/unpacked").exists()


def test_several_files_and_options_of_the_spec(tmp_path: Path) -> None:
    files = {"a.csv": "prompt;completion\nä;b\n".encode("cp1252"), "b.jsonl.gz": b""}
    files["b.jsonl.gz"] = gzip.compress(GOOD.encode())
    run_dir = prepared(tmp_path, files, options={"encoding": "cp1252"})
    assert import_job.main([str(run_dir)]) == ExitCode.FINISHED
    found = summary(tmp_path)
    assert (found["status"], found["num_rows"]) == ("ready", 2)
    assert [each["name"] for each in found["files"]] == ["a.csv", "b.jsonl"]
    assert found["options"] == {"encoding": "cp1252"}


def test_room_of_the_spec(tmp_path: Path) -> None:
    noise = gzip.compress(random.Random(0).randbytes(9000).hex().encode())
    run_dir = prepared(tmp_path, {"a.txt.gz": noise}, max_unpacked_bytes=10_000)
    assert import_job.main([str(run_dir)]) == ExitCode.FINISHED
    assert summary(tmp_path)["error"]["code"] == "archive_too_large"


def _in_a_process(code: str) -> str:
    """What a fresh process prints: limits must not reach this one."""
    done = subprocess.run(
        [sys.executable, "-c", f"from backend.datasets.importing import ceilings\n{code}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other limits")
def test_memory_and_time_have_ceilings() -> None:
    code = (
        "ceilings.MEMORY_BYTES, ceilings.MEMORY_SHARE = 2**29, 0\n"
        "with ceilings.lowered(0):\n"
        "    try:\n        bytearray(2**30)\n"
        "    except MemoryError:\n        print('refused')\n"
        "bytearray(2**30)\nprint('and free again')"
    )
    assert _in_a_process(code) == "refused\nand free again"
    code = (
        "ceilings.TIME_S = 1\n"
        "try:\n"
        "    with ceilings.lowered(0):\n"
        "        while True: pass\n"
        "except ceilings.TooSlow:\n    print('enough')"
    )
    assert _in_a_process(code) == "enough"


def test_ceilings_have_a_sentence() -> None:
    failure = import_job._failure(ceilings.TooSlow())
    assert failure["code"] == "bad_dataset"
    assert failure["hint"]
