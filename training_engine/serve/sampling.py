"""From the scores of the next token to a token: greedy, or drawn from the nucleus.

Nucleus: Holtzman et al. 2020, arXiv:1904.09751. Repetition penalty: Keskar et al. 2019,
arXiv:1909.05858. Both as `transformers` computes them, so that answers agree.
"""

import torch
from torch import Tensor


class Sampler:
    """Chooses the next token; remembers which tokens stood in prompt and answer so far."""

    def __init__(
        self,
        *,
        temperature: float,
        top_p: float,
        repetition_penalty: float,
        seed: int | None,
        prompt: list[int],
    ) -> None:
        self._temperature, self._top_p = temperature, top_p
        self._penalty = repetition_penalty
        self._seen = dict.fromkeys(prompt)
        self._generator = torch.Generator()
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(seed)

    def pick(self, logits: Tensor) -> int:
        """`logits` (vocabulary,) of any type and device → token id."""
        scores = logits.float()
        if self._penalty != 1.0:
            scores = self._penalised(scores)
        token = int(scores.argmax()) if self._temperature == 0 else self._draw(scores)
        self._seen[token] = None
        return token

    def _penalised(self, scores: Tensor) -> Tensor:
        seen = torch.tensor(list(self._seen), device=scores.device)
        values = scores[seen]
        values = torch.where(values < 0, values * self._penalty, values / self._penalty)
        return scores.index_copy(0, seen, values)

    def _draw(self, scores: Tensor) -> int:
        scores = (scores / self._temperature).cpu()
        if self._top_p < 1.0:
            ordered, order = scores.sort()
            unlikely = ordered.softmax(-1).cumsum(-1) <= 1 - self._top_p
            unlikely[-1] = False
            scores = scores.index_fill(0, order[unlikely], float("-inf"))
        chances = scores.softmax(-1)
        return int(torch.multinomial(chances, 1, generator=self._generator))
