"""NEFTune (https://arxiv.org/abs/2310.05914): noise on the word vectors, in training only."""

from typing import Any

import torch
from torch import Tensor


class Neftune:
    """Adds uniform noise of size alpha / sqrt(length · width) to a model's word vectors.

    `lengths`: tokens of the sequences in the next call, packed end to end or below each other.
    """

    def __init__(self, model: Any, alpha: float) -> None:
        self._alpha = alpha
        self.lengths: tuple[int, ...] = ()
        model.get_input_embeddings().register_forward_hook(self._add)

    def _add(self, module: torch.nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> Tensor:
        if not module.training:
            return out
        lengths = torch.tensor(self.lengths, device=out.device)
        if out.shape[0] == 1 and out.shape[1] == sum(self.lengths):
            by_token = lengths.repeat_interleave(lengths)[None]
        elif out.shape[0] == len(self.lengths):
            by_token = lengths[:, None].expand(out.shape[:2])
        else:
            return out
        size = self._alpha / (by_token.float() * out.shape[2]).sqrt()
        noise = torch.empty_like(out, dtype=torch.float32).uniform_(-1, 1)
        return out + (noise * size[..., None]).to(out.dtype)
