"""Supervised fine-tuning: the model learns to give the assistant's answers.

Loss: cross-entropy of the next token, on the assistant's tokens and their terminators only. Tool
calls and reasoning are part of an answer as the chat template writes them.
"""

from collections.abc import Mapping

from torch import Tensor

from training_engine.data.packing import PackedRow
from training_engine.data.reading import Reading, question
from training_engine.data.records import Row
from training_engine.data.samples import Misfit, Sample
from training_engine.objectives.criterion import Criterion, Share, Totals


class Conversations(Reading):
    """Each conversation is a sample, or several where the template rewrites earlier turns."""

    def samples(self, row: Row) -> list[Sample]:
        question(row)
        if not any(message.role == "assistant" for message in row.messages):
            raise Misfit("messages", "there is no answer of an assistant to learn from")
        return [Sample((text,)) for text in self.template.samples(row)]


class NextToken(Criterion):
    """Mean cross-entropy over the trained tokens of the step."""

    def loss(self, row: PackedRow, totals: Totals, begun: Mapping[str, Tensor]) -> Share:
        loss = self.forward.cross_entropy(row, self.knobs.label_smoothing)
        return Share(loss / totals.tokens)
