"""Everything one training run consists of, and how it is saved and taken up again."""

import hashlib
import json
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from torch import Tensor, nn

from training_engine import checkpoints, noise
from training_engine.checkpoints import CorruptCheckpoint, ForeignCheckpoint, Opened
from training_engine.contract.choices import OutputCheckpoint
from training_engine.contract.names import (
    CHECKPOINTS_DIR,
    LEDGER_FILE,
    MANIFEST_FILE,
    FailureCode,
)
from training_engine.contract.spec import RunSpec
from training_engine.control import StopRequests
from training_engine.data import ledger
from training_engine.data.ledger import Ledger
from training_engine.data.order import SampleOrder
from training_engine.data.prepare import PreparedData
from training_engine.devices import Placement
from training_engine.distributed import Processes
from training_engine.events import Pace, Reporter
from training_engine.failures import EngineFailure
from training_engine.models.weights import TrainableWeights
from training_engine.objectives.criterion import Criterion
from training_engine.plan import AtOnce, Plan

# Knobs that change how a result is computed or watched, not what it is.
FREE_ON_RESUME = {
    "micro_batch_size", "evaluation_steps", "save_steps", "sample_steps", "early_stopping_patience",
    "output_checkpoint", "gradient_checkpointing", "activation_offload", "compile",
    "recover_from_oom",
}  # fmt: skip


T = TypeVar("T")


@dataclass
class State:
    """Where training stands; all of it goes into a checkpoint."""

    step: int = 0
    position: int = 0  # samples consumed
    best_step: int | None = None
    best_loss: float | None = None
    # What becomes the result as things stand: the best step, or the fastest; None: the last.
    kept_step: int | None = None
    kept_loss: float | None = None
    evaluations_without_gain: int = 0
    last_loss: float | None = None
    last_eval_loss: float | None = None


