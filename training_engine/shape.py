"""What a model is made of: its matrices, its stacks of layers, the exact number of parameters."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Linear:
    """A matrix in every layer: `inputs` × `outputs` weights, and a bias or none."""

    name: str
    inputs: int
    outputs: int
    bias: bool = False

    @property
    def size(self) -> int:
        """Parameters of the layer's one matrix."""
        return self.inputs * self.outputs + (self.outputs if self.bias else 0)


@dataclass(frozen=True)
class Stack:
    """Layers of one kind, one after the other; `other_per_layer`: norms and what else is small."""

    layers: int
    linears: tuple[Linear, ...]
    other_per_layer: int

    @property
    def matrices(self) -> int:
        """Parameters of all its matrices, with their biases."""
        return self.layers * sum(linear.size for linear in self.linears)

    @property
    def per_layer(self) -> int:
        """Parameters of one layer."""
        return sum(linear.size for linear in self.linears) + self.other_per_layer


@dataclass(frozen=True)
class ModelShape:
    """Sizes in elements; `exact` is False when the family is not known.

    A decoder or an encoder has one stack; an encoder–decoder has a second one in `decoder`.
    `gated`: the feed-forward multiplies two branches. `encoder`: it reads a text and continues
    none.
    """

    family: str
    exact: bool
    layers: int
    hidden: int
    intermediate: int
    heads: int
    key_value_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    linears: tuple[Linear, ...]
    other_per_layer: int
    other: int
    gated: bool = True
    encoder: bool = False
    decoder: Stack | None = None

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """Every stack of layers, in the order in which a text passes them."""
        first = Stack(self.layers, self.linears, self.other_per_layer)
        return (first,) if self.decoder is None else (first, self.decoder)

    @property
    def embedding(self) -> int:
        """Parameters of the table of token vectors."""
        return self.vocabulary * self.hidden

    @property
    def matrices(self) -> int:
        """Parameters of the matrices of all layers."""
        return sum(stack.matrices for stack in self.stacks)

    @property
    def per_layer(self) -> int:
        """Parameters of one of the last layers."""
        return self.stacks[-1].per_layer

    @property
    def num_parameters(self) -> int:
        """All parameters; a tied output matrix counts once."""
        tables = self.embedding * (1 if self.tied else 2)
        return tables + sum(s.layers * s.per_layer for s in self.stacks) + self.other

    def targets(self, target_modules: list[str] | str) -> Iterable[tuple[int, Linear]]:
        """The named matrices (`all-linear`: every one), each with the number of its layers."""
        for stack in self.stacks:
            for linear in stack.linears:
                if isinstance(target_modules, str) or any(
                    f".{linear.name}".endswith(f".{name}") for name in target_modules
                ):
                    yield stack.layers, linear

    def lora_parameters(self, rank: int, target_modules: list[str] | str) -> int:
        """Parameters of an adapter of `rank` on the named layers (`all-linear`: every one)."""
        return sum(
            layers * rank * (linear.inputs + linear.outputs)
            for layers, linear in self.targets(target_modules)
        )
