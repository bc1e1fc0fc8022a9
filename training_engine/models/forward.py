"""How a row of samples goes through a model, and what comes out for the objectives.

Stock models do the work; a decoder is called without its head, which is computed for trained
positions only.
"""

import inspect
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from training_engine.data.beginnings import SharedRow, share
from training_engine.data.packing import PackedRow
from training_engine.models import fast
from training_engine.models.kernels import chunked_cross_entropy, token_log_probs
from training_engine.models.neftune import Neftune
from training_engine.models.offload import MovedActivations
from training_engine.models.trial import random_row
from training_engine.models.unpadded import Unpadded

# Settings of families that do something to the logits after the head: they keep their own head.
LOGIT_SETTINGS = (
    "final_logit_softcapping", "lm_head_multiplier", "logit_scale", "logits_scaling",
    "logits_soft_cap", "output_logit_soft_cap",
)  # fmt: skip
TRIED_TOKENS = 8
SAME_LOGITS = {torch.float32: 1e-5}  # of their length; 1e-2 in shorter types


class Forward:
    """A model as the objectives see it; each kind of model gives what it can.

    `packed` tells whether the model keeps the sequences of a row apart; where not, they are
    computed one by one (decoders; all models with `alone`) or padded (the others).
    `offload`: activations are moved; build it when the weights stay where they are.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        packed: bool,
        alone: bool = False,
        neftune: float = 0.0,
        offload: bool = False,
    ) -> None:
        self.model: Any = model
        self.packed = packed
        self.alone = alone
        self._noise = Neftune(self.model, neftune) if neftune else None
        self._moved = MovedActivations(model) if offload else None

    def cross_entropy(self, row: PackedRow, label_smoothing: float = 0.0) -> Tensor:
        """Sum over the row's trained tokens of -log p(token), float32."""
        raise NotImplementedError

    def sequence_log_probs(self, row: PackedRow) -> tuple[Tensor, Tensor]:
        """log p of the trained tokens of each sequence, summed, and their number; both [s]."""
        raise NotImplementedError

    def scores(self, row: PackedRow) -> Tensor:
        """What a classification head gives for each sequence, float32 [s, labels]."""
        raise NotImplementedError

    def shares(self, longest: int) -> bool:
        """Whether texts of up to `longest` tokens may share what they begin with.

        Not where noise makes equal beginnings differ.
        """
        return self.packed and self._noise is None and fast.shares(self.model, longest)

    def computing(self, lengths: Any) -> AbstractContextManager[Any]:
        """Around each call of the model: noise knows the lengths, activations may be moved."""
        if self._noise is not None:
            self._noise.lengths = lengths
        if self._moved is not None and torch.is_grad_enabled():
            return self._moved
        return nullcontext()


def pieces(row: PackedRow) -> Iterator[tuple[int, int, Tensor]]:
    """Begin, end and predicting positions (within) of each sequence of a row."""
    start = 0
    for length in row.lengths:
        end = start + length
        inside = row.predicting[(row.predicting >= start) & (row.predicting < end)]
        yield start, end, inside - start
        start = end


class Decoder(Forward):
    """A causal language model."""

    def __init__(self, model: nn.Module, **settings: Any) -> None:
        super().__init__(model, **settings)
        head = self.model.get_output_embeddings()
        known = (getattr(self.model.config, name, None) for name in LOGIT_SETTINGS)
        plain = isinstance(head, nn.Linear) and all(value in (None, 1, 1.0) for value in known)
        # What a loader has found out by trying it.
        self._head = head if plain and getattr(self.model, "plain_head", True) else None
        # A few families, and programs that models bring along, give the logits of every position.
        self._chooses = "logits_to_keep" in inspect.signature(self.model.forward).parameters

    def cross_entropy(self, row: PackedRow, label_smoothing: float = 0.0) -> Tensor:
        if self._head is None:
            return nn.functional.cross_entropy(
                self._logits(row), row.targets, reduction="sum", label_smoothing=label_smoothing
            )
        hidden = predicting_states(self, self.model.get_decoder(), row)
        head = self._head
        return chunked_cross_entropy(
            hidden, head.weight, row.targets, head.bias, label_smoothing=label_smoothing
        )

    def sequence_log_probs(self, row: PackedRow) -> tuple[Tensor, Tensor]:
        if self._head is None:
            each = -nn.functional.cross_entropy(self._logits(row), row.targets, reduction="none")
        else:
            hidden = predicting_states(self, self.model.get_decoder(), row)
            each = token_log_probs(hidden, self._head.weight, row.targets, self._head.bias)
        zeros = each.new_zeros(len(row.lengths))
        lengths = zeros.index_add(0, row.owner, torch.ones_like(each))
        return zeros.index_add(0, row.owner, each), lengths

    def logits(self, row: PackedRow) -> Tensor:
        """Of the predicting positions, float32 [k, v]."""
        if self._head is None:
            return self._logits(row)
        hidden = predicting_states(self, self.model.get_decoder(), row)
        found: Tensor = self._head(hidden).float()
        return found

    def _logits(self, row: PackedRow) -> Tensor:
        """As `logits`, through the model's own head."""
        if self.packed:
            packed = {"position_ids": row.position_ids, "sample_lengths": row.lengths}
            return self._logits_of(row.input_ids, row.lengths, row.predicting, **packed)
        found = [
            self._logits_of(row.input_ids[:, start:end], (end - start,), predicting)
            for start, end, predicting in pieces(row)
        ]
        return torch.cat(found)

    def _logits_of(
        self, ids: Tensor, lengths: tuple[int, ...], predicting: Tensor, **options: Any
    ) -> Tensor:
        if self._chooses:
            options["logits_to_keep"] = predicting
        with self.computing(lengths):
            out = self.model(input_ids=ids, use_cache=False, **options)
        logits: Tensor = out.logits[0] if self._chooses else out.logits[0][predicting]
        return logits.float()

    def plain_head_suffices(self) -> bool:
        """Whether the model's logits are its head's product and no more, tried on a short text."""
        if self._head is None:
            return False
        row = random_row(self.model, (TRIED_TOKENS,))
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                wanted, ours = self._logits(row), self.logits(row)
        except (AttributeError, TypeError, ValueError):
            return False
        finally:
            self.model.train(was_training)
        tolerance = SAME_LOGITS.get(self._head.weight.dtype, 1e-2)
        return bool((ours - wanted).norm() <= tolerance * wanted.norm())


