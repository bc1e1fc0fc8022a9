"""What a row becomes before it is tokens: one text, or two that belong together."""

from dataclasses import dataclass, field

Label = int | float | list[float]


class Misfit(Exception):
    """A row that an objective can not use; `field` is where, the text says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True)
class Turn:
    """Characters `start` to `end` of a text are learnt, with what ends them."""

    start: int
    end: int


@dataclass
class Rendered:
    """One text; its `turns` are learnt, everything else is context. `whole`: all of it is."""

    text: str
    turns: list[Turn] = field(default_factory=list)
    # The template's generation prompt says more than the rendered turn begins with.
    prompt_differs: bool = False
    whole: bool = False
    # The conversation begins with an answer that can not be told apart in it.
    first_unlearnt: bool = False


@dataclass(frozen=True)
class Sample:
    """One thing to learn: as many texts as the objective's `Form` has sequences, and a label."""

    texts: tuple[Rendered, ...]
    label: Label | None = None


@dataclass(frozen=True)
class Form:
    """How the texts of an objective become tokens.

    sequences: texts of a sample. predicts: the tokens of a text are learnt from those before them;
    otherwise a text is read whole. special_tokens: the tokenizer adds its own (texts without a chat
    template). pieces: what is too long is continued in another sample instead of being cut.
    target: the second text is a target, for which some tokenizers have words of their own.
    borrowed: the last text ends in another row's answer, and what becomes of it tells nothing about
    the row.
    """

    sequences: int = 1
    predicts: bool = True
    special_tokens: bool = False
    pieces: bool = False
    target: bool = False
    borrowed: bool = False
