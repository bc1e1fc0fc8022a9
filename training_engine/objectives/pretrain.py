"""Continued pre-training: the model learns plain text as it stands.

Loss: cross-entropy of the next token on every token. A document ends with the model's end of text;
one that is longer than the longest sample goes on in the next sample, nothing of it is lost.
"""

from typing import ClassVar

from training_engine.data.reading import Reading
from training_engine.data.records import Row
from training_engine.data.samples import Form, Misfit, Rendered, Sample


class Documents(Reading):
    """Each document is one sample, or as many as it fills."""

    form: ClassVar[Form] = Form(special_tokens=True, pieces=True)
    needs_template: ClassVar[bool] = False

    def samples(self, row: Row) -> list[Sample]:
        if not row.text or not row.text.strip():
            raise Misfit("text", "there is no text")
        return [Sample((Rendered(row.text, whole=True),))]