def predicting_states(forward: Forward, decoder: Any, row: PackedRow) -> Tensor:
    """The decoder's last hidden states at the predicting positions, [k, d]."""
    alike = share(row) if forward.shares(max(row.lengths)) else None
    if alike is None:
        return _hidden_states(forward, decoder, row)[row.predicting]
    more = {fast.BEFORE: alike.before}
    return _packed_states(forward, decoder, alike, **more)[alike.place[row.predicting]]


def _packed_states(
    forward: Forward, decoder: Any, row: PackedRow | SharedRow, **more: Any
) -> Tensor:
    """The decoder's last hidden states, [n, d], of a row whose texts it keeps apart."""
    with forward.computing(row.lengths):
        out = decoder(
            input_ids=row.input_ids,
            position_ids=row.position_ids,
            sample_lengths=row.lengths,
            use_cache=False,
            **more,
        )
    states: Tensor = out.last_hidden_state[0]
    return states


def _hidden_states(forward: Forward, decoder: Any, row: PackedRow) -> Tensor:
    """The decoder's last hidden states, [n, d]."""
    if forward.packed:
        return _packed_states(forward, decoder, row)
    found = []
    for start, end, _ in pieces(row):
        with forward.computing((end - start,)):
            out = decoder(input_ids=row.input_ids[:, start:end], use_cache=False)
        found.append(out.last_hidden_state[0])
    return torch.cat(found)


class Scorer(Forward):
    """A model with a classification head: decoders are packed where they can be, encoders padded.

    What `unpad` has prepared is padded for its embeddings, attention and head only.
    """

    def scores(self, row: PackedRow) -> Tensor:
        pad = self.model.config.pad_token_id or 0
        if self.packed:
            row = replace(row, predicting=before_padding(row, pad))
            hidden = predicting_states(self, self.model.get_decoder(), row)
            scored: Tensor = self.model.score(hidden).float()
            return scored
        count = len(row.lengths)
        together = [range(i, i + 1) for i in range(count)] if self.alone else [range(count)]
        return torch.cat([self._padded_scores(row, texts, pad) for texts in together])

    def _padded_scores(self, row: PackedRow, texts: range, pad: int) -> Tensor:
        ids, mask = padded(row, texts, pad)
        lengths = row.lengths[texts.start : texts.stop]
        layers: Unpadded | None = getattr(self.model, "unpadded", None)
        known = nullcontext() if layers is None else layers.reading(lengths, ids.device)
        with self.computing(lengths), known:
            out = self.model(input_ids=ids, attention_mask=mask)
        logits: Tensor = out.logits.float()
        return logits

    def scores_of_one(self, ids: list[int]) -> Tensor:
        """Scores [labels] of one text."""
        tokens = torch.tensor([ids], device=self.model.device)
        row = PackedRow(
            input_ids=tokens,
            position_ids=torch.arange(len(ids), device=self.model.device)[None],
            lengths=(len(ids),),
            predicting=tokens.new_tensor([len(ids) - 1]),
            targets=tokens.new_empty(0),
            owner=tokens.new_empty(0),
            samples=(0,),
        )
        return self.scores(row)[0]


class EncoderDecoder(Forward):
    """Rows hold sources and targets in turn; both are padded, as the stock models want them."""

    def cross_entropy(self, row: PackedRow, label_smoothing: float = 0.0) -> Tensor:
        count = len(row.lengths)
        ids, mask = padded(row, range(0, count, 2), self.model.config.pad_token_id or 0)
        labels, _ = padded(row, range(1, count, 2), -100)
        with self.computing(row.lengths[::2]):
            out = self.model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False)
        return nn.functional.cross_entropy(
            out.logits.float().flatten(0, 1),
            labels.flatten(),
            reduction="sum",
            label_smoothing=label_smoothing,
            ignore_index=-100,
        )


def before_padding(row: PackedRow, pad: int) -> Tensor:
    """Where stock transformers reads the score of each sequence: at its last token but `pad`, [s].

    Often that is the end of text, which may be a text's own last token too. A sequence of nothing
    else is read at its first token.
    """
    ids, last = row.input_ids[0], row.predicting
    places = torch.arange(len(ids), device=ids.device)
    found = torch.where(ids != pad, places, 0).cummax(0).values[last]
    return torch.maximum(found, last - row.position_ids[0, last])


def padded(row: PackedRow, wanted: range, pad: int) -> tuple[Tensor, Tensor]:
    """Sequences of a row below each other, filled up on the right: ids and mask, both [b, m]."""
    texts = row.input_ids[0].split(row.lengths)
    chosen = [texts[i] for i in wanted]
    ids = nn.utils.rnn.pad_sequence(chosen, batch_first=True, padding_value=pad)
    lengths = torch.tensor([len(text) for text in chosen], device=ids.device)
    mask = torch.arange(ids.shape[1], device=ids.device)[None] < lengths[:, None]
    return ids, mask.long()
