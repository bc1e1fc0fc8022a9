"""What a resume takes over is looked at, and what is computed otherwise from there on is said."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training_engine.specs import (
    Outcome,
    StopAfter,
    greetings,
    make_spec,
    run_here,
    write_rows,
)
from tests.training_engine.test_resume import again
from training_engine import checkpoints
from training_engine.contract.choices import Precision
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.data import ledger
from training_engine.versions import versions

KNOBS = {"epochs": 3, "max_steps": 6, "batch_size": 5, "save_steps": 3, "evaluation_fraction": 0}
DIFFERENCES = {"resumed_with_other_versions", "resumed_with_other_computation", "ledger_rebuilt"}


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> RunSpec:
    data = write_rows(tmp_path_factory.mktemp("data") / "data.jsonl", greetings(12))
    return make_spec(data, tiny_model, hyperparameters=KNOBS)


@pytest.fixture(scope="module")
def stopped(spec: RunSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An attempt that was stopped after its fourth step."""
    run_dir = tmp_path_factory.mktemp("stopped") / "1"
    assert run_here(run_dir, spec, StopAfter(run_dir, 4)).last.checkpoint == "step-00000004"
    return run_dir


@pytest.fixture
def first(stopped: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return shutil.copytree(stopped, tmp_path / "1")


def rewritten(run_dir: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """With something else in the state of its checkpoints, which are whole."""
    for folder in (run_dir / "checkpoints").iterdir():
        manifest = checkpoints.verify(folder)
        state = json.loads((folder / "state.json").read_text())
        change(state)
        (folder / "state.json").write_text(json.dumps(state))
        facts = {name: manifest[name] for name in ("step", "attempt", "identity")}
        checkpoints.write_manifest(folder, facts)
    return run_dir


def as_before(state: dict[str, Any]) -> None:
    """What older versions noted."""
    del state["computation"], state["ledger_sha256"]
    state["versions"].pop("bitsandbytes", None)


def differences(outcome: Outcome) -> set[str]:
    assert outcome.code == ExitCode.FINISHED, outcome.last
    return DIFFERENCES & outcome.notices().keys()


@pytest.mark.long
def test_nothing_is_said_where_all_is_as_it_was(tmp_path: Path, spec: RunSpec, first: Path) -> None:
    assert not differences(again(spec, tmp_path / "2", first / "checkpoints"))


def test_an_older_versions_checkpoint_goes_on_as_it_did(
    tmp_path: Path, spec: RunSpec, first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = versions() | {"bitsandbytes": "1"}
    monkeypatch.setattr("training_engine.start.versions", lambda: now)
    found = again(spec, tmp_path / "2", rewritten(first, as_before) / "checkpoints")
    assert not differences(found)


@pytest.mark.parametrize(
    ("before", "change", "told"),
    [
        ({"device": "cuda", "precision": "bfloat16"}, {},
         ("device: cuda, precision: bfloat16", "device: cpu, precision: float32")),
        ({}, {"deterministic": False}, ("deterministic: true", "deterministic: false")),
    ],
)  # fmt: skip
def test_another_computation_is_said(
    tmp_path: Path,
    spec: RunSpec,
    first: Path,
    before: dict[str, str],
    change: dict[str, Any],
    told: tuple[str, str],
) -> None:
    source = rewritten(first, lambda state: state["computation"].update(before)) / "checkpoints"
    found = again(spec.model_copy(update=change), tmp_path / "2", source)
    assert differences(found) == {"resumed_with_other_computation"}
    notice = found.notices()["resumed_with_other_computation"]
    assert (notice["before"], notice["now"]) == told


def test_another_number_type_that_auto_gives_is_said(
    tmp_path: Path, spec: RunSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = spec.model_copy(update={"precision": Precision.AUTO})
    for attempt, half in ((1, True), (2, False)):
        monkeypatch.setattr("training_engine.devices._cpu_type", lambda half=half: (half, "a test"))
        run_dir = tmp_path / str(attempt)
        found = (
            run_here(run_dir, spec, StopAfter(run_dir, 4))
            if attempt == 1
            else again(spec, run_dir, tmp_path / "1" / "checkpoints")
        )
    assert differences(found) == {"resumed_with_other_computation"}
    assert found.notices()["resumed_with_other_computation"]["before"] == "precision: bfloat16"


@pytest.mark.parametrize("place", [0, 8 * 7 + 1, -1])
@pytest.mark.parametrize("noted", [True, False])
def test_a_damaged_ledger_is_written_anew(
    tmp_path: Path, spec: RunSpec, first: Path, place: int, noted: bool
) -> None:
    """Its bytes are checked by a hash; by the order, for checkpoints that have noted none."""
    if not noted:
        rewritten(first, as_before)
    whole = ledger.read(first / "ledger.bin")
    assert len(whole) == 4 * 5
    content = bytearray((first / "ledger.bin").read_bytes())
    content[place] ^= 2
    (first / "ledger.bin").write_bytes(content)
    found = again(spec, tmp_path / "2", first / "checkpoints")
    assert differences(found) == {"ledger_rebuilt"}
    assert ledger.read(tmp_path / "2" / "ledger.bin")[: len(whole)] == whole
    assert len(ledger.read(tmp_path / "2" / "ledger.bin")) == 6 * 5


def test_a_ledger_that_is_gone_is_written_from_the_order(
    tmp_path: Path, spec: RunSpec, first: Path
) -> None:
    whole = ledger.read(first / "ledger.bin")
    (first / "ledger.bin").unlink()
    assert not differences(again(spec, tmp_path / "2", first / "checkpoints"))
    assert ledger.read(tmp_path / "2" / "ledger.bin")[: len(whole)] == whole
