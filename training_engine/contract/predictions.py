"""What `POST /classify` of the inference worker takes and answers (see `contract/serving.py`).

One JSON body in, one out: `Predictions`, or with status 400 or above a `Failure`. A caller who
closes the connection cancels what is not computed yet.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training_engine.contract.serving import ChatMessage

CLASSIFY_PATH = "/classify"
MAX_TEXTS = 256
Kind = Literal["single_label", "multi_label", "regression", "score"]
_Conversation = Annotated[list[ChatMessage], Field(min_length=1)]


class ClassifyRequest(BaseModel):
    """Texts, or conversations that end with an answer, for a model that ends in a class or a score.

    `adapter_path` is the adapter folder of a LoRA run, which also holds its labels. `top` is how
    many labels are told of each text, the likeliest first.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, protected_namespaces=())

    model_path: str
    adapter_path: str | None = None
    trusted_code_sha256: str | None = None
    texts: Annotated[list[str], Field(max_length=MAX_TEXTS)] = []
    conversations: Annotated[list[_Conversation], Field(max_length=MAX_TEXTS)] = []
    top: Annotated[int, Field(ge=1, le=10_000)] = 100

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if bool(self.texts) == bool(self.conversations):
            raise ValueError("give either texts or conversations")
        return self


class LabelScore(BaseModel):
    """A label and how likely it is, 0 to 1."""

    label: str
    score: float


class Prediction(BaseModel):
    """What the model says of one text.

    `labels`: the likeliest first; with `single_label` they add up to 1, with `multi_label` each is
    for itself. `chosen`: the label, or all above one half. `value`: the number of `regression` and
    `score` models, which have no labels.
    """

    labels: list[LabelScore]
    chosen: list[str]
    value: float | None
    tokens: int
    truncated: bool


class Predictions(BaseModel):
    """One prediction for each text, in their order; `seconds` from the request on."""

    type: Literal["predictions"] = "predictions"
    kind: Kind
    num_labels: int
    predictions: list[Prediction]
    seconds: float
