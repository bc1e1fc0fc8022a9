"""Logs at scale. Run: `make bench-streaming` (ARGS="--clients 200 --lines 100000 --seconds 10").

Three things, each beside a control on the same machine in the same minutes:
- a flood: an engine that computes and prints 100,000 lines per second under the run host; control:
  the same engine printing to a file. Every line must be on the disk, in order;
- many readers: clients of one live log; control: the barest server that sends the same bytes to as
  many sockets. Clients read in a process of their own;
- a long log: pages, filters and jumps in 1,000,000 lines; control: `grep -c` over the same file.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from client import ROOT, Platform, fresh_folder, platform
from flooding_engine import compute

from training_engine.contract.log_lines import format_line, timestamp
from training_engine.contract.names import EVENTS_FILE
from training_engine.run_host.lines import LineAssembler

HERE = Path(__file__).resolve().parent
STEPS_PER_S = 100
ROUNDS = 5
MARKS_PER_S = 10
PATIENCE_S = 60


def row(what: str, value: str, target: str = "–") -> None:
    """One line of the table."""
    print(f"{what:<62}{value:>20}   target {target}", flush=True)


def pieces_of(seconds: float) -> int:
    """How many pieces of work take so long, on this machine, now."""
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < 0.5:
        compute(50)
        done += 50
    return max(1, round(done * seconds / (time.perf_counter() - begun)))


def engine_run(folder: Path, spec: dict[str, int], *, hosted: bool) -> float:
    """Seconds that the steps took, under the run host or printing to a file."""
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(spec))
    environment = {**os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{ROOT}"}
    if hosted:
        argv = ["-m", "training_engine", str(folder), "--child", "flooding_engine"]
        subprocess.run([sys.executable, *argv], env=environment, check=True)
    else:
        argv = ["-m", "flooding_engine", str(folder)]
        with (folder / "output.log").open("wb") as log:
            subprocess.run([sys.executable, *argv], env=environment, stdout=log, check=True)
    return float(json.loads((folder / "speed.json").read_text())["took_s"])


def lines_lost(folder: Path, wanted: int) -> int:
    """How many lines are not in the log, or not in their place."""
    found = 0
    with (folder / "output.log").open("rb") as log:
        for number, line in enumerate(log):
            found += line.split(b" ", 5)[4] == b"%d" % number
    return wanted - found


def measure_flood(folder: Path, seconds: int, lines_per_s: int, threads: int) -> None:
    """The engine's speed under a flood, against the same engine that prints to a file."""
    lines = lines_per_s // STEPS_PER_S
    trial = {"steps": 100, "lines": lines, "work": 1, "threads": threads}
    printing = engine_run(folder / f"trial-{threads}", trial, hosted=False) / 100
    work = pieces_of(max(0.001, 1 / STEPS_PER_S - printing))
    rounds = 3
    spec = {**trial, "steps": seconds * STEPS_PER_S // rounds, "work": work}
    ratios, rates, lost = [], [], 0
    for number in range(rounds):
        place = folder / f"flood-{threads}-{number}"
        plain = engine_run(place / "file", spec, hosted=False)
        took = engine_run(place / "host", spec, hosted=True)
        ratios.append(took / plain - 1)
        rates.append(spec["steps"] * lines / took)
        lost += lines_lost(place / "host", spec["steps"] * lines)
    who = f"{threads} computing thread{'s' if threads > 1 else ''}"
    row(f"flood, {who}: lines per second, median", f"{statistics.median(rates):,.0f}")
    spread = f"{100 * min(ratios):+.1f} to {100 * max(ratios):+.1f}"
    middle = f"{100 * statistics.median(ratios):+.1f} % ({spread})"
    row(f"flood, {who}: slower than printing to a file", middle, "< 5 %")
    row(f"flood, {who}: lines lost", str(lost), "0")


def live_run(running: Platform) -> tuple[str, Path]:
    """A task that has begun to run, and the folder of its run."""
    model = running.call("POST", "/models", json={"source": "starter", "reference": ""})
    with (ROOT / "examples/customer-service.jsonl").open("rb") as file:
        dataset = running.call("POST", "/datasets", files={"file": file})
    running.wait(f"/datasets/{dataset['id']}", ("ready", "failed", "blocked"))
    running.wait(f"/models/{model['id']}", ("ready", "failed"))
    body = {
        "name": "bench", "model_id": model["id"], "dataset_id": dataset["id"],
        "output_name": "bench", "hyperparameters": {"max_steps": 100_000, "max_length": 512},
    }  # fmt: skip
    task = running.call("POST", "/tasks", json=body)["id"]
    now = running.wait(f"/tasks/{task}", ("PREPARING", "RUNNING", "FAILED"))
    if now["status"] == "FAILED":
        raise SystemExit(f"The run failed: {now['error']}")
    while True:
        for spec in running.data_dir.glob("runs/*/1/spec.json"):
            trains = "objective" in json.loads(spec.read_text())  # others prepare data
            if trains and (spec.parent / EVENTS_FILE).exists():
                return task, spec.parent
        time.sleep(0.1)


@contextmanager
def paused(run: Path) -> Iterator[None]:
    """The engine of a run does not compute meanwhile."""
    child = json.loads((run / "identity.json").read_text())["child_pid"]
    os.kill(child, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(child, signal.SIGCONT)


def read_by(port: int, request: str, clients: int, seconds: float, log: Path) -> dict[str, Any]:
    """Append marks to `log` while `clients` read; what they saw."""
    argv = [sys.executable, str(HERE / "stream_clients.py"), "read", "127.0.0.1", str(port)]
    reading = subprocess.Popen(
        [*argv, str(clients), str(int(seconds * MARKS_PER_S)), str(seconds + PATIENCE_S)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert reading.stdin
    assert reading.stdout
    reading.stdin.write(request.encode())
    reading.stdin.close()
    assert reading.stdout.readline() == b"connected\n"
    time.sleep(2)
    with log.open("ab", buffering=0) as file:
        for _ in range(int(seconds * MARKS_PER_S)):
            now = time.time()
            file.write(
                (format_line(timestamp(now), "info", "out", f"mark {now:.6f}") + "\n").encode()
            )
            time.sleep(1 / MARKS_PER_S)
    seen: dict[str, Any] = json.loads(reading.stdout.read())
    reading.wait()
    return seen


def measure_readers(running: Platform, task: str, run: Path, clients: int, seconds: int) -> None:
    """Delay from a line's writing to its arrival at each of many clients; memory of each."""
    web, port = psutil.Process(running.process.pid), int(running.url.rsplit(":", 1)[1])
    cookies = "; ".join(f"{name}={value}" for name, value in running.http.cookies.items())
    last = running.call("GET", f"/tasks/{task}/logs", params={"tail": True, "limit": 1})["next"]
    request = (
        f"GET /api/v1/tasks/{task}/logs/stream?after={last} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\nCookie: {cookies}\r\n\r\n"
    )
    read_by(port, request, 20, 2, run / "output.log")  # what the first readers load stays
    before = web.memory_info().rss
    most = before

    seen = read_by(port, request, clients, seconds, run / "output.log")
    most = max(most, web.memory_info().rss)
    argv = [sys.executable, str(HERE / "stream_clients.py"), "serve", str(run / "output.log")]
    bare = subprocess.Popen(argv, stdout=subprocess.PIPE)
    try:
        assert bare.stdout
        control = read_by(int(bare.stdout.readline()), request, clients, seconds,
                          run / "output.log")  # fmt: skip
    finally:
        bare.terminate()
        bare.wait()
    wanted = seconds * MARKS_PER_S
    row(f"{clients} readers: median delay of a line", f"{1000 * seen['p50_s']:.0f} ms")
    row(f"{clients} readers: p95 delay of a line", f"{1000 * seen['p95_s']:.0f} ms", "< 1000 ms")
    row("control, a bare server: p95", f"{1000 * control['p95_s']:.0f} ms")
    row(f"lines each saw, of {wanted}", f"{seen['fewest']} to {seen['most']}", str(wanted))
    row("memory for each reader", f"{(most - before) / clients / 1000:.0f} KB", "< 200 KB")


def write_long_log(log: Path, lines: int) -> None:
    """Append lines as the run host would."""
    assembler = LineAssembler("out")
    with log.open("ab") as file:
        for start in range(0, lines, 5000):
            said = "".join(line_of(number) for number in range(start, min(start + 5000, lines)))
            at = timestamp(time.time() - lines / 1000 + start / 1000)
            file.write(assembler.feed(said.encode(), at))


def line_of(number: int) -> str:
    """One in a thousand is an error, one in fifty a warning."""
    level = "ERROR: " if number % 1000 == 7 else "WARNING: " if number % 50 == 3 else ""
    loss = f"loss {2 - number % 977 / 1000:.4f}"
    return f"{level}step {number}  {loss}  tokens/s {number % 8191}  lr 1.0e-4\n"


def measure_long_log(running: Platform, task: str, log: Path, lines: int) -> None:
    """How quickly pages, filters and jumps come; each filter is a new one every time."""
    write_long_log(log, lines)
    row("long log", f"{lines:,} lines, {log.stat().st_size / 1e6:.0f} MB")
    path = f"/tasks/{task}/logs"

    def asked(what: str, place: str, query: Callable[[int], dict[str, Any]]) -> Any:
        times, answer = [], None
        for number in range(ROUNDS):
            begun = time.perf_counter()
            answer = running.call("GET", path + place, params=query(number))
            times.append(1000 * (time.perf_counter() - begun))
        middle, first = statistics.median(times), times[0]
        row(f"{what}, median (first) of {ROUNDS}", f"{middle:.0f} ({first:.0f}) ms", "< 1000 ms")
        return answer

    asked("open: the last 500 lines", "", lambda _: {"tail": True, "limit": 500})
    asked("a page anywhere", "", lambda n: {"line": lines * (2 * n + 1) // 11, "limit": 500})
    for what, query in FILTERS.items():
        found = asked(f"filter, {what}", "", lambda n, q=query: {"limit": 500, **q(n)})
        row("   of which match", f"{found['matched']}")
    same = {"q": "loss 1.5", "tail": True}
    running.call("GET", path, params=same)
    asked("the same filter again, the last page", "", lambda _: same)
    asked("the k-th match", "/find", lambda n: {"q": "loss 1.5", "index": 1000 * n + 500})
    asked("the next match", "/find", lambda n: {"q": "loss 1.5", "from": lines * n // 6})
    asked("marks for the scroll bar", "/matches", lambda _: {"q": "loss 1.5"})
    begun = time.perf_counter()
    subprocess.run(["grep", "-ciE", "loss 1\\.5[0-9]1"], stdin=log.open("rb"), check=False,
                   stdout=subprocess.PIPE)  # fmt: skip
    row("control: grep -ciE over the file", f"{1000 * (time.perf_counter() - begun):.0f} ms")


FILTERS: dict[str, Callable[[int], dict[str, Any]]] = {
    "text in one line": lambda n: {"q": f"STEP {77_777 + n} "},
    "text in a tenth of the lines": lambda n: {"q": f"loss 1.{3 + n}"},
    "text in all lines": lambda n: {"q": "tokens/s"[: 8 - n]},
    "pattern in few lines": lambda n: {"q": rf"loss 1\.5{n}1\b.*tokens/s\s+77", "regex": True},
    "pattern in all lines": lambda n: {"q": r"loss\s+\d" + "+" * (n % 2) + f"|{n}", "regex": True},
    "errors": lambda n: {"level": "error", "since": f"20{10 + n}-01-01"},
    "errors and warnings with text": lambda n: {"level": ["error", "warning"], "q": f"loss 1.{n}"},
}


def main() -> None:
    """Measure everything; the platform is one of its own."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--lines", type=int, default=1_000_000, help="of the long log")
    parser.add_argument("--seconds", type=int, default=60, help="of the flood")
    parser.add_argument("--rate", type=int, default=100_000, help="lines per second of the flood")
    parser.add_argument("--only", choices=("flood", "readers", "log"))
    asked = parser.parse_args()
    row("processors", f"{os.cpu_count()}, load {os.getloadavg()[0]:.1f}")
    with fresh_folder() as folder:
        if asked.only in (None, "flood"):
            for threads in sorted({1, os.cpu_count() or 1}):
                measure_flood(folder, asked.seconds, asked.rate, threads)
        if asked.only == "flood":
            return
        with platform(folder / "platform") as running:
            running.sign_in()
            try:
                task, run = live_run(running)
                with paused(run):
                    if asked.only in (None, "readers"):
                        measure_readers(running, task, run, asked.clients, 20)
                    if asked.only in (None, "log"):
                        measure_long_log(running, task, run / "output.log", asked.lines)
            finally:
                running.stop_all()


if __name__ == "__main__":
    main()
