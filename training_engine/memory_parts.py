"""Memory of a run by part: weights, adapters, gradients, optimizer, activations, logits, program.

The coefficients describe this engine's own loop (frozen bf16 weights, fp32 masters in one flat
optimizer, samples packed without padding, the head computed for trained positions in chunks) and
were fitted to the peak memory of real runs of LoRA and full tuning.
"""

import math
from dataclasses import dataclass
from functools import cached_property

from training_engine.contract.choices import (
    ADAPTED,
    PREFERENCE,
    Head,
    LoraVariant,
    Method,
    Objective,
    Optimizer,
    Quantization,
    head_of,
)
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.limits import FAST_FAMILIES, LOGITS_AT_ONCE
from training_engine.shape import ModelShape

# Python, torch and transformers, before any weight; on a GPU the driver's context.
_RUNTIME_BYTES = {"cpu": 440_000_000, "mps": 440_000_000, "cuda": 600_000_000}
# The result is loaded beside the trained model when it takes no more of what is free, and computes:
# with so many times its weights.
_BESIDE_SHARE, _BESIDE_FACTOR = 0.1, 1.6
# What encoders take besides on a CPU, whose rows have ever new lengths (fitted).
_NEW_LENGTHS_BYTES = {"cpu": 80_000_000, "mps": 0, "cuda": 0}
# Bytes for each of the logits that are held at once: scores, their fp32 copy, the gradient and what
# the products need. On a CPU they are replaced in place, in their own type.
_LOGIT_BYTES = {"cpu": 8, "mps": 16, "cuda": 16}
# Share of a row's tokens that is learnt, where it is not known.
TRAINED_SHARE = 0.6
_SMALL_FILES_BYTES = 8_000_000
# Bytes of a stored weight: NF4 has a scale for 64 weights, itself in 8 bits with one for 256.
_QUANTISED_BYTES = {Quantization.NF4: 0.5 + 1 / 64 + 4 / (64 * 256), Quantization.INT8: 1.01}
# Optimizer state for a number that learns: two fp32 moments; two of 8 bits with their scales;
# next to nothing (a mean for each row and column); one fp32 moment for matrices.
_STATE_BYTES = {
    Optimizer.ADAMW: 8.0,
    Optimizer.ADAMW_8BIT: 2.04,
    Optimizer.ADAFACTOR: 0.1,
    Optimizer.MUON: 4.0,
}
# Classes are few; how many is only known when the rows are read.
_CLASSES = 8
# The fast path's kernels want their narrow columns in such portions, and keep what attention gave
# each key, of about so many keys.
_ALIGNED, _MEAN_KEYS = 32, 120
# What the backward pass makes while activations still wait, and holes between them (fitted).
_BESIDE_ACTIVATIONS = 1.12
# The norms of stock layers keep their input in fp32, which beside a narrower type is a copy; bytes
# per element of the hidden states, with what else is as wide (fitted).
_NORM_BYTES = {2: 22, 4: 26}
_PLAIN_LORA = frozenset({LoraVariant.LORA, LoraVariant.RSLORA, LoraVariant.LORA_PLUS})
# A decoder's layer also looks at what the encoder made of the text.
_CROSS_ATTENTION = 1.3

TWO_SEQUENCES = frozenset({*PREFERENCE, Objective.REWARD, Objective.KTO})


def sequences_of(objective: Objective) -> int:
    """Sequences that a row becomes: a pair has two answers, a judged answer a foreign one too."""
    return 2 if objective in TWO_SEQUENCES else 1


@dataclass(frozen=True)
class Part:
    """One part of the memory: `name` is weights, adapters, optimizer, gradients, activations …"""

    name: str
    size_bytes: int


