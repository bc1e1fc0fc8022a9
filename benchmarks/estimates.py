"""How near the estimates come to what runs took. Run: `make bench-estimates`.

A platform of its own trains the starter models in many configurations. Each is estimated as the
wizard does it, once before anything was measured on the host and once when the runs of the round
before are known; then memory and time of the run itself are set beside both. The trial of the
host's speed that the first guess rests on is repeated around every run: what the host was slower
then is no fault of the estimate, and is shown apart.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from client import ROOT, Platform, fresh_folder, platform

MEMORY_BOUND, TIME_BOUND = 0.10, 0.20
LONG_LETTERS, SHORT_LETTERS = 6000, 60
Row = dict[str, Any]


@dataclass(frozen=True)
class Configuration:
    """One run: which data (a key of `datasets`), which model, and what differs from the default."""

    name: str
    data: str = "chat"
    model: str = "starter"
    objective: str = "sft"
    method: str = "lora"
    knobs: dict[str, Any] = field(default_factory=dict)

    def body(self, models: dict[str, str], datasets: dict[str, str]) -> dict[str, Any]:
        """The plan as the API takes it."""
        knobs = {"max_steps": 16, "max_length": 512, "evaluation_fraction": 0.05, **self.knobs}
        return {
            "model_id": models[self.model],
            "dataset_id": datasets[self.data],
            "objective": self.objective,
            "method": self.method,
            "hyperparameters": knobs,
        }


CONFIGURATIONS = (
    Configuration("LoRA"),
    Configuration("LoRA, rank 64, batch 16", knobs={"lora_rank": 64, "batch_size": 16}),
    Configuration(
        "LoRA, rows of 2k tokens", data="long",
        knobs={"max_length": 2048, "batch_size": 2, "max_steps": 6},
    ),
    Configuration("LoRA, short rows", data="short", knobs={"max_steps": 40}),
    Configuration("LoRA, checkpointing", knobs={"gradient_checkpointing": True}),
    Configuration("LoRA, dropout (stock layers)", knobs={"lora_dropout": 0.05}),
    Configuration("DoRA", knobs={"lora_variant": "dora"}),
    Configuration("QLoRA, NF4", method="qlora", knobs={"max_steps": 8}),
    Configuration("full", method="full", knobs={"learning_rate": 2e-5}),
    Configuration("freeze", method="freeze"),
    Configuration("DPO", data="pairs", objective="dpo", knobs={"max_length": 256}),
    Configuration("plain text", data="text", objective="pretrain"),
    Configuration(
        "classifier, encoder, full", data="labels", model="starter-encoder", objective="classify",
        method="full", knobs={"max_length": 128, "batch_size": 16, "max_steps": 120},
    ),
    Configuration(
        "classifier, decoder, LoRA", data="labels", objective="classify",
        knobs={"max_length": 128, "batch_size": 16},
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Estimated and actual: bytes and seconds. `guess_s` before, `known_s` after earlier runs.

    `speed`: of the host around the run, as a share of its speed when the guess was made.
    """

    name: str
    memory: int
    peak: int
    guess_s: float
    known_s: float | None
    took_s: float
    speed: float

    @property
    def steady_s(self) -> float:
        """What it would have taken, had the host stayed as fast as it was."""
        return self.took_s * self.speed


