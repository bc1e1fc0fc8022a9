"""Sequence to sequence: an encoder reads, a decoder writes (T5, BART, Marian, …).

Loss: cross-entropy of the target's tokens, as in https://arxiv.org/abs/1910.10683. Source and
target are plain texts with the tokenizer's own special tokens; a target ends with the end of text,
unless it was cut.
"""

from typing import ClassVar

from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.data.chat import ChatTemplate
from training_engine.data.reading import Reading, question
from training_engine.data.records import Row
from training_engine.data.samples import Form, Misfit, Rendered, Sample


class Translations(Reading):
    """What comes before the last answer is the source, the answer the target."""

    form: ClassVar[Form] = Form(sequences=2, special_tokens=True, target=True)
    needs_template: ClassVar[bool] = False

    def __init__(
        self, template: ChatTemplate, knobs: Hyperparameters, context: int | None = None
    ) -> None:
        super().__init__(template, knobs, context)
        longest = min(knobs.max_target_length, context or knobs.max_target_length)
        self.lengths = (self.lengths[0], longest)

    def samples(self, row: Row) -> list[Sample]:
        question(row)
        *before, answer = row.messages
        if row.tools:
            raise Misfit("tools", "plain texts can not describe tools, so they would be lost")
        if any(message.tool_calls for message in row.messages):
            raise Misfit("messages", "plain texts can not call tools, so the calls would be lost")
        if answer.role != "assistant" or not answer.content.strip():
            raise Misfit("messages", "the conversation does not end with an answer")
        if answer.train is False:
            raise Misfit("messages", "the answer is switched off, so nothing of it is learnt")
        source = "\n\n".join(message.content for message in before if message.content)
        if not source.strip():
            raise Misfit("messages", "nothing comes before the answer")
        return [Sample((Rendered(source), Rendered(answer.content, whole=True)))]