@dataclass
class Run:
    """One attempt in progress; every process that shares it has one."""

    spec: RunSpec
    run_dir: Path
    placement: Placement
    model: nn.Module
    weights: TrainableWeights
    criterion: Criterion
    data: PreparedData
    order: SampleOrder
    plan: Plan
    reporter: Reporter
    stop: StopRequests
    versions: dict[str, str]
    at_once: AtOnce
    processes: Processes
    padded: bool = False
    # The root of weights that are spread over the processes; all calls of the model go through it.
    shards: nn.Module | None = None
    sample: Callable[[], None] = lambda: None  # shows answers to held-out prompts
    state: State = field(default_factory=State)
    pace: Pace = field(default_factory=Pace)
    saved: dict[int, str] = field(default_factory=dict)  # step → folder of a checkpoint

    @property
    def _micro_batch_size(self) -> int | str:
        return self.spec.hyperparameters.micro_batch_size

    @property
    def ledger(self) -> Ledger:
        """The samples consumed by this attempt and those it continues."""
        return Ledger(self.run_dir / LEDGER_FILE)

    @property
    def sharded(self) -> bool:
        """Whether the weights that learn are spread over the processes: adapters never are."""
        return self.weights.sharded

    def through(self, compute: Callable[[], T]) -> T:
        """Do something with the model; tensors that it returns may be differentiated."""
        found: T = compute() if self.shards is None else self.shards(compute)
        return found

    def note_consumed(self, samples: Sequence[int]) -> None:
        """Write down the samples of a step."""
        if self.processes.main:
            self.ledger.append(samples)

    def identity(self) -> dict[str, str]:
        """What must be equal for a checkpoint to continue this very run."""
        knobs = self.spec.hyperparameters.model_dump(mode="json", exclude=FREE_ON_RESUME)
        spec = self.spec
        settings = {
            "objective": spec.objective,
            "method": spec.method,
            "knobs": knobs,
            "template": spec.chat_template,
        }
        configuration = json.dumps(settings, sort_keys=True).encode()
        return {
            "dataset": self.spec.dataset.sha256,
            "model": f"{self.spec.model.name}@{self.spec.model.revision or ''}",
            "configuration": hashlib.sha256(configuration).hexdigest(),
        }

    def save(self) -> None:
        """Commit a checkpoint of the present state; keep it, the one to be the result, no other."""
        # Of these every process may hold a part.
        tensors = {
            "weights": self.weights.stored(),
            "optimizer": self.weights.optimizer_tensors(),
            "random": noise.all_states(self.processes, self.placement.device),
        }
        self.saved[self.state.step] = checkpoints.name_of(self.state.step)
        keep = {self.saved.get(step or 0, "") for step in (self.state.step, self.state.kept_step)}
        if self.processes.main:
            self._commit(tensors)
            checkpoints.prune(self.run_dir, keep)
        self.saved = {step: name for step, name in self.saved.items() if name in keep}
        self.processes.wait()

    def _commit(self, tensors: dict[str, dict[str, Tensor]]) -> None:
        state = self.state
        self.ledger.sync()
        saved = checkpoints.save(
            self.run_dir,
            step=state.step,
            attempt=self.spec.attempt,
            tensors=tensors,
            state={
                **vars(state),
                "ledger_offset": self.ledger.offset,
                "versions": self.versions,
                "at_once": {"micro_batch_size": self._micro_batch_size, **vars(self.at_once)},
            },
            identity=self.identity(),
        )
        self.reporter.events.write(
            "checkpoint",
            step=saved.step,
            name=saved.name,
            size_bytes=saved.size_bytes,
            manifest_sha256=saved.manifest_sha256,
        )

    def open(self, source: Path) -> Opened:
        """The checkpoint to continue from: `source` itself, or the newest whole one in it.

        From here on as much is computed at once as before it: more or less would round otherwise.
        Raises `EngineFailure` when there is none that fits.
        """
        opened = self._open(source)
        before = dict(opened.state.get("at_once") or {})
        if before.pop("micro_batch_size", None) == self._micro_batch_size:
            earlier = AtOnce(**before)
            if not self.spec.deterministic:  # not more than fits now
                earlier.tokens = min(earlier.tokens, self.at_once.tokens)
            self.at_once = earlier
        return opened

    def resume(self, opened: Opened) -> None:
        """Take up the run of a checkpoint that `open` gave."""
        known = opened.state
        for name in vars(self.state).keys() & known.keys():
            setattr(self.state, name, known[name])
        if self.spec.hyperparameters.output_checkpoint is OutputCheckpoint.LAST:
            self.state.kept_step = self.state.kept_loss = None
        self.weights.load(opened.tensors("weights"))
        self.weights.load_optimizer(opened.tensors("optimizer"))
        noise.take_up(
            opened.tensors("random"),
            self.processes,
            self.placement.device,
            self.spec.hyperparameters.seed,
            self.state.step,
        )
        if self.processes.main:
            self._take_over_ledger(opened)
        self._take_over_kept(opened)
        self.processes.wait()
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
            self._skipped(problem, opened.step)
        return opened

    def _skipped(self, problem: str, step: int) -> None:
        self.reporter.notice(
            "warning",
            "checkpoint_skipped",
            f"A damaged checkpoint was passed over: {problem}. Continuing from step {step}.",
            problem=problem,
            step=step,
        )

    def _take_over_ledger(self, opened: Opened) -> None:
        """The consumed samples up to the checkpoint; rebuilt from the order when they are gone."""
        target = self.run_dir / LEDGER_FILE
        offset = opened.state["ledger_offset"]
        source = opened.folder.parent.parent / LEDGER_FILE
        if not ledger.carry_over(source, target, offset):
            consumed = self.order.take(0, offset // ledger.BYTES_PER_SAMPLE)
            target.write_bytes(array("q", consumed).tobytes())

    def _take_over_kept(self, opened: Opened) -> None:
        """Have the checkpoint that would be the result in this attempt's own folder."""
        kept = self.state.kept_step
        if kept is None:
            return
        # One process looks after files, all know what came of it.
        kept = self.processes.agreed(self._adopt(opened, kept) if self.processes.main else 0)
        if kept != self.state.kept_step:  # it is gone: the one we continue from stands in
            self.state.kept_step, self.state.kept_loss = kept, self.state.last_eval_loss
        self.saved[kept] = checkpoints.name_of(kept)

    def _adopt(self, opened: Opened, kept: int) -> int:
        """Copy the checkpoint of `kept`, or `opened` if that can not be; the step of which."""
        own = self.run_dir / CHECKPOINTS_DIR
        source = opened.folder.parent / checkpoints.name_of(kept)
        if kept == opened.step or not (source / MANIFEST_FILE).is_file():
            source, kept = opened.folder, opened.step
        if source.parent.resolve() != own.resolve():
            try:
                checkpoints.adopt(source, own)
            except CorruptCheckpoint as error:
                self._skipped(str(error), opened.step)
                source, kept = opened.folder, opened.step
                checkpoints.adopt(source, own)
        return kept

    def load_kept(self) -> int:
        """Give the model the weights that become the result; returns their step."""
        kept = self.state.kept_step
        if kept is None or kept == self.state.step or kept not in self.saved:
            return self.state.step
        folder = self.run_dir / CHECKPOINTS_DIR / self.saved[kept]
        opened = checkpoints.open_checkpoint(folder, self.identity())
        self.weights.load(opened.tensors("weights"))
        return kept