def conversations() -> list[Row]:
    """The customer-service example."""
    text = (ROOT / "examples/customer-service.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def joined(rows: Iterable[Row]) -> Iterator[Row]:
    """Conversations of nearly `LONG_LETTERS` letters."""
    turns: list[Row] = []
    for row in rows:
        turns += [turn for turn in row["messages"] if turn["role"] != "system"]
        if sum(len(turn["content"]) for turn in turns) > LONG_LETTERS:
            yield {"messages": turns}
            turns = []


def shortened(rows: Iterable[Row]) -> Iterator[Row]:
    """One question and one answer of a few words."""
    for row in rows:
        turns = [turn for turn in row["messages"] if turn["role"] != "system"][:2]
        yield {"messages": [{**turn, "content": turn["content"][:SHORT_LETTERS]} for turn in turns]}


def write_data(folder: Path) -> dict[str, Path]:
    """The data sets by their key."""
    rows = conversations()
    texts = [{"text": "\n\n".join(t["content"] for t in row["messages"])} for row in rows]
    made = {"chat": rows, "long": joined(rows), "short": shortened(rows), "text": texts}
    paths = {
        "pairs": ROOT / "examples/preferences.jsonl",
        "labels": ROOT / "examples/sentiment.csv",
    }
    for name, found in made.items():
        paths[name] = folder / f"{name}.jsonl"
        paths[name].write_text("".join(json.dumps(row) + "\n" for row in found))
    return paths


def add_inputs(running: Platform, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Ids of the models and data sets."""
    models, datasets = {}, {}
    for reference in ("starter", "starter-encoder"):
        body = {"source": "starter", "reference": "" if reference == "starter" else reference}
        models[reference] = running.call("POST", "/models", json=body)["id"]
    for name, path in write_data(folder).items():
        with path.open("rb") as file:
            added = running.call("POST", "/datasets", files={"file": file}, data={"name": name})
        datasets[name] = added["id"]
        running.wait(f"/datasets/{added['id']}", ("ready",), 120)
    for model in models.values():
        running.wait(f"/models/{model}", ("ready",), 300)
    return models, datasets


def run(running: Platform, body: dict[str, Any], name: str) -> tuple[int, float]:
    """Train; returns peak memory in bytes and seconds from start to end."""
    asked = {**body, "name": name, "output_name": "".join(c for c in name if c.isalnum())}
    task = running.call("POST", "/tasks", json=asked)["id"]
    done = running.wait(f"/tasks/{task}", ("COMPLETED", "FAILED"), 900)
    if done["status"] == "FAILED":
        raise SystemExit(f"{name} failed: {done['error']}")
    begun, ended = (datetime.fromisoformat(done[key]) for key in ("started_at", "finished_at"))
    return done["peak_memory_bytes"], (ended - begun).total_seconds()


def host_flops() -> float:
    """Operations per second of the trial, now."""
    argv = [sys.executable, "-m", "training_engine.speed"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["flops"])


def wait_for(file: Path, limit_s: float = 120) -> None:
    """Until a file is there."""
    deadline = time.monotonic() + limit_s
    while not file.exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"{file.name} did not appear in {limit_s:.0f} s.")
        time.sleep(1)


def expected(running: Platform, body: dict[str, Any]) -> tuple[int, float]:
    """Memory in bytes and seconds, as the wizard shows them."""
    found = running.call("POST", "/tasks/estimate", json=body)
    return found["memory_bytes"], found["time_s"]


def deviation(expected: float, actual: float) -> str:
    """As a signed share."""
    return f"{expected / actual - 1:+.0%}"


def show(outcomes: list[Outcome]) -> None:
    """The table, and how many lie within the bounds."""
    print(
        f"\n{'configuration':<30}{'memory GB':>10}{'estimate':>9}{'off':>6}"
        f"{'time s':>8}{'guess':>7}{'off':>6}{'host':>7}{'steady':>8}{'known':>7}{'off':>6}"
    )
    for each in outcomes:
        known = each.known_s if each.known_s is not None else each.guess_s
        print(
            f"{each.name:<30}{each.peak / 1e9:>10.2f}{each.memory / 1e9:>9.2f}"
            f"{deviation(each.memory, each.peak):>6}{each.took_s:>8.1f}{each.guess_s:>7.1f}"
            f"{deviation(each.guess_s, each.took_s):>6}{each.speed:>7.2f}"
            f"{deviation(each.guess_s, each.steady_s):>8}{known:>7.1f}"
            f"{deviation(known, each.took_s):>6}"
        )
    for what, bound, pairs in (
        ("memory", MEMORY_BOUND, [(each.memory, each.peak) for each in outcomes]),
        ("time, first guess", TIME_BOUND, [(each.guess_s, each.took_s) for each in outcomes]),
        (
            "time, first guess, host as fast as then",
            TIME_BOUND,
            [(each.guess_s, each.steady_s) for each in outcomes],
        ),
        (
            "time, after earlier runs",
            TIME_BOUND,
            [(each.known_s or each.guess_s, each.took_s) for each in outcomes],
        ),
    ):
        within = sum(abs(guess / actual - 1) <= bound for guess, actual in pairs)
        print(f"{what}: {within} of {len(pairs)} within {bound:.0%}")


def main() -> None:
    """Estimate, train, estimate again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", action="append", help="names (or their beginnings) to run")
    given = parser.parse_args()
    chosen = [
        each
        for each in CONFIGURATIONS
        if not given.only or any(each.name.startswith(name) for name in given.only)
    ]
    with fresh_folder() as folder, platform(folder / "data") as running:
        running.sign_in()
        models, datasets = add_inputs(running, folder)
        tried = folder / "data/host_speed.json"
        wait_for(tried)  # the platform tries it in a quiet moment
        reference = float(json.loads(tried.read_text())["speed"]["flops"])
        speeds = [host_flops()]
        bodies = [each.body(models, datasets) for each in chosen]
        guesses = [expected(running, body) for body in bodies]
        found: list[tuple[int, float]] = []
        try:
            for each, body, (memory, seconds) in zip(chosen, bodies, guesses, strict=True):
                peak, took = run(running, body, each.name)
                found.append((peak, took))
                speeds.append(host_flops())
                line = f"{took:.1f} s ({seconds:.1f}), {peak / 1e9:.2f} GB ({memory / 1e9:.2f})"
                print(f"{each.name}: {line}", flush=True)
            outcomes = []
            around = [sum(pair) / 2 / reference for pair in pairwise(speeds)]
            for each, body, guess, actual, speed in zip(
                chosen, bodies, guesses, found, around, strict=True
            ):
                known = expected(running, body)[1]
                outcomes.append(
                    Outcome(each.name, guess[0], actual[0], guess[1], known, actual[1], speed)
                )
        finally:
            running.stop_all()
    show(outcomes)


if __name__ == "__main__":
    main()
