"""What an objective does with a row of samples: the base of each file in this folder."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from training_engine.contract.choices import Objective
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.data.encode import EncodedSet
from training_engine.data.packing import PackedRow
from training_engine.models.forward import Forward


@dataclass(frozen=True)
class Totals:
    """What the sums of a whole step (or evaluation) are divided by, over all rows and processes.

    Every row's loss is its share of the step's mean: how a step is cut does not show.
    """

    tokens: int
    samples: int


@dataclass
class Share:
    """A row's share of the step's mean loss, and sums to tell people about."""

    loss: Tensor
    sums: dict[str, Tensor] = field(default_factory=dict)


class Criterion(ABC):
    """The loss of one objective on one model."""

    # Compares with what the model gave before it was tuned: log-probabilities by sequence.
    referenced: ClassVar[bool] = False
    # Has something to sum over a whole step before its losses.
    begins: ClassVar[bool] = False

    def __init__(
        self, forward: Forward, knobs: Hyperparameters, objective: Objective = Objective.SFT
    ) -> None:
        self.forward = forward
        self.knobs = knobs
        self.objective = objective

    def totals(self, data: EncodedSet, samples: Sequence[int]) -> Totals:
        """The divisors of a step that takes these samples."""
        sequences = (sequence for sample in samples for sequence in data.sequences(sample))
        return Totals(sum(data.targets[sequence] for sequence in sequences), len(samples))

    def weighs(self, data: EncodedSet, samples: Sequence[int]) -> bool:
        """Whether any of these samples has a weight in the loss."""
        return True

    def begin(self, row: PackedRow) -> dict[str, Tensor]:
        """A row's part of what is summed over a whole step before its losses; no gradient."""
        return {}

    @abstractmethod
    def loss(self, row: PackedRow, totals: Totals, begun: Mapping[str, Tensor]) -> Share:
        """The row's share; `begun`: what `begin` gave, over all rows and processes."""

    def summary(self, sums: Mapping[str, Tensor], totals: Totals) -> dict[str, float]:
        """Metrics by name from sums over a step or an evaluation: means by sample."""
        return {name: float(value) / totals.samples for name, value in sums.items()}
