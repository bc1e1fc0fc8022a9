"""What is told of an answer in the making: whole characters, no stop words, figures at the end."""

import time
from collections.abc import Callable, Collection
from typing import Any

from training_engine.contract.serving import Done, GenerateRequest, StreamItem, Token
from training_engine.serve.text_stream import Detokenizer, StopWords


class Answer:
    """Takes one token at a time; `tell` receives every item of the stream."""

    def __init__(
        self,
        request: GenerateRequest,
        tokenizer: Any,
        tell: Callable[[StreamItem], None],
        *,
        arrived: float,
        prompt_tokens: int,
        most: int,
        ends: Collection[int],
    ) -> None:
        """`most`: tokens that may be written; `ends`: those that end an answer."""
        self._tell, self._arrived, self._prompt_tokens = tell, arrived, prompt_tokens
        self._most, self._ends = most, ends
        self._text = Detokenizer(
            lambda tokens: tokenizer.decode(
                tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )
        self._stop = StopWords(request.stop)
        self._count = 0
        self._first_at: float | None = None

    def take(self, token: int) -> bool:
        """The next token; True when the answer is complete."""
        self._count += 1
        if self._first_at is None:
            self._first_at = time.monotonic()
        if token in self._ends:
            return self._end("stop")
        self._say(self._stop.add(self._text.add(token)))
        if self._stop.found:
            return self._end("stop")
        return self._count >= self._most and self._end("length")

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
                "prompt_tokens": self._prompt_tokens,
                "completion_tokens": self._count,
                "tokens_per_s": round(speed, 2),
                "time_to_first_token_s": None if first is None else round(first - self._arrived, 4),
            }
        )
