"""Resumed under other circumstances: less memory, a bad step, a flipped bit in any file."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.specs import Outcome, StopAfter, run_here
from training_engine import checkpoints
from training_engine.contract.choices import Objective
from training_engine.contract.knob_names import under_former_names
from training_engine.contract.names import ExitCode
from training_engine.contract.spec import RunSpec
from training_engine.objectives.criterion import Share
from training_engine.objectives.sft import NextToken

KNOBS = {
    "max_steps": 6,
    "batch_size": 6,
    "evaluation_fraction": 0.2,
    "evaluation_steps": 2,
    "lora_dropout": 0.2,
}


def spec_of(folder: Path, model: Path, objective: Objective, **knobs: Any) -> RunSpec:
    data = write(folder / "rows.jsonl", objective, 30)
    return spec_for(objective, data, model, {**KNOBS, **knobs})


def resumed(spec: RunSpec, run_dir: Path, source: Path) -> Outcome:
    again = {"resume_from": str(source / "checkpoints"), "attempt": 2}
    return run_here(run_dir, spec.model_copy(update=again))


def fits(patch: pytest.MonkeyPatch, tokens: int) -> None:
    """So many tokens fit into what is free now."""
    patch.setattr("training_engine.plan.tokens_at_once", lambda *args: tokens)


@pytest.mark.long
@pytest.mark.parametrize("objective", [Objective.SFT, Objective.DPO])
def test_as_much_is_computed_at_once_as_before(
    tmp_path: Path, tiny_model: Path, objective: Objective
) -> None:
    """More memory may be free than at the start; the reference is measured in the same rows too."""
    spec = spec_of(tmp_path, tiny_model, objective)
    with pytest.MonkeyPatch.context() as patch:
        fits(patch, 150)
        whole = run_here(tmp_path / "whole", spec)
        run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 3))
        fits(patch, 1024)
        found = resumed(spec, tmp_path / "2", tmp_path / "1")
        other = run_here(tmp_path / "other", spec)
    assert other.series("loss") != whole.series("loss")  # it does make a difference
    for name in ("loss", "eval_loss", "grad_norm"):
        later = {step: value for step, value in whole.series(name).items() if step > 3}
        assert found.series(name) == later


def test_not_more_than_fits_now(tmp_path: Path, tiny_model: Path) -> None:
    """Only a run that must be bit for bit the same takes the risk."""
    spec = spec_of(tmp_path, tiny_model, Objective.SFT).model_copy(update={"deterministic": False})
    seen: list[int] = []
    real = NextToken.loss

    def loss(criterion: NextToken, row: Any, *rest: Any) -> Share:
        seen.append(row.input_ids.numel())
        return real(criterion, row, *rest)

    run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 3))
    with pytest.MonkeyPatch.context() as patch:
        fits(patch, 200)
        patch.setattr(NextToken, "loss", loss)
        found = resumed(spec, tmp_path / "2", tmp_path / "1")
    assert found.code == ExitCode.FINISHED
    assert max(seen) <= 200


def test_stopped_at_a_step_without_a_finite_loss(tmp_path: Path, tiny_model: Path) -> None:
    """Its checkpoint is written all the same: the update was left out, the weights are sound."""
    spec = spec_of(tmp_path, tiny_model, Objective.SFT, evaluation_fraction=0, save_steps=100)
    real, calls = NextToken.loss, []

    def loss(criterion: NextToken, row: Any, *rest: Any) -> Share:
        share = real(criterion, row, *rest)
        calls.append(row)
        if len(calls) == 3:
            share.loss = share.loss * float("nan")
        return share

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NextToken, "loss", loss)
        first = run_here(tmp_path / "1", spec, StopAfter(tmp_path / "1", 3))
    assert first.code == ExitCode.STOPPED, first.last
    assert first.last.checkpoint == "step-00000003"
    found = resumed(spec, tmp_path / "2", tmp_path / "1")
    assert found.code == ExitCode.FINISHED, found.last
    assert sorted(found.series("loss")) == [4, 5, 6]


def rewritten(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """A copy of a run's checkpoints, with something else noted of what they were made with."""
    for checkpoint in folder.glob("checkpoints/step-*"):
        manifest = checkpoints.verify(checkpoint)
        facts = {name: manifest[name] for name in ("step", "attempt")}
        noted = change(dict(manifest["identity"]))
        checkpoints.write_manifest(checkpoint, {**facts, "identity": noted})
    return folder


def without_seed(noted: dict[str, Any]) -> dict[str, Any]:
    """As if there had been no such knob yet."""
    settings, knobs = noted["settings"], dict(noted["settings"]["knobs"])
    del knobs["seed"]
    return {**noted, "settings": {**settings, "knobs": {**knobs, "given_up_since": 3}}}


def as_hash(noted: dict[str, Any], **others: Any) -> dict[str, Any]:
    """As older versions noted it: one hash for all settings, nothing of the weights."""
    settings = {**noted["settings"], **others}
    settings["knobs"] = under_former_names(settings["knobs"])
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    known = {name: noted[name] for name in ("dataset", "validation_dataset", "model", "precision")}
    return {**known, "configuration": digest}


