"""NEFTune (https://arxiv.org/abs/2310.05914): noise on the word vectors, in training only."""

from typing import Any

import torch
from torch import Tensor


class Neftune:
    """Adds uniform noise of size alpha / sqrt(length · width) to what a model reads.

    `lengths`: tokens of the sequences in the next call, packed end to end or below each other. Of
    an encoder–decoder the encoder alone gets noise: what it writes is given to it as it is.
    """

    def __init__(self, model: Any, alpha: float) -> None:
        self._alpha = alpha
        self.lengths: tuple[int, ...] = ()
        self._reading = True
        reader = model
        if model.config.is_encoder_decoder:
            # Its word vectors may be a module of its own, tied to the model's, or the decoder's.
            reader, self._reading = model.get_encoder(), False
            reader.register_forward_pre_hook(self._begin)
            reader.register_forward_hook(self._end)
        reader.get_input_embeddings().register_forward_hook(self._add)

    def _begin(self, module: torch.nn.Module, inputs: Any) -> None:
        self._reading = True

    def _end(self, module: torch.nn.Module, inputs: Any, out: Any) -> None:
        self._reading = False

    def _add(self, module: torch.nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> Tensor:
        if not (module.training and self._reading):
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
