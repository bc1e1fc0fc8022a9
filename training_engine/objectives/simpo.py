"""SimPO (https://arxiv.org/abs/2405.14734): no reference, rewards are means by token.

Loss of a pair: -log sigmoid(beta · (mean log p(chosen) - mean log p(rejected)) - gamma), gamma
given as a share of beta (`simpo_gamma_ratio`), as the paper recommends it.
"""

from torch import Tensor

from training_engine.data.packing import PackedRow
from training_engine.objectives.pairs import (
    PairCriterion,
    difference,
    mean_log_probs,
    preferred,
)


class SimplePreference(PairCriterion):
    """SimPO."""

    def losses(self, sums: Tensor, lengths: Tensor, row: PackedRow) -> tuple[Tensor, Tensor]:
        beta = self.knobs.beta_of(self.objective)
        means = mean_log_probs(sums, lengths)
        ahead = difference(means) - self.knobs.simpo_gamma_ratio
        return preferred(beta * ahead), beta * means
