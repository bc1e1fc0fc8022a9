"""One request for classes or scores: texts become tokens, batches, predictions in their order."""

import time
from collections.abc import Callable
from typing import Any

from torch import Tensor

from training_engine.contract.predictions import (
    ClassifyRequest,
    LabelScore,
    Prediction,
    Predictions,
)
from training_engine.contract.records import Message
from training_engine.contract.serving import ChatMessage, Done
from training_engine.data.chat import TemplateRefusal
from training_engine.serve.classifier import LoadedClassifier
from training_engine.serve.failures import ServeError


class Classification:
    """Advances by one batch at a time; `tell` receives the predictions, once."""

    def __init__(
        self,
        request: ClassifyRequest,
        loaded: LoadedClassifier,
        tell: Callable[[Predictions], None],
        arrived: float,
    ) -> None:
        """Raises `ServeError` for texts that can not be read."""
        self._request, self._loaded, self._tell = request, loaded, tell
        self._arrived = arrived
        encode = _of_texts if request.texts else _of_conversations
        self._texts, self._cut = encode(request, loaded)
        self._batches = batches([len(text) for text in self._texts], loaded.batch_tokens)
        self._scores: dict[int, Tensor] = {}

    def advance(self) -> bool:
        """One batch; True when there are no more."""
        batch = self._batches.pop()
        scores = self._loaded.scores([self._texts[i] for i in batch])
        self._scores |= dict(zip(batch, scores, strict=True))
        if self._batches:
            return False
        self._tell(
            Predictions(
                kind=self._loaded.kind,
                num_labels=len(self._loaded.names),
                predictions=[self._prediction(i) for i in range(len(self._texts))],
                seconds=round(time.monotonic() - self._arrived, 6),
            )
        )
        return True

    def _prediction(self, place: int) -> Prediction:
        labels, chosen, value = said(self._scores[place], self._loaded, self._request.top)
        return Prediction(
            labels=labels,
            chosen=chosen,
            value=value,
            tokens=len(self._texts[place]),
            truncated=self._cut[place],
        )

    def done(self, reason: str) -> Done:
        """For whoever was waiting when the worker ended."""
        return Done.model_validate(
            {"finish_reason": reason, "prompt_tokens": 0, "completion_tokens": 0}
        )


def said(
    scores: Tensor, loaded: LoadedClassifier, top: int
) -> tuple[list[LabelScore], list[str], float | None]:
    """Scores [labels] of one text: the likeliest labels, the chosen ones, or the number."""
    if loaded.kind in ("regression", "score"):
        return [], [], float(scores[0])
    several = loaded.kind == "multi_label"
    chances = scores.sigmoid() if several else scores.softmax(-1)
    ordered = chances.sort(descending=True, stable=True)
    pairs = zip(ordered.values[:top].tolist(), ordered.indices[:top].tolist(), strict=True)
    labels = [LabelScore(label=loaded.names[i], score=chance) for chance, i in pairs]
    if not several:
        return labels, [labels[0].label], None
    chosen = [name for name, score in zip(loaded.names, scores.tolist(), strict=True) if score > 0]
    return labels, chosen, None


def batches(lengths: list[int], most_tokens: int) -> list[list[int]]:
    """Places of texts that are computed together: alike in length, so that little is padding."""
    found: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True):
        longest = lengths[found[-1][0]] if found else 0
        if not found or (len(found[-1]) + 1) * longest > most_tokens:
            found.append([])
        found[-1].append(place)
    return found


def _of_texts(
    request: ClassifyRequest, loaded: LoadedClassifier
) -> tuple[list[list[int]], list[bool]]:
    """Tokens of plain texts with the tokenizer's own special ones, and which had to be cut."""
    tokenizer = loaded.template.tokenizer
    for place, text in enumerate(request.texts):
        if not text.strip():
            raise ServeError("bad_request", f"Text {place + 1} is empty.", "Leave it out.")
    whole: list[list[int]] = tokenizer(request.texts)["input_ids"]
    cut = [len(ids) > loaded.longest for ids in whole]
    for place in (i for i, is_cut in enumerate(cut) if is_cut):
        # The tokenizer cuts where its own special tokens have to stay.
        text = request.texts[place]
        short = tokenizer(text, truncation=True, max_length=loaded.longest)
        whole[place] = short["input_ids"]
    return whole, cut


def _of_conversations(
    request: ClassifyRequest, loaded: LoadedClassifier
) -> tuple[list[list[int]], list[bool]]:
    """Tokens of conversations in the form that the chat template gives them."""
    if not loaded.template.template:
        raise ServeError(
            "bad_request", "This model has no chat template.", "Send plain texts instead."
        )
    texts = [
        _rendered(i, conversation, loaded) for i, conversation in enumerate(request.conversations)
    ]
    tokenizer: Any = loaded.template.tokenizer
    whole: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return [ids[: loaded.longest] for ids in whole], [len(ids) > loaded.longest for ids in whole]


def _rendered(place: int, conversation: list[ChatMessage], loaded: LoadedClassifier) -> str:
    which = f"Conversation {place + 1}"
    if conversation[-1].role != "assistant":
        raise ServeError(
            "bad_conversation",
            f"{which} does not end with an answer.",
            "Let the assistant's answer come last: it is what the score is for.",
        )
    messages = [Message(role=m.role, content=m.content) for m in conversation]
    try:
        return loaded.template.render(messages)
    except TemplateRefusal as refusal:
        raise ServeError(
            "bad_conversation",
            f"The model's chat template refuses {which[0].lower()}{which[1:]}: {refusal}",
            "Let user and assistant take turns, a system message first.",
        ) from refusal