@pytest.mark.long
def test_a_knob_that_is_younger_than_the_checkpoint(
    tmp_path: Path, stopped: tuple[RunSpec, Path]
) -> None:
    spec, source = stopped
    old = rewritten(shutil.copytree(source, tmp_path / "1"), without_seed)
    assert resumed(spec, tmp_path / "2", old).code == ExitCode.FINISHED
    knobs = spec.hyperparameters.model_copy(update={"seed": 7, "learning_rate": 0.1})
    other = resumed(spec.model_copy(update={"hyperparameters": knobs}), tmp_path / "3", old)
    assert other.last.code == "checkpoint_corrupt"
    assert "was made with another seed, learning_rate." in other.last.message


def test_a_checkpoint_of_a_version_that_noted_a_hash(
    tmp_path: Path, stopped: tuple[RunSpec, Path]
) -> None:
    spec, source = stopped
    old = rewritten(shutil.copytree(source, tmp_path / "1"), as_hash)
    assert resumed(spec, tmp_path / "2", old).code == ExitCode.FINISHED
    rewritten(shutil.copytree(source, tmp_path / "other"), lambda n: as_hash(n, method="full"))
    other = resumed(spec, tmp_path / "3", tmp_path / "other")
    assert "was made with another configuration." in other.last.message


@pytest.mark.long
@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_replaced_weights_are_noticed(
    tmp_path: Path, tiny_model: Path, stopped: tuple[RunSpec, Path], file: str
) -> None:
    """A local folder has no revision: other numbers of the same shapes have to be seen."""
    spec, source = stopped
    model = shutil.copytree(tiny_model, tmp_path / "model")
    moved = spec.model_copy(update={"model": spec.model.model_copy(update={"path": str(model)})})
    assert resumed(moved, tmp_path / "2", source).code == ExitCode.FINISHED
    if file == "config.json":
        config = json.loads((model / file).read_text())
        (model / file).write_text(json.dumps({**config, "rms_norm_eps": 0.1}))
    else:
        tensors = load_file(model / file)
        save_file({name: value * 2 for name, value in tensors.items()}, model / file)
    other = resumed(moved, tmp_path / "3", source)
    assert other.last.code == "checkpoint_corrupt"
    assert "another version of the base model's weights" in other.last.message


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> tuple[RunSpec, Path]:
    """A run with two checkpoints."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("stopped")
    spec = spec_of(folder, tiny_model, Objective.SFT)
    assert run_here(folder / "1", spec, StopAfter(folder / "1", 5)).code == ExitCode.STOPPED
    names = sorted(path.name for path in (folder / "1" / "checkpoints").iterdir())
    assert names == ["step-00000004", "step-00000005"]
    return spec, folder / "1"


FILES = ["weights.safetensors", "optimizer.safetensors", "random.safetensors", "state.json"]


@pytest.mark.parametrize("file", [*FILES, "MANIFEST.json"])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_a_flipped_bit_anywhere(
    tmp_path: Path, stopped: tuple[RunSpec, Path], file: str, place: float
) -> None:
    spec, source = stopped
    broken = source / "checkpoints" / "step-00000005" / file
    whole = broken.read_bytes()
    flipped = bytearray(whole)
    at = int(place * (len(whole) - 1))
    flipped[at] ^= 0x10
    broken.write_bytes(flipped)
    try:
        found, skipped = checkpoints.newest(source / "checkpoints", identity(spec, source))
    finally:
        broken.write_bytes(whole)
    assert found is not None
    assert found.step == 4, file
    assert len(skipped) == 1
    assert f"step-00000005/{file}" in skipped[0]


def identity(spec: RunSpec, source: Path) -> dict[str, str]:
    manifest = checkpoints.verify(source / "checkpoints" / "step-00000004")
    return dict(manifest["identity"])


def test_every_file_of_a_checkpoint_is_covered(stopped: tuple[RunSpec, Path]) -> None:
    folder = stopped[1] / "checkpoints" / "step-00000005"
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "MANIFEST.json"])


def test_a_damaged_one_is_said_and_the_one_before_it_used(
    tmp_path: Path, stopped: tuple[RunSpec, Path]
) -> None:
    spec, source = stopped
    broken = source / "checkpoints" / "step-00000005" / "state.json"
    whole = broken.read_bytes()
    broken.write_bytes(whole.replace(b'"step": 5', b'"step": 4'))
    try:
        found = resumed(spec, tmp_path / "2", source)
    finally:
        broken.write_bytes(whole)
    assert found.code == ExitCode.FINISHED, found.last
    notice = found.notices()["checkpoint_skipped"]
    assert notice["step"] == 4
    assert "step-00000005/state.json" in notice["problem"]
    written = load_file(tmp_path / "2" / "output" / "adapter_model.safetensors")
    assert all(bool(value.isfinite().all()) for value in written.values())
