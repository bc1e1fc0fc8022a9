"""Direct preference optimisation (https://arxiv.org/abs/2305.18290).

Loss of a pair: -log sigmoid(beta · (log-ratio of the chosen answer - that of the rejected)), where
a log-ratio is log p(answer) of the model minus that of the model before it was tuned.
"""

from typing import ClassVar

from torch import Tensor

from training_engine.data.packing import PackedRow
from training_engine.objectives.pairs import PairCriterion, difference, log_ratios, preferred


class DirectPreference(PairCriterion):
    """DPO; the reference is measured once, before the first step."""

    referenced: ClassVar[bool] = True

    def losses(self, sums: Tensor, lengths: Tensor, row: PackedRow) -> tuple[Tensor, Tensor]:
        rewards = self.knobs.beta_of(self.objective) * log_ratios(sums, row)
        return preferred(difference(rewards)), rewards
