"""Everything one training run consists of, and how it is saved and taken up again."""

import hashlib
import json
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training_engine import checkpoints
from training_engine.checkpoints import CorruptCheckpoint, ForeignCheckpoint, Opened
from training_engine.contract.names import (
    CHECKPOINTS_DIR,
    LEDGER_FILE,
    MANIFEST_FILE,
    FailureCode,
)
from training_engine.contract.spec import RunSpec
from training_engine.control import StopRequests
from training_engine.data import ledger
from training_engine.data.encode import EncodedSet
from training_engine.data.ledger import Ledger
from training_engine.data.order import SampleOrder
from training_engine.devices import Placement
from training_engine.events import Pace, Reporter
from training_engine.failures import EngineFailure
from training_engine.models.weights import TrainableWeights
from training_engine.objectives.sft import SupervisedFineTuning
from training_engine.plan import Plan

# Knobs that change how a result is computed or watched, not what it is.
FREE_ON_RESUME = {"micro_batch_size", "evaluation_steps", "save_steps", "early_stopping_patience"}


@dataclass
class State:
    """Where training stands; all of it goes into a checkpoint."""

    step: int = 0
    position: int = 0  # samples consumed
    best_step: int | None = None
    best_loss: float | None = None
    evaluations_without_gain: int = 0
    last_loss: float | None = None
    last_eval_loss: float | None = None


@dataclass
class Run:
    """One attempt in progress."""

    spec: RunSpec
    run_dir: Path
    placement: Placement
    model: nn.Module
    weights: TrainableWeights
    objective: SupervisedFineTuning
    train: EncodedSet
    evaluation: EncodedSet | None
    order: SampleOrder
    plan: Plan
    reporter: Reporter
    stop: StopRequests
    versions: dict[str, str]
    packed: bool
    state: State = field(default_factory=State)
    pace: Pace = field(default_factory=Pace)
    saved: dict[int, str] = field(default_factory=dict)  # step → folder of a checkpoint

    @property
    def ledger(self) -> Ledger:
        """The samples consumed by this attempt and those it continues."""
        return Ledger(self.run_dir / LEDGER_FILE)

    def identity(self) -> dict[str, str]:
        """What must be equal for a checkpoint to continue this very run."""
        knobs = self.spec.hyperparameters.model_dump(mode="json", exclude=FREE_ON_RESUME)
        settings = {"objective": self.spec.objective, "method": self.spec.method, "knobs": knobs}
        configuration = json.dumps(settings, sort_keys=True).encode()
        return {
            "dataset": self.spec.dataset.sha256,
            "model": f"{self.spec.model.name}@{self.spec.model.revision or ''}",
            "configuration": hashlib.sha256(configuration).hexdigest(),
        }

    def save(self) -> None:
        """Commit a checkpoint of the present state; keep it, the best one and no other."""
        state = self.state
        self.ledger.sync()
        saved = checkpoints.save(
            self.run_dir,
            step=state.step,
            attempt=self.spec.attempt,
            tensors={
                "weights": self.weights.masters,
                "optimizer": self.weights.optimizer_tensors(),
                "random": _random_state(self.placement.device),
            },
            state={
                **vars(state),
                "ledger_offset": self.ledger.offset,
                "versions": self.versions,
            },
            identity=self.identity(),
        )
        self.saved[state.step] = saved.name
        self.reporter.events.write(
            "checkpoint",
            step=saved.step,
            name=saved.name,
            size_bytes=saved.size_bytes,
            manifest_sha256=saved.manifest_sha256,
        )
        keep = {saved.name, self.saved.get(state.best_step or 0, "")}
        checkpoints.prune(self.run_dir, keep)
        self.saved = {step: name for step, name in self.saved.items() if name in keep}

    def resume(self, source: Path) -> None:
        """Take up the run of `source`: a checkpoint, or a folder of them (the newest whole one).

        Raises `EngineFailure` when there is none that fits.
        """
        opened = self._open(source)
        known = opened.state
        names = ("step", "position", "best_step", "best_loss", "evaluations_without_gain")
        for name in (*names, "last_loss", "last_eval_loss"):
            setattr(self.state, name, known[name])
        self.weights.load(opened.tensors("weights"))
        self.weights.load_optimizer(opened.tensors("optimizer"))
        _set_random_state(opened.tensors("random"), self.placement.device)
        self._take_over_ledger(opened)
        self._take_over_best(opened)
        self.reporter.notice(
            "info",
            "resumed",
            f"Continuing after step {self.state.step} of {self.plan.total_steps}.",
            step=self.state.step,
        )
        if known.get("versions") != self.versions:
            self.reporter.notice(
                "warning",
                "resumed_with_other_versions",
                "Libraries have changed since the checkpoint was written: the run goes on, but "
                "will not be bit for bit what it would have been.",
            )

    def _open(self, source: Path) -> Opened:
        try:
            try:
                opened, skipped = checkpoints.newest(source, self.identity())
            except CorruptCheckpoint as error:  # it was named itself: look at its neighbours
                opened, skipped = checkpoints.newest(source.parent, self.identity())
                skipped = skipped or [str(error)]
        except ForeignCheckpoint as error:
            raise EngineFailure(
                FailureCode.CHECKPOINT_CORRUPT,
                f"The checkpoint does not belong to this run: {error}.",
                "Restart the run instead of resuming it.",
            ) from error
        if opened is None:
            reason = f": {skipped[0]}" if skipped else ""
            raise EngineFailure(
                FailureCode.CHECKPOINT_CORRUPT,
                f"There is no whole checkpoint to continue from{reason}.",
                "Restart the run.",
            )
        for problem in skipped:
            self.reporter.notice(
                "warning",
                "checkpoint_skipped",
                f"A damaged checkpoint was passed over: {problem}. "
                f"Continuing from step {opened.step}.",
                problem=problem,
                step=opened.step,
            )
        return opened

    def _take_over_ledger(self, opened: Opened) -> None:
        """The consumed samples up to the checkpoint; rebuilt from the order when they are gone."""
        target = self.run_dir / LEDGER_FILE
        offset = opened.state["ledger_offset"]
        source = opened.folder.parent.parent / LEDGER_FILE
        if not ledger.carry_over(source, target, offset):
            consumed = self.order.take(0, offset // ledger.BYTES_PER_SAMPLE)
            target.write_bytes(array("q", consumed).tobytes())

    def _take_over_best(self, opened: Opened) -> None:
        """Have the best checkpoint so far in this attempt's own folder."""
        best = self.state.best_step
        own = self.run_dir / CHECKPOINTS_DIR
        if best is None:
            return
        name = f"{checkpoints.PREFIX}{best:08d}"
        source = opened.folder.parent / name
        if best == opened.step or not (source / MANIFEST_FILE).is_file():
            source, best = opened.folder, opened.step
        if source.parent.resolve() != own.resolve():
            checkpoints.adopt(source, own)
        if best != self.state.best_step:  # it is gone: the one we continue from stands in
            self.state.best_step, self.state.best_loss = best, self.state.last_eval_loss
        self.saved[best] = source.name

    def load_best(self) -> int:
        """Give the model the weights that were measured best; returns their step."""
        best = self.state.best_step
        if best is None or best == self.state.step or best not in self.saved:
            return self.state.step
        folder = self.run_dir / CHECKPOINTS_DIR / self.saved[best]
        opened = checkpoints.open_checkpoint(folder, self.identity())
        self.weights.load(opened.tensors("weights"))
        return best


def _random_state(device: torch.device) -> dict[str, Tensor]:
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def _set_random_state(state: dict[str, Any], device: torch.device) -> None:
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
