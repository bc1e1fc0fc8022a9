"""How an objective reads rows: the base of what each file in `objectives/` says for its own."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.data.chat import ChatTemplate
from training_engine.data.records import Row
from training_engine.data.samples import Form, Misfit, Sample


class Reading(ABC):
    """Turns rows into samples. `lengths`: the longest of each sequence, in tokens.

    `context` is the most that the model can read: nothing is longer, whatever the knobs say.
    """

    form: ClassVar[Form] = Form()
    needs_template: ClassVar[bool] = True
    # The form of conversations for models that have none: it ships with the result.
    spare_template: ClassVar[str | None] = None

    def __init__(
        self, template: ChatTemplate, knobs: Hyperparameters, context: int | None = None
    ) -> None:
        self.template = template
        self.knobs = knobs
        longest = min(knobs.max_length, context or knobs.max_length)
        self.lengths: tuple[int, ...] = (longest,) * self.form.sequences

    def study(self, rows: Callable[[], Iterator[Row]]) -> None:  # noqa: B027 - most need nothing
        """Learn what has to be known of all rows first; raises `EngineFailure`."""

    def preview(self, rows: Callable[[], Iterator[Row]]) -> None:
        """Learn from some rows what is needed to read those; judges nothing that all rows decide.

        For showing rows; a run does `study`.
        """
        self.study(rows)

    def arrange(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, each with what it needs of others."""
        return iter(rows)

    @abstractmethod
    def samples(self, row: Row) -> list[Sample]:
        """What is learnt from a row; raises `Misfit` and `TemplateRefusal`."""

    def ended(self, ids: list[int]) -> list[int]:
        """The ids of a text that is learnt whole, with the end of text that stops generation.

        Nothing is added where the tokenizer has put it: last, or before the name of a language.
        """
        end = self.template.tokenizer.eos_token_id
        return ids if end is None or end in ids[-2:] else [*ids, end]


def question(row: Row, field: str = "messages") -> None:
    """Raise `Misfit` unless the row holds a conversation."""
    if not row.messages:
        raise Misfit(field, "there is no conversation")
