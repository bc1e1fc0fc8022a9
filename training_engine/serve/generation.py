"""One answer of a language model in the making: prompt, cache, and the next token."""

from collections.abc import Callable
from typing import Any

from training_engine.contract.records import Message
from training_engine.contract.serving import Done, GenerateRequest, StreamItem
from training_engine.data.chat import ChatTemplate, TemplateRefusal
from training_engine.serve.answer import Answer
from training_engine.serve.failures import ServeError
from training_engine.serve.loaded_model import LoadedModel
from training_engine.serve.sampling import Sampler

# A long prompt is read in pieces, so that others' answers go on and a cancel is heard in between.
PREFILL_TOKENS = 1024


class Generation:
    """Advances by one model call at a time; `tell` receives every item of the stream."""

    def __init__(
        self,
        request: GenerateRequest,
        loaded: LoadedModel,
        tell: Callable[[StreamItem], None],
        arrived: float,
    ) -> None:
        """Raises `ServeError` when the conversation can not be rendered or is too long."""
        template = loaded.use(request.adapter_path)
        self._loaded, self._adapter = loaded, request.adapter_path
        self._unread = _prompt_ids(template, request)
        room = loaded.context_length - len(self._unread)
        if room < 1:
            raise too_long(len(self._unread), loaded.context_length)
        penalty = request.repetition_penalty
        self._sampler = Sampler(
            temperature=request.temperature,
            top_p=request.top_p,
            repetition_penalty=loaded.repetition_penalty if penalty is None else penalty,
            seed=request.seed,
            prompt=self._unread,
        )
        self._answer = Answer(
            request,
            template.tokenizer,
            tell,
            arrived=arrived,
            prompt_tokens=len(self._unread),
            most=min(request.max_new_tokens, room),
            ends=loaded.ends,
        )
        self._cache: Any = None

    def advance(self) -> bool:
        """One call of the model; True when the answer is complete."""
        piece, self._unread = self._unread[:PREFILL_TOKENS], self._unread[PREFILL_TOKENS:]
        logits, self._cache = self._loaded.step(self._adapter, piece, self._cache)
        if self._unread:
            return False
        token = self._sampler.pick(logits)
        self._unread = [token]
        return self._answer.take(token)

    def done(self, reason: str) -> Done:
        """The last item of the stream, as things stand."""
        return self._answer.done(reason)


def too_long(tokens: int, context_length: int) -> ServeError:
    """What was said does not fit into the model."""
    return ServeError(
        "prompt_too_long",
        f"The conversation has {tokens} tokens and the model can read {context_length}.",
        "Shorten the message or begin a new conversation.",
    )


def _prompt_ids(template: ChatTemplate, request: GenerateRequest) -> list[int]:
    messages = [Message(role=m.role, content=m.content) for m in request.messages]
    try:
        ids = template.prompt_ids(messages)
    except TemplateRefusal as refusal:
        raise ServeError(
            "bad_conversation",
            f"The model's chat template refuses this conversation: {refusal}",
            "Let user and assistant take turns, a system message first, the user's last.",
        ) from refusal
    if not ids:
        raise ServeError("bad_conversation", "The conversation is empty.", "Write a message.")
    return ids
