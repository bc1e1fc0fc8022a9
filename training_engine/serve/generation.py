"""One answer in the making: prompt, cache, and what is told token by token."""

import time
from collections.abc import Callable
from typing import Any

from training_engine.contract.records import Message
from training_engine.contract.serving import Done, GenerateRequest, StreamItem, Token
from training_engine.data.chat import ChatTemplate, TemplateRefusal
from training_engine.serve.failures import ServeError
from training_engine.serve.loaded_model import LoadedModel
from training_engine.serve.sampling import Sampler
from training_engine.serve.text_stream import Detokenizer, StopWords

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
        self._loaded, self._adapter, self._tell = loaded, request.adapter_path, tell
        self._prompt = _prompt_ids(template, request)
        room = loaded.context_length - len(self._prompt)
        if room < 1:
            raise ServeError(
                "prompt_too_long",
                f"The conversation has {len(self._prompt)} tokens and the model can read "
                f"{loaded.context_length}.",
                "Shorten the message or begin a new conversation.",
            )
        penalty = request.repetition_penalty
        self._sampler = Sampler(
            temperature=request.temperature,
            top_p=request.top_p,
            repetition_penalty=loaded.repetition_penalty if penalty is None else penalty,
            seed=request.seed,
            prompt=self._prompt,
        )
        tokenizer = template.tokenizer
        self._text = Detokenizer(
            lambda tokens: tokenizer.decode(
                tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )
        self._stop = StopWords(request.stop)
        self._left = min(request.max_new_tokens, room)
        self._unread = list(self._prompt)
        self._cache: Any = None
        self._count = 0
        self._arrived = arrived
        self._first_at: float | None = None

    def advance(self) -> bool:
        """One call of the model; True when the answer is complete."""
        piece, self._unread = self._unread[:PREFILL_TOKENS], self._unread[PREFILL_TOKENS:]
        logits, self._cache = self._loaded.step(self._adapter, piece, self._cache)
        if self._unread:
            return False
        token = self._sampler.pick(logits)
        self._count += 1
        if self._first_at is None:
            self._first_at = time.monotonic()
        if token in self._loaded.ends:
            return self._end("stop")
        self._say(self._stop.add(self._text.add(token)))
        if self._stop.found:
            return self._end("stop")
        if self._count >= self._left:
            return self._end("length")
        self._unread = [token]
        return False

    def _end(self, reason: str) -> bool:
        if not self._stop.found:
            self._say(self._stop.add(self._text.finish()))
            self._say(self._stop.finish())
        self._tell(self.done(reason))
        return True

    def _say(self, text: str) -> None:
        if text:
            self._tell(Token(text=text))

    def done(self, reason: str) -> Done:
        """The last item of the stream, as things stand."""
        now = time.monotonic()
        first = self._first_at
        since_first = now - first if first is not None else 0.0
        # The first token's time is the prompt's; the speed is that of the tokens after it.
        speed = (self._count - 1) / since_first if self._count > 1 and since_first > 0 else 0.0
        return Done.model_validate(
            {
                "finish_reason": reason,
                "prompt_tokens": len(self._prompt),
                "completion_tokens": self._count,
                "tokens_per_s": round(speed, 2),
                "time_to_first_token_s": None if first is None else round(first - self._arrived, 4),
            }
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