@dataclass(frozen=True)
class Setup:
    """What computes, in which way; `width` is bytes per element of weights and activations.

    `sharded`: several processes each hold a slice of the model.
    """

    shape: ModelShape
    parameters: int
    objective: Objective
    method: Method
    knobs: Hyperparameters
    device: str
    width: int
    sharded: bool

    @property
    def adapted(self) -> bool:
        """Whether an adapter learns beside frozen weights."""
        return self.method in ADAPTED

    @property
    def scored(self) -> bool:
        """Whether the model ends in scores, not in words."""
        return head_of(self.objective) is Head.SEQUENCE_CLASSIFICATION

    @cached_property
    def fast(self) -> bool:
        """Whether the decoder's layers compute by the hand-written kernels for CPUs."""
        knobs = self.knobs
        plain = self.method is Method.LORA and knobs.lora_variant in _PLAIN_LORA
        plain = plain and not knobs.lora_dropout and not knobs.gradient_checkpointing
        known = self.shape.family in FAST_FAMILIES and self.device == "cpu"
        packed = knobs.packing or self.scored
        return plain and known and packed and not self.sharded

    @property
    def shares(self) -> bool:
        """Whether what texts begin with alike is computed once in a pass."""
        return self.fast and not self.knobs.neftune_noise_alpha

    @cached_property
    def layers(self) -> int:
        """Layers of all stacks."""
        return sum(stack.layers for stack in self.shape.stacks)

    @cached_property
    def learning_layers(self) -> int:
        """Layers whose activations wait for the backward pass."""
        if self.method is not Method.FREEZE:
            return self.layers
        return min(self.knobs.trainable_layers, self.shape.stacks[-1].layers)

    @cached_property
    def loaded(self) -> int:
        """Parameters in memory: a model that scores has no output matrix."""
        spared = self.shape.embedding if self.scored and not self.shape.tied else 0
        return self.parameters - spared + self.head

    @property
    def head(self) -> int:
        """Parameters of the scores, which learn whatever the method is."""
        if not self.scored:
            return 0
        dense = self.shape.hidden if self.shape.encoder else 0
        return self.shape.hidden * (1 if self.objective is Objective.REWARD else _CLASSES) + dense

    @cached_property
    def trainable(self) -> int:
        """Numbers that learn."""
        knobs, shape = self.knobs, self.shape
        if self.adapted:
            found = shape.lora_parameters(knobs.lora_rank, knobs.target_modules)
            if knobs.lora_variant is LoraVariant.DORA:  # the length of every output
                targets = shape.targets(knobs.target_modules)
                found += sum(layers * linear.outputs for layers, linear in targets)
            return found + self.head
        if self.method is Method.FREEZE:
            return self.learning_layers * shape.per_layer + shape.hidden + self.head
        return self.loaded

    @cached_property
    def weights_bytes(self) -> int:
        """The model as it is stored in memory."""
        if self.method is not Method.QLORA:
            return self.loaded * self.width
        packed = min(self.shape.matrices, self.loaded)
        stored = packed * _QUANTISED_BYTES[self.knobs.quantization]
        # One matrix at a time is unpacked.
        largest = max(each.size for stack in self.shape.stacks for each in stack.linears)
        return int(stored) + (self.loaded - packed + largest) * self.width

    @property
    def gathered_bytes(self) -> int:
        """What each process of a sharded run puts together beside its slices while it computes.

        Everything outside the layers (none where sizes are guessed wrong), a layer, and the
        next one, which is fetched meanwhile.
        """
        stacks = self.shape.stacks
        outside = max(0, self.loaded - sum(s.layers * s.per_layer for s in stacks))
        layer = max(stack.per_layer for stack in stacks)
        return (outside + 2 * layer) * self.width if self.sharded else 0

    @property
    def masters_bytes(self) -> int:
        """Masters in fp32, and what the model computes with where that is another type."""
        working = self.width if self.width != 4 and self.adapted else 0
        masters = (4 + working) * self.trainable if self.adapted or self.width != 4 else 0
        pissa = self.adapted and self.knobs.lora_variant is LoraVariant.PISSA
        return masters + (4 * self.trainable if pissa else 0)  # where it started from

    @property
    def state_bytes(self) -> int:
        """What the optimizer remembers."""
        each = _STATE_BYTES[self.knobs.optimizer]
        if self.knobs.optimizer is Optimizer.MUON and self.method is Method.FULL:
            # Embedding and head learn with AdamW.
            outside = self.trainable - min(self.shape.matrices, self.trainable)
            return int(each * (self.trainable - outside) + 8 * outside)
        return int(each * self.trainable)

    def parts(self, tokens: int, evaluation_tokens: int, available: int | None) -> list[Part]:
        """Memory by part when `tokens` are computed at once."""
        logits = self._logit_bytes(tokens)
        passing = evaluation_tokens * self._passing_bytes()
        beside = self._beside_bytes(available) - logits
        activations = max(self._activation_bytes(tokens), passing, beside)
        lengths = _NEW_LENGTHS_BYTES[self.device] if self.shape.encoder else 0
        return [
            Part("weights", self.weights_bytes),
            Part("adapters" if self.adapted else "masters", self.masters_bytes),
            Part("gradients", 4 * self.trainable),
            Part("optimizer", self.state_bytes),
            Part("activations", activations),
            Part("logits", logits),
            Part("runtime", _RUNTIME_BYTES[self.device] + lengths),
        ]

    def disk(self) -> tuple[int, int]:
        """Bytes of one checkpoint (fp32 values and optimizer state) and of the output folder."""
        checkpoint = 4 * self.trainable + self.state_bytes + _SMALL_FILES_BYTES
        output = self.trainable * 4 if self.adapted else self.loaded * self.width
        return checkpoint, output + _SMALL_FILES_BYTES

    def _beside_bytes(self, available: int | None) -> int:
        """Of the result, loaded again at the end, when activations and logits are gone."""
        # A decoder's few scores are compared in float32: in a shorter type rounding hides too much.
        exact = self.scored and not self.shape.encoder
        copy = self.loaded * (4 if exact else self.width)
        if self.device == "cuda" or available is None or copy > _BESIDE_SHARE * available:
            return 0  # only where training took as much
        return int(_BESIDE_FACTOR * copy)

    def _logit_bytes(self, tokens: int) -> int:
        if self.scored:
            return 0
        trained = math.ceil(tokens * TRAINED_SHARE)
        at_once = min(LOGITS_AT_ONCE[self.device], trained * self.shape.vocabulary)
        logits = at_once * _LOGIT_BYTES[self.device]
        if self.method is Method.FULL:
            logits += self.shape.embedding * (4 + self.width)  # the head's own gradient
        return logits

    def _activation_bytes(self, tokens: int) -> int:
        """Bytes that wait for the backward pass."""
        kept, layers = self._kept_bytes(), float(self.learning_layers)
        if self.shape.decoder is not None and self.method is not Method.FREEZE:
            # About half of a row is read by the encoder, the other half written by the decoder.
            layers = (self.shape.layers + _CROSS_ATTENTION * self.shape.decoder.layers) / 2
        offloaded = self.knobs.activation_offload and self.device == "cuda"
        if offloaded:
            return int(tokens * min(layers, 2) * kept)
        if self.knobs.gradient_checkpointing:
            return int(tokens * (layers * self.shape.hidden * self.width + kept))
        return int(tokens * layers * kept)

    def _kept_bytes(self) -> int:
        """Bytes per token and layer that wait for the backward pass.

        What the norms give, queries, keys, values and attention's output, four tensors as wide as
        the feed-forward (two where it has a single branch).
        """
        shape = self.shape
        queries, keys = shape.heads * shape.head_dim, shape.key_value_heads * shape.head_dim
        if self.fast:
            narrow = sum(
                math.ceil(count * self.knobs.lora_rank / _ALIGNED) * _ALIGNED
                for count in (3, 1, 2, 1)
            )
            wide = 4 * shape.hidden + 2 * (queries + keys) + 4 * shape.intermediate
            kept = (wide + narrow + shape.heads * _MEAN_KEYS) * self.width
            return int(_BESIDE_ACTIVATIONS * kept)
        inner = (4 if shape.gated else 2) * shape.intermediate
        elements = 2 * (shape.hidden + queries + keys) + inner
        low_rank = self.knobs.lora_rank * len(shape.linears) if self.adapted else 0
        norms = _NORM_BYTES[self.width] * shape.hidden
        return (elements + low_rank) * self.width + norms + self._adapter_bytes()

    def _adapter_bytes(self) -> int:
        """Bytes per token and layer that variants of adapters keep besides."""
        if not self.adapted:
            return 0
        knobs, found = self.knobs, 0
        targets = [linear for _, linear in self.shape.targets(knobs.target_modules)]
        if knobs.lora_dropout:  # the input of each with holes, and which these are
            found += 2 * sum(linear.inputs for linear in targets)
        if knobs.lora_variant is LoraVariant.DORA:  # the output before its length is set
            found += sum(linear.outputs for linear in targets)
        return found * self.width

    def _passing_bytes(self) -> int:
        """Bytes per token while one layer is computed and nothing is kept (evaluation)."""
        shape = self.shape
        return (6 * shape.hidden + 4 * shape.intermediate) * self.width + 2 * shape.hidden * 4
