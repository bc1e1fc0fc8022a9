"""Reward modelling: a score for an answer, higher for the preferred one of a pair.

Loss of a pair: -log sigmoid(score(chosen) - score(rejected)), the Bradley–Terry model as in
https://arxiv.org/abs/2203.02155. The score is read where the answer ends.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from training_engine.data.packing import PackedRow
from training_engine.data.samples import Form
from training_engine.objectives.criterion import Criterion, Share, Totals
from training_engine.objectives.pairs import Pairs, difference, preferred

# Turns as encoders read pairs of texts: [CLS] question [SEP] answer [SEP].
PLAIN_TURNS = (
    "{{ cls_token or bos_token or '' }}"
    "{% for message in messages %}"
    "{{ message['content'] + (sep_token or eos_token or '\n') }}"
    "{% endfor %}"
)


class ScoredPairs(Pairs):
    """Pairs that are read whole, as plain turns where the model has no chat template."""

    form: ClassVar[Form] = Form(sequences=2, predicts=False)
    spare_template: ClassVar[str | None] = PLAIN_TURNS


class RewardModel(Criterion):
    """A model with one score."""

    def loss(self, row: PackedRow, totals: Totals, begun: Mapping[str, Tensor]) -> Share:
        scores = self.forward.scores(row).view(-1, 2)
        margin = difference(scores.detach())
        told = {"reward_margin": margin.sum(), "reward_accuracy": (margin > 0).float().sum()}
        return Share(preferred(difference(scores)).sum() / totals.samples, told)
