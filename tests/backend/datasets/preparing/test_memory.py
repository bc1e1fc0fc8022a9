"""Memory does not grow with the rows: a large version is prepared in what a small one takes."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from backend.datasets.versions.records import RecordWriter
from backend.datasets.versions.rows import Rows
from backend.processes.spawn import environment

GROWTH_BYTES = 120 * 1024 * 1024
ROWS = 200_000
PEAK = """
import resource, sys, orjson
from pathlib import Path
from backend.datasets.preparing.run import prepare
spec = orjson.loads(sys.stdin.buffer.read())
for name in ("out", "temp"):
    Path(spec[name]).mkdir()
summary = prepare(spec, Path(spec["out"]), Path(spec["temp"]), lambda rows: None)
print(summary["num_rows"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
STEPS = [
    {"kind": "shuffle", "seed": 1},
    {"kind": "map", "changes": [{"kind": "set_system", "text": "Be kind."}]},
    {"kind": "split", "fractions": {"validation": 0.1}, "order": ["train", "validation"]},
]


def _version(folder: Path, number: int) -> Path:
    folder.mkdir()
    writer = RecordWriter(folder)
    for start in range(0, number, 1000):
        rows = Rows()
        for n in range(start, min(start + 1000, number)):
            answer = f"{n} " * 120
            turns = [{"role": "user", "content": f"Question {n}"}]
            rows.add({"messages": [*turns, {"role": "assistant", "content": answer}]}, n + 1, {})
        writer.write(rows)
    writer.close()
    return folder


def _peak(folder: Path, base: Path) -> tuple[int, int]:
    """Rows of the result, and the most memory that it took."""
    spec = {
        "base": {"folder": str(base)},
        "record_type": "conversational",
        "steps": STEPS,
        "step_sources": [[], [], []],
        "max_dropped_rows": 0,
        "columns": [],
        "out": str(folder / f"{base.name}-out"),
        "temp": str(folder / f"{base.name}-temp"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PEAK],
        input=orjson.dumps(spec),
        stdout=subprocess.PIPE,
        env=environment(),
        check=True,
    )
    rows, peak = done.stdout.split()
    return int(rows), int(peak)


@pytest.mark.long
def test_a_hundred_times_as_many_rows_take_hardly_more_memory(tmp_path: Path) -> None:
    small = _peak(tmp_path, _version(tmp_path / "small", ROWS // 100))
    large = _peak(tmp_path, _version(tmp_path / "large", ROWS))
    assert (small[0], large[0]) == (ROWS // 100, ROWS)
    assert large[1] - small[1] < GROWTH_BYTES, (small, large)
