"""Kahneman–Tversky optimisation (https://arxiv.org/abs/2402.01306): answers judged one by one.

With r the log-ratio of an answer to the model before it was tuned and z0 how far the model has
moved on answers that do not belong to their questions (never below zero):
good answers lose w (1 - sigmoid(beta (r - z0))), bad ones w (1 - sigmoid(beta (z0 - r))).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import ClassVar

import torch
from torch import Tensor

from training_engine.contract.records import Message
from training_engine.data.encode import EncodedSet
from training_engine.data.packing import PackedRow, only
from training_engine.data.reading import Reading, question
from training_engine.data.records import Row
from training_engine.data.samples import Form, Misfit, Sample
from training_engine.objectives.criterion import Criterion, Share, Totals
from training_engine.objectives.pairs import log_ratios


class JudgedAnswers(Reading):
    """The answer that was judged, and an answer that does not belong to its question.

    That is the answer of the next row with another question, the last rows' of the first. Where all
    ask the same (`label_report` tells it) the next row's has to do.
    """

    form: ClassVar[Form] = Form(sequences=2, borrowed=True)

    def arrange(self, rows: Iterable[Row]) -> Iterator[Row]:
        groups = (list(group) for _, group in groupby(rows, _question))
        first = next(groups, [])
        second, previous = None, first
        for group in groups:
            second = second or group
            yield from (_beside(row, group[0]) for row in previous)
            previous = group
        if second is None:
            yield from map(_beside, first, [*first[1:], *first[:1]])
            return
        other = second if _question(previous[0]) == _question(first[0]) else first
        yield from (_beside(row, other[0]) for row in previous)

    def samples(self, row: Row) -> list[Sample]:
        question(row)
        if row.messages[-1].role != "assistant":
            raise Misfit("messages", "the conversation does not end with an answer")
        if row.messages[-1].train is False:
            raise Misfit("messages", "the answer is switched off, so nothing of it is learnt")
        if not isinstance(row.label, bool):
            raise Misfit("label", "it has to be true (a good answer) or false")
        asked = row._replace(messages=row.messages[:-1])
        own, other = row.messages[-1:], row.other_answer or row.messages[-1:]
        if other[0].role != "assistant" or other[0].train is False:
            other = own  # that row is refused on its own account
        texts = (self.template.learning_last(asked, own), self.template.learning_last(asked, other))
        return [Sample(texts, float(row.label))]


def _question(row: Row) -> tuple[list[Message], list[dict[str, object]] | None]:
    return row.messages[:-1], row.tools


def _beside(row: Row, other: Row) -> Row:
    return row._replace(other_answer=other.messages[-1:])


class KahnemanTversky(Criterion):
    """KTO; z0 is taken over the whole step, without a gradient."""

    referenced: ClassVar[bool] = True
    begins: ClassVar[bool] = True

    def weighs(self, data: EncodedSet, samples: Sequence[int]) -> bool:
        if data.labels is None:
            raise ValueError("judged answers need labels")
        return bool(self._weights(data.labels[list(samples)]).any())

    def begin(self, row: PackedRow) -> dict[str, Tensor]:
        return {"kl": self._ratios(only(row, 1)).sum()}

    def loss(self, row: PackedRow, totals: Totals, begun: Mapping[str, Tensor]) -> Share:
        if row.labels is None:
            raise ValueError("judged answers need labels")
        ratios = self._ratios(only(row, 0))
        good = row.labels > 0.5
        z0 = (begun["kl"] / totals.samples).clamp(min=0)
        knobs, sign = self.knobs, torch.where(good, 1.0, -1.0)
        beta = knobs.beta_of(self.objective)
        gain = torch.sigmoid(beta * sign * (ratios - z0))
        right = ((ratios.detach() > z0) == good).float()
        told = {"reward_accuracy": right.sum(), "kl": z0 * len(good)}
        weights = self._weights(row.labels)
        return Share((weights * (1 - gain)).sum() / totals.samples, told)

    def _weights(self, labels: Tensor) -> Tensor:
        return torch.where(labels > 0.5, self.knobs.desirable_weight, self.knobs.undesirable_weight)

    def _ratios(self, row: PackedRow) -> Tensor:
        sums, _ = self.forward.sequence_log_probs(row)
        return log_ratios(sums, row)
