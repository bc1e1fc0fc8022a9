"""How quick and how small the platform is. Run: `make bench`.

Prints, for this machine: start-up time and memory of the API process, its CPU time when idle, time
from "create" to the first training step with the starter model, and the delay from a log line
written by the engine to its arrival at a client of the event stream.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import datetime
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent))

from client import ROOT, Platform, fresh_folder, platform

STARTS = 5
IDLE_S = 20
RUNS = 3


def row(what: str, value: str, target: str) -> None:
    """One line of the table."""
    print(f"{what:<52}{value:>16}   target {target}", flush=True)


def measure_starts(folder: Path) -> None:
    """Start-up with a database that exists; memory and idle CPU of the API process alone."""
    with platform(folder) as first:
        row("first start (creates the database)", f"{first.start_s:.2f} s", "–")
    starts = []
    for _ in range(STARTS):
        with platform(folder) as again:
            starts.append(again.start_s)
    row(f"start to ready, median of {STARTS}", f"{statistics.median(starts):.2f} s", "< 3 s")


def measure_idle(running: Platform) -> None:
    """Resident memory after some requests, and CPU share over a quiet while."""
    api = psutil.Process(running.process.pid)
    for _ in range(20):
        running.call("GET", "/system")
        running.call("GET", "/tasks")
    time.sleep(2)
    before = api.cpu_times()
    time.sleep(IDLE_S)
    after = api.cpu_times()
    used = after.user + after.system - before.user - before.system
    row("memory of the API process", f"{api.memory_info().rss / 2**20:.0f} MiB", "< 150 MB")
    row(f"CPU when idle, over {IDLE_S} s", f"{used / IDLE_S:.2%}", "< 2 %")


def add_inputs(running: Platform) -> tuple[str, str]:
    """The starter model and the customer-service example."""
    model = running.call("POST", "/models", json={"source": "starter", "reference": ""})
    with (ROOT / "examples/customer-service.jsonl").open("rb") as file:
        dataset = running.call(
            "POST", "/datasets", files={"file": file}, data={"name": "customer service"}
        )
    begun = time.monotonic()
    running.wait(f"/datasets/{dataset['id']}", ("ready", "failed", "blocked"))
    row("upload of 260 conversations to ready", f"{time.monotonic() - begun:.2f} s", "–")
    begun = time.monotonic()
    running.wait(f"/models/{model['id']}", ("ready", "failed"))
    row("starter model converted (once)", f"{time.monotonic() - begun:.1f} s", "–")
    return model["id"], dataset["id"]


def create_task(running: Platform, model: str, dataset: str, n: int, steps: int) -> str:
    """A run of `steps` optimizer steps."""
    body = {
        "name": f"bench {n}", "model_id": model, "dataset_id": dataset, "output_name": f"bench-{n}",
        "hyperparameters": {"max_steps": steps, "max_length": 512, "evaluation_fraction": 0},
    }  # fmt: skip
    return str(running.call("POST", "/tasks", json=body)["id"])


def measure_first_step(running: Platform, model: str, dataset: str) -> None:
    """From the request to the first metric point, as a user would wait for it."""
    times = []
    for n in range(RUNS):
        begun = time.monotonic()
        task = create_task(running, model, dataset, n, steps=2)
        while True:
            now = running.call("GET", f"/tasks/{task}")
            if now["step"] >= 1 or now["status"] in ("FAILED", "STOPPED"):
                break
            time.sleep(0.05)
        if now["status"] == "FAILED":
            raise SystemExit(f"The run failed: {now['error']}")
        times.append(time.monotonic() - begun)
        running.wait(f"/tasks/{task}", ("COMPLETED", "FAILED"))
    row(
        f"create to first training step, median of {RUNS}",
        f"{statistics.median(times):.1f} s",
        "< 12 s",
    )


def measure_log_delay(running: Platform, model: str, dataset: str) -> None:
    """Time stamp of each line against its arrival at a client that is connected from the start."""
    task = create_task(running, model, dataset, 99, steps=40)
    running.wait(f"/tasks/{task}", ("RUNNING", "COMPLETED", "FAILED"))
    opened = time.time()
    delays = []
    path = f"/tasks/{task}/logs/stream"
    with running.http.stream("GET", path, timeout=None) as answer:
        event = ""
        for line in answer.iter_lines():
            if line.startswith("event:"):
                event = line.split(":", 1)[1].strip()
            elif line.startswith("data:") and event == "line":
                written = datetime.fromisoformat(json.loads(line[5:])["at"]).timestamp()
                if written > opened + 0.5:  # what was there before is history
                    delays.append(time.time() - written)
            if event in ("end", "bye"):
                break
    delays.sort()
    middle, tail = statistics.median(delays), delays[max(0, int(len(delays) * 0.99) - 1)]
    row(f"log line to client, median of {len(delays)} lines", f"{middle * 1000:.0f} ms", "–")
    row("log line to client, p99", f"{tail * 1000:.0f} ms", "< 300 ms")


def main() -> None:
    """Measure everything on a platform of its own."""
    with fresh_folder() as folder:
        measure_starts(folder)
    with fresh_folder() as folder, platform(folder) as running:
        running.sign_in()
        measure_idle(running)
        model, dataset = add_inputs(running)
        try:
            measure_first_step(running, model, dataset)
            measure_log_delay(running, model, dataset)
        finally:
            running.stop_all()


if __name__ == "__main__":
    main()
