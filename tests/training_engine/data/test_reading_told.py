"""Reading and encoding say how far they are, and end when the run is told to stop."""

from pathlib import Path

import pytest

from tests.training_engine.objectives.models import build_tiny_bert
from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import Outcome, run_here
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode
from training_engine.control import Stop, StopRequests


class StopAtLook(StopRequests):
    """Asks to stop from the n-th look on."""

    def __init__(self, run_dir: Path, looks: int) -> None:
        super().__init__(run_dir)
        self._left = looks

    def wanted(self) -> Stop | None:
        self._left -= 1
        return Stop.SAVE if self._left < 1 else None


@pytest.fixture(autouse=True)
def _few_rows_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training_engine.data.prepare.BATCH_ROWS", 10)


def run(
    folder: Path, model: Path, objective: Objective, looks: int | None = None, **fields: object
) -> Outcome:
    folder.mkdir(parents=True, exist_ok=True)
    data = write(folder / "rows.jsonl", objective, 30)
    knobs = {"max_steps": 1, "evaluation_fraction": 0.4}
    spec = spec_for(objective, data, model, knobs, **fields)
    return run_here(folder, spec, StopAtLook(folder, looks) if looks else None)


def details(outcome: Outcome) -> list[str]:
    told = [e for e in outcome.events if e.type == "progress" and e.phase == "preparing"]
    return [event.detail for event in told if " of " in event.detail]


READ = [f"Reading the data: {done} of 30" for done in (0, 10, 20)]
HELD = [f"Encoding held-out rows: {done} of 12" for done in (0, 10)]


def test_it_says_how_far_it_is(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert details(run(tmp_path / "quick", tiny_model, Objective.SFT)) == []
    monkeypatch.setattr("training_engine.events.PROGRESS_INTERVAL_S", 0.0)
    assert details(run(tmp_path / "sft", tiny_model, Objective.SFT)) == READ + HELD
    tiny_bert = build_tiny_bert(tmp_path / "bert")
    studied = [f"Looking through the data: {done} of 30" for done in (0, 10, 20)]
    assert details(run(tmp_path / "labels", tiny_bert, Objective.CLASSIFY)) == studied + READ + HELD


@pytest.mark.parametrize("looks", [1, 2, 3, 4, 5, 6])
def test_it_ends_when_told_to(tmp_path: Path, tiny_model: Path, looks: int) -> None:
    """Before each ten rows, held-out ones too, and at the end."""
    outcome = run(tmp_path / "run", tiny_model, Objective.SFT, looks)
    assert (outcome.code, outcome.last.type) == (ExitCode.STOPPED, "stopped"), outcome.last
    assert (outcome.last.step, outcome.last.checkpoint) == (0, None)
    assert ("data_ready" in outcome.notices()) == (looks == 6)
    assert not outcome.series("eval_loss")
