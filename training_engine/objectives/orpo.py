"""Odds-ratio preference optimisation (https://arxiv.org/abs/2403.07691): one stage, no reference.

Cross-entropy of the chosen answers, plus beta times -log sigmoid(log odds ratio), where the odds of
an answer are p / (1 - p) with p its mean probability by token (in the paper: lambda).
"""

import torch
from torch import Tensor

from training_engine.data.packing import PackedRow
from training_engine.objectives.criterion import Totals
from training_engine.objectives.pairs import (
    PairCriterion,
    difference,
    mean_log_probs,
    preferred,
)

# log(1 - p) has no gradient to speak of below this, and none at all at p = 1.
CLOSEST_TO_ONE = -1e-6


class OddsRatioPreference(PairCriterion):
    """ORPO."""

    def losses(self, sums: Tensor, lengths: Tensor, row: PackedRow) -> tuple[Tensor, Tensor]:
        beta = self.knobs.beta_of(self.objective)
        means = mean_log_probs(sums, lengths)
        odds = means - torch.log(-torch.expm1(means.clamp(max=CLOSEST_TO_ONE)))
        return beta * preferred(difference(odds)), beta * means

    def of_chosen(self, chosen: Tensor, totals: Totals) -> Tensor | None:
        return -chosen.sum() / totals.tokens
