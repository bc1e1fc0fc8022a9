"""Identity preference optimisation (https://arxiv.org/abs/2310.12036).

Loss of a pair: (d - 1 / (2 beta))², where d is the difference of the log-ratios. Log-ratios are
means by token: with sums, the length of an answer would decide how far it may go.
"""

from typing import ClassVar

from torch import Tensor

from training_engine.data.packing import PackedRow
from training_engine.objectives.pairs import (
    PairCriterion,
    difference,
    log_ratios,
    mean_log_probs,
)


class IdentityPreference(PairCriterion):
    """IPO; where DPO would drive a sure pair to infinity, the difference has a goal here."""

    referenced: ClassVar[bool] = True

    def losses(self, sums: Tensor, lengths: Tensor, row: PackedRow) -> tuple[Tensor, Tensor]:
        beta = self.knobs.beta_of(self.objective)
        ratios = mean_log_probs(log_ratios(sums, row), lengths)
        return (difference(ratios) - 1 / (2 * beta)) ** 2, beta * ratios
