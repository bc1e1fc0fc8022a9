"""Text classification: one class, several, or a number for a text.

Loss: cross-entropy over classes; with several at once, binary cross-entropy of each class, their
mean; squared error for numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from torch import Tensor, nn

from training_engine.contract.choices import LabelKind
from training_engine.data.packing import PackedRow
from training_engine.data.reading import Reading
from training_engine.data.records import Row
from training_engine.data.samples import Form, Misfit, Rendered, Sample
from training_engine.objectives.criterion import Criterion, Share, Totals
from training_engine.objectives.labels import Labels


class LabelledTexts(Reading):
    """A text is read whole; its classes are those of all rows, training and validation."""

    form: ClassVar[Form] = Form(predicts=False, special_tokens=True)
    needs_template: ClassVar[bool] = False
    classes: Labels

    def study(self, rows: Callable[[], Iterator[Row]]) -> None:
        self.classes = Labels.read(rows(), self.knobs.label_kind)

    def preview(self, rows: Callable[[], Iterator[Row]]) -> None:
        self.classes = Labels.seen(rows(), self.knobs.label_kind)

    def samples(self, row: Row) -> list[Sample]:
        if not row.text or not row.text.strip():
            raise Misfit("text", "there is no text")
        return [Sample((Rendered(row.text),), self.classes.number(row.label))]


class Classification(Criterion):
    """The kind of labels stands in the model's configuration, as stock transformers keeps it."""

    def loss(self, row: PackedRow, totals: Totals, begun: Mapping[str, Tensor]) -> Share:
        if row.labels is None:
            raise ValueError("a classifier needs labels")
        scores = self.forward.scores(row)
        smoothing = self.knobs.label_smoothing
        if self._kind is LabelKind.REGRESSION:
            error = scores[:, 0] - row.labels
            told = {"squared_error": (error.detach() ** 2).sum()}
            return Share((error**2).sum() / totals.samples, told)
        if self._kind is LabelKind.MULTI:
            wanted = row.labels * (1 - smoothing) + smoothing / 2
            each = nn.functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
            right, predicted = row.labels > 0.5, scores.detach() > 0
            return Share(each.mean(dim=1).sum() / totals.samples, _counts(predicted, right))
        target = row.labels.long()
        loss = nn.functional.cross_entropy(
            scores, target, reduction="sum", label_smoothing=smoothing
        )
        classes = scores.shape[1]
        chosen = nn.functional.one_hot(scores.detach().argmax(dim=1), classes).bool()
        return Share(
            loss / totals.samples, _counts(chosen, nn.functional.one_hot(target, classes).bool())
        )

    def summary(self, sums: Mapping[str, Tensor], totals: Totals) -> dict[str, float]:
        """Accuracy (all of a text's classes right) and macro F1, or the root of the mean error."""
        if "squared_error" in sums:
            return {"rmse": float((sums["squared_error"] / totals.samples) ** 0.5)}
        both, predicted, actual = sums["both"], sums["predicted"], sums["actual"]
        present = (predicted + actual) > 0
        f1 = (2 * both / (predicted + actual).clamp(min=1))[present]
        return {
            "accuracy": float(sums["right"] / totals.samples),
            "f1": float(f1.mean()) if len(f1) else 0.0,
        }

    @property
    def _kind(self) -> LabelKind:
        kind = self.forward.model.config.problem_type
        return {
            "regression": LabelKind.REGRESSION,
            "multi_label_classification": LabelKind.MULTI,
        }.get(kind, LabelKind.SINGLE)


def _counts(predicted: Tensor, actual: Tensor) -> dict[str, Tensor]:
    """What accuracy and F1 are made of; `predicted`, `actual` bool [texts, classes]."""
    return {
        "right": (predicted == actual).all(dim=1).float().sum(),
        "both": (predicted & actual).float().sum(dim=0),
        "predicted": predicted.float().sum(dim=0),
        "actual": actual.float().sum(dim=0),
    }
