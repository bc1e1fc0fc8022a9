"""Supervised fine-tuning: the model learns to give the assistant's answers.

Loss: cross-entropy of the next token, on the assistant's tokens and their terminators only.
"""

from typing import Any

import torch
from torch import Tensor, nn

from training_engine.data.packing import PackedRow
from training_engine.models.kernels import chunked_cross_entropy

# Families that do something to the logits after the head: they keep their own head.
LOGIT_SETTINGS = ("final_logit_softcapping", "logit_scale", "logits_scaling", "logits_soft_cap")


class SupervisedFineTuning:
    """The objective on one model. `packed` tells whether rows hold more than one sample."""

    def __init__(self, model: nn.Module, *, packed: bool) -> None:
        self._model: Any = model
        self._packed = packed
        head = self._model.get_output_embeddings()
        plain = isinstance(head, nn.Linear)
        settings = (getattr(self._model.config, name, None) for name in LOGIT_SETTINGS)
        self._head = head if plain and all(value in (None, 1, 1.0) for value in settings) else None

    def loss(self, row: PackedRow) -> Tensor:
        """Sum of the losses of the row's trained tokens, float32; divide by the step's tokens."""
        inputs: dict[str, Any] = {
            "input_ids": row.input_ids,
            "position_ids": row.position_ids,
            "use_cache": False,
        }
        if self._packed:
            inputs["sample_lengths"] = row.lengths
        if self._head is None:
            logits = self._model(**inputs, logits_to_keep=row.predicting).logits[0].float()
            return nn.functional.cross_entropy(logits, row.targets, reduction="sum")
        hidden = self._model.get_decoder()(**inputs).last_hidden_state[0]
        return chunked_cross_entropy(
            hidden[row.predicting], self._head.weight, row.targets, self._head.bias
        )

    def evaluate(self, row: PackedRow) -> float:
        """The same sum without gradients."""
        with torch.no_grad():
            return float(self.loss(row))
