"""Everything one training run consists of, and how it is saved (taken up again: `resume.py`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from training_engine import checkpoints, noise
from training_engine.checkpoints import CorruptCheckpoint
from training_engine.contract.failpoints import reach
from training_engine.contract.names import CHECKPOINTS_DIR, LEDGER_FILE, FailureCode
from training_engine.contract.spec import RunSpec
from training_engine.control import StopRequests
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
    non_finite: int = 0  # steps in a row whose loss was no number
    sound: bool = True  # False from a held-out loss that was no number to a loss that is one
    checked: bool = False  # gradients were seen to reach what learns
    unmeasured: bool = False  # its evaluation is still to come: the run was stopped in it


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
    identity: dict[str, Any]  # what a checkpoint of this run has in it
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
    def micro_batch_size(self) -> int | str:
        """As the spec says."""
        return self.spec.hyperparameters.micro_batch_size

    @property
    def computation(self) -> dict[str, Any]:
        """What it is computed with; with another the same steps round otherwise."""
        return {
            "device": self.placement.device.type,
            "precision": self.placement.dtype_name,
            "deterministic": self.spec.deterministic,
        }

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

    def save(self) -> None:
        """Commit a checkpoint of the present state.

        It is kept with the one before it, in case it is damaged, and the one to be the result.
        """
        # Of these every process may hold a part.
        tensors = {
            "weights": self.weights.stored(),
            "optimizer": self.weights.optimizer_tensors(),
            "random": noise.all_states(self.processes, self.placement.device),
        }
        self.saved[self.state.step] = checkpoints.name_of(self.state.step)
        keep = {*sorted(self.saved)[-2:], self.state.kept_step}
        self.saved = {step: name for step, name in self.saved.items() if step in keep}
        if self.processes.main:
            self._commit(tensors)
            reach("checkpoint.before_prune")
            checkpoints.prune(self.run_dir, set(self.saved.values()))
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
                "ledger_sha256": checkpoints.file_sha256(self.run_dir / LEDGER_FILE),
                "versions": self.versions,
                "computation": self.computation,
                "at_once": {"micro_batch_size": self.micro_batch_size, **vars(self.at_once)},
            },
            identity=self.identity,
        )
        self.reporter.events.write("checkpoint", **vars(saved))
        reach("checkpoint.told")

    def load_kept(self) -> int:
        """Give the model the weights that become the result; returns their step.

        The last ones stand in for a checkpoint that is damaged. Raises `EngineFailure` when those
        are not finite.
        """
        kept, step = self.state.kept_step, self.state.step
        if kept is not None and kept != step and self._loaded(self.saved.get(kept)):
            return kept
        if not self.weights.finite():
            raise EngineFailure(
                FailureCode.NAN_LOSS,
                f"After step {step}, the last one, the weights are not finite numbers.",
                "Lower the learning rate, then restart.",
                {"step": step},
            )
        return step

    def _loaded(self, name: str | None) -> bool:
        if name is None:
            return False
        problem = ""
        try:
            opened = checkpoints.open_checkpoint(
                self.run_dir / CHECKPOINTS_DIR / name, self.identity
            )
        except CorruptCheckpoint as error:
            problem = str(error)
        if self.processes.least(int(not problem)) == 0:
            self.reporter.notice(
                "warning",
                "result_damaged",
                f"The checkpoint that was to be the result is damaged: {problem}. The last state "
                f"becomes the result, that of step {self.state.step}. Look whether the disk has "
                "errors; to have the other state, run it again.",
                problem=problem,
                step=self.state.step,
            )
            return False
        self.weights.load(opened.tensors("weights"))
        return True
