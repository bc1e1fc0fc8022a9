"""Tokens in, text out: whole characters only, and nothing that belongs to a stop word.

One character may be spread over several tokens, so text waits until it is complete. Text that could
be the beginning of a stop word waits until that is decided.
"""

from collections.abc import Callable, Sequence

_INCOMPLETE = "\ufffd"


class Detokenizer:
    """Turns a growing list of tokens into pieces of text whose sum is the text of all of them."""

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._tokens: list[int] = []
        # Decoding starts some tokens back: whether a space is due depends on what stands before.
        self._context = 0
        self._told = 0

    def add(self, token: int) -> str:
        """The text that became complete with `token`; may be empty."""
        self._tokens.append(token)
        return self._release(final=False)

    def finish(self) -> str:
        """What is left, complete or not."""
        return self._release(final=True)

    def _release(self, *, final: bool) -> str:
        before = self._decode(self._tokens[self._context : self._told])
        now = self._decode(self._tokens[self._context :])
        if now.endswith(_INCOMPLETE) and not final:
            return ""
        self._context, self._told = self._told, len(self._tokens)
        return now[len(before) :]


class StopWords:
    """Holds text back while it may turn out to be a stop word; `found` once one was complete."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(words)
        self._held = ""
        self.found = False

    def add(self, text: str) -> str:
        """The text that can be told; after a stop word was found nothing more."""
        if self.found:
            return ""
        text = self._held + text
        places = [place for word in self._words if (place := text.find(word)) >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)]
        keep = self._possible_beginning(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """What was held back and was no stop word after all."""
        text, self._held = self._held, ""
        return text

    def _possible_beginning(self, text: str) -> int:
        """Length of the longest end of `text` that a stop word begins with."""
        longest = max((len(word) for word in self._words), default=0)
        for length in range(min(len(text), longest - 1), 0, -1):
            if any(word.startswith(text[-length:]) for word in self._words):
                return length
        return 0
