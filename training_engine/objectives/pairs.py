"""Pairs of a preferred and a rejected answer: what DPO, IPO, ORPO, SimPO and CPO share.

Prompt and answer are one sequence; only the answer's tokens count. A pair lies in one row.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from training_engine.contract.records import Message
from training_engine.data.encode import EncodedSet
from training_engine.data.packing import PackedRow
from training_engine.data.reading import Reading, question
from training_engine.data.records import Row
from training_engine.data.samples import Form, Misfit, Rendered, Sample
from training_engine.objectives.criterion import Criterion, Share, Totals


class Pairs(Reading):
    """The conversation continued by each of two answers: the chosen one, then the rejected."""

    form: ClassVar[Form] = Form(sequences=2)

    def samples(self, row: Row) -> list[Sample]:
        question(row)
        chosen = self._continued(row, "chosen", row.chosen)
        rejected = self._continued(row, "rejected", row.rejected)
        if chosen.text == rejected.text:
            raise Misfit("rejected", "it is the same answer as chosen")
        return [Sample((chosen, rejected))]

    def _continued(self, row: Row, field: str, answer: list[Message] | None) -> Rendered:
        turns = [message for message in answer or [] if message.role == "assistant"]
        if not answer or not turns:
            raise Misfit(field, "there is no answer of an assistant")
        if all(turn.train is False for turn in turns):
            raise Misfit(field, "the answer is switched off, so nothing of it is learnt")
        return self.template.learning_last(row, answer)


class PairCriterion(Criterion):
    """Log-probabilities of both answers, and a loss that prefers one to the other."""

    def totals(self, data: EncodedSet, samples: Sequence[int]) -> Totals:
        """Tokens are those of the chosen answers: of them alone a mean over tokens is taken."""
        tokens = sum(data.targets[data.sequences(sample)[0]] for sample in samples)
        return Totals(tokens, len(samples))

    def loss(self, row: PackedRow, totals: Totals, begun: Mapping[str, Tensor]) -> Share:
        sums, lengths = self.forward.sequence_log_probs(row)
        losses, rewards = self.losses(sums.view(-1, 2), lengths.view(-1, 2), row)
        loss = losses.sum() / totals.samples
        extra = self.of_chosen(sums.view(-1, 2)[:, 0], totals)
        margin = (rewards[:, 0] - rewards[:, 1]).detach()
        told = {
            "reward_margin": margin.sum(),
            "reward_accuracy": (margin > 0).float().sum(),
            "chosen_log_prob": sums.detach().view(-1, 2)[:, 0].sum(),
            "rejected_log_prob": sums.detach().view(-1, 2)[:, 1].sum(),
        }
        return Share(loss if extra is None else loss + extra, told)

    @abstractmethod
    def losses(self, sums: Tensor, lengths: Tensor, row: PackedRow) -> tuple[Tensor, Tensor]:
        """Loss of each pair [p] and implicit rewards [p, 2].

        `sums` [p, 2]: log-probabilities of the answers, chosen first; `lengths` [p, 2]: in tokens.
        """

    def of_chosen(self, chosen: Tensor, totals: Totals) -> Tensor | None:
        """The share of learning the chosen answers themselves, where the method does."""
        return None


def log_ratios(sums: Tensor, row: PackedRow) -> Tensor:
    """How much likelier each answer became since the start, in the shape of `sums`."""
    if row.reference is None:
        raise ValueError("this objective needs the log-probabilities of the reference model")
    return sums - row.reference.view(sums.shape)


def mean_log_probs(sums: Tensor, lengths: Tensor) -> Tensor:
    """By token, so that long answers are not at a disadvantage."""
    return sums / lengths.clamp(min=1)


def difference(pairs: Tensor) -> Tensor:
    """First minus second of each pair."""
    return pairs[:, 0] - pairs[:, 1]


def preferred(logits: Tensor) -> Tensor:
    """-log sigmoid: the Bradley–Terry loss of preferring the first."""
    return -torch.nn.functional.logsigmoid(logits)
