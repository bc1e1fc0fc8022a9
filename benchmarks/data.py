"""How quickly data comes in and is found again. Run: `make bench-data` (ARGS="--rows 1000000").

Writes a JSONL file of conversations (1,000,000 of them are about 1 GB), uploads it to a platform of
its own and imports it; then asks for pages and searches. Prints the speed of each beside a control
on the same machine in the same minutes: Python's `json` reading every line of the same file in one
process, which is what simple loaders do. Memory is how much the web process grows, and the most
that the import and its workers have together.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent))

from client import ROOT, Platform, fresh_folder, platform

ASKED = 20
COMMON, RARE, ABSENT = "the", "needle 77777", "zzzqqqzzz"
CONTROL_BYTES = 200_000_000
IMPORT = "backend.datasets.importing.job"


def row(what: str, value: str, target: str = "–") -> None:
    """One line of the table."""
    print(f"{what:<58}{value:>18}   target {target}", flush=True)


def sentences() -> list[str]:
    """Prose of this repository."""
    text = "\n".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
    found = re.split(r"(?<=[.:;?!])\s+", text)
    return [each for each in found if 20 < len(each) < 400]


def write_file(path: Path, rows: int) -> None:
    """Conversations of one to three questions; the same for the same number of rows."""
    chance, known = random.Random(1), sentences()

    def said(most: int) -> str:
        return " ".join(chance.choices(known, k=chance.randint(1, most)))

    with path.open("w") as file:
        for number in range(rows):
            turns: list[dict[str, str]] = []
            for _ in range(chance.choice((1, 1, 2, 2, 3))):
                turns.append({"role": "user", "content": said(2)})
                turns.append({"role": "assistant", "content": said(6)})
            if number == rows * 7 // 9:
                turns[0]["content"] += f" {RARE}"
            file.write(json.dumps({"messages": turns, "id": number}) + "\n")


class Memory(threading.Thread):
    """The largest memory of a platform's web process, and of its imports, while it runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._web = psutil.Process(pid)
        self._over = threading.Event()
        self._before = self._peak = self._web.memory_info().rss
        self._imports = 0

    def run(self) -> None:
        while not self._over.wait(0.5):
            self._peak = max(self._peak, self._web.memory_info().rss)
            imports = sum(map(self._share, self._web.children(recursive=True)))
            self._imports = max(self._imports, imports)

    @staticmethod
    def _share(process: psutil.Process) -> int:
        """What an import's process has in memory; pages that several share count once in all."""
        with suppress(psutil.Error):
            if IMPORT in process.cmdline():
                return int(process.memory_full_info().pss)
        return 0

    def end(self) -> tuple[float, float]:
        """Growth of the web process, and most that imports had, in MB."""
        self._over.set()
        return (self._peak - self._before) / 1e6, self._imports / 1e6


def control(path: Path) -> float:
    """MB/s of `json.loads` for every line, in one process."""
    begun, size = time.perf_counter(), 0
    with path.open("rb") as file:
        for line in file:
            json.loads(line)
            size += len(line)
            if size > CONTROL_BYTES:
                break
    return size / 1e6 / (time.perf_counter() - begun)


def measure_import(running: Platform, path: Path) -> dict[str, Any]:
    """Upload, import, and what both cost the web process."""
    size = path.stat().st_size / 1e6
    memory = Memory(running.process.pid)
    memory.start()
    begun = time.perf_counter()
    with path.open("rb") as file:
        dataset = running.call("POST", "/datasets", files={"file": file}, timeout=3600)
    uploaded = time.perf_counter()
    done = running.wait(f"/datasets/{dataset['id']}", ("ready", "failed", "blocked"), 3600, 0.5)
    took = time.perf_counter() - uploaded
    if done["status"] != "ready":
        raise SystemExit(f"The import ended as {done['status']}: {done['error']}")
    plain = control(path)
    row("file", f"{size:.0f} MB, {done['num_rows']} rows")
    row("upload", f"{size / (uploaded - begun):.0f} MB/s")
    row("import, from the last byte to ready", f"{size / took:.0f} MB/s", ">= 100 MB/s")
    row("control: json.loads of each line", f"{plain:.0f} MB/s")
    row("import : control", f"{size / took / plain:.2f}")
    growth, imports = memory.end()
    row("growth of the web process meanwhile", f"{growth:.0f} MB", "< 100 MB")
    row("peak memory of the import and its workers", f"{imports:.0f} MB")
    return done


def measure_reading(running: Platform, dataset: dict[str, Any]) -> None:
    """Pages anywhere, and searches for what is everywhere, in one row, and nowhere."""
    chance = random.Random(2)
    path, rows = f"/datasets/{dataset['id']}/rows", dataset["num_rows"]
    asked("first page", running, path, [{"offset": 0}])
    places = [{"offset": chance.randrange(rows)} for _ in range(ASKED)]
    asked("pages of 100 rows anywhere", running, path, places)
    asked("first search", running, path, [{"q": COMMON}])
    for word in (COMMON, RARE, ABSENT):
        # Another word each time: the platform remembers what was just searched.
        words = [{"q": word[: len(word) - n % 2] + " " * (n % 3)} for n in range(6)]
        asked(f"search for “{word}”", running, path, words)
    few = running.call("GET", path, params={"q": RARE})["total"]
    if few != 1:
        raise SystemExit(f"“{RARE}” is in one row, and {few} were found")


def asked(what: str, running: Platform, path: str, questions: list[dict[str, Any]]) -> None:
    """Median and longest time of these requests."""
    times = []
    for question in questions:
        begun = time.perf_counter()
        running.call("GET", path, params={"limit": 100, **question})
        times.append(1000 * (time.perf_counter() - begun))
    middle = statistics.median(times)
    row(
        f"{what}, median (longest) of {len(times)}",
        f"{middle:.0f} ({max(times):.0f}) ms",
        "< 300 ms",
    )


def wait_for_examination(running: Platform, dataset: dict[str, Any]) -> None:
    """Until what is made after an import is there: the search index, and what rows hide."""
    begun = time.perf_counter()
    done = ("ready", "failed")
    found = running.wait(f"/datasets/{dataset['id']}/hygiene", done, 3600)
    took = time.perf_counter() - begun
    row(f"examined afterwards ({found['status']})", f"{took:.0f} s")


def main() -> None:
    """Measure everything on a platform of its own."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with fresh_folder() as folder:
        path = folder / "conversations.jsonl"
        write_file(path, rows)
        with platform(folder / "platform") as running:
            running.sign_in()
            dataset = measure_import(running, path)
            wait_for_examination(running, dataset)
            measure_reading(running, dataset)


if __name__ == "__main__":
    main()
