"""Contrastive preference optimisation (https://arxiv.org/abs/2401.08417).

DPO's loss with a uniform reference, plus alpha times the cross-entropy of the chosen answer.
"""

from torch import Tensor

from training_engine.data.packing import PackedRow
from training_engine.objectives.criterion import Totals
from training_engine.objectives.pairs import PairCriterion, difference, preferred


class ContrastivePreference(PairCriterion):
    """CPO."""

    def losses(self, sums: Tensor, lengths: Tensor, row: PackedRow) -> tuple[Tensor, Tensor]:
        rewards = self.knobs.beta_of(self.objective) * sums
        return preferred(difference(rewards)), rewards

    def of_chosen(self, chosen: Tensor, totals: Totals) -> Tensor | None:
        return -self.knobs.cpo_alpha * chosen.sum() / totals.tokens
