"""Small data sets, specs and runs in the test's own process."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.training_engine.running import events
from training_engine import attempt, evaluation, train
from training_engine.contract.event_writer import EventWriter
from training_engine.contract.events import Event
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.control import Stop, StopRequests
from training_engine.events import Reporter

NAMES = ("Ada", "Bo", "Cem", "Dee", "Eli", "Fay", "Gus", "Hal", "Ida", "Jo", "Kim", "Lea")


def conversation(*turns: str, system: str | None = None) -> list[dict[str, Any]]:
    """Turns of user and assistant in alternation."""
    roles = ["user", "assistant"] * len(turns)
    start = [{"role": "system", "content": system}] if system else []
    return start + [{"role": r, "content": t} for r, t in zip(roles, turns, strict=False)]


def greetings(count: int) -> list[list[dict[str, Any]]]:
    """Conversations of different lengths; every third has two turns."""
    found = []
    for i in range(count):
        name = NAMES[i % len(NAMES)]
        turns = [f"I am {name} {i}.", f"Hello {name}, number {i}{'!' * (i % 7)}"]
        if i % 3 == 0:
            turns += ["And now?", f"Goodbye {name}."]
        found.append(conversation(*turns))
    return found


def write_rows(path: Path, rows: list[list[dict[str, Any]]]) -> Path:
    """Canonical records; the line in the upload is ten more than the row's number."""
    with path.open("w") as file:
        for i, messages in enumerate(rows):
            file.write(json.dumps({"messages": messages, "meta": {"line": i + 11}}) + "\n")
    return path


def make_spec(
    data: Path, model: Path, *, hyperparameters: dict[str, Any] | None = None, **fields: Any
) -> RunSpec:
    """A short float32 run to its end, on the CPU; deterministic, so that numbers compare."""
    rows = len(data.read_bytes().splitlines()) if data.is_file() else 0
    dataset = {
        "name": "greetings",
        "path": str(data),
        "sha256": "0" * 64,
        "num_rows": rows,
        "record_type": "conversational",
    }
    knobs = {
        "epochs": 2, "batch_size": 4, "learning_rate": 5e-3, "max_length": 256, "lora_rank": 4,
        "early_stopping_patience": None,
    }  # fmt: skip
    spec = {
        "run_id": "run-1",
        "name": "A test",
        "model": {"name": "example/tiny", "path": str(model)},
        "dataset": dataset,
        "output_name": "tiny-greetings",
        "device": "cpu",
        "precision": "float32",
        "deterministic": True,
        "hyperparameters": {**knobs, **(hyperparameters or {})},
        **fields,
    }
    return RunSpec.model_validate(spec)


class StopAfter(StopRequests):
    """Asks to stop once the run has reported a step, and its evaluation if there is one."""

    def __init__(self, run_dir: Path, step: int, how: Stop = Stop.SAVE) -> None:
        super().__init__(run_dir)
        self._run_dir, self._step, self._how = run_dir, step, how

    def wanted(self) -> Stop | None:
        told = events(self._run_dir)
        done = [e.step for e in told if e.type == "metrics" and "loss" in e.values]
        if (getattr(told[-1], "detail", None) or "").startswith(evaluation.DOING):
            return None
        return self._how if max(done, default=0) >= self._step else None


@dataclass
class Outcome:
    """What a run left."""

    run_dir: Path
    code: ExitCode
    events: list[Event] = field(default_factory=list)

    def series(self, name: str) -> dict[int, float | None]:
        """A metric by step."""
        found = [e for e in self.events if e.type == "metrics" and name in e.values]
        return {e.step: e.values[name] for e in found}

    def notices(self) -> dict[str, dict[str, Any]]:
        """Parameters of notices by code."""
        return {e.code: e.params for e in self.events if e.type == "notice"}

    @property
    def last(self) -> Any:
        """The event that ended the run."""
        return self.events[-1]


def run_here(run_dir: Path, spec: RunSpec, stop: StopRequests | None = None) -> Outcome:
    """Run a spec in this process, failures as the child would tell them."""
    run_dir.mkdir(parents=True, exist_ok=True)
    (run_dir / "spec.json").write_text(spec.model_dump_json())
    with EventWriter(run_dir) as writer:
        reporter = Reporter(writer)
        try:
            code = attempt.run(run_dir, spec, reporter, stop or StopRequests(run_dir))
        except Exception as error:  # noqa: BLE001 - as the child does
            code = train.fail(reporter, train.explain(error))
    return Outcome(run_dir, code, events(run_dir))
