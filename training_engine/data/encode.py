"""Rendered conversations become tokens and the positions to learn, and pass a gate.

The gate looks at every sample before any training: it trains more than nothing, every answer that
is whole ends with a token that ends generation, and no answer is cut away completely, unless such
samples are to be left out; they are counted then.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from training_engine.contract.names import FailureCode
from training_engine.data.chat import ChatTemplate, Rendered, TemplateRefusal
from training_engine.data.records import Row, listed
from training_engine.failures import EngineFailure

BATCH_ROWS = 512


@dataclass
class EncodedSet:
    """Samples laid end to end. `tokens` int32 [n], `trained` bool [n]: learn to predict this token.

    Sample i is `bounds[i]` to `bounds[i + 1]`; `lines[i]` is its line in the user's file.
    """

    tokens: Tensor
    trained: Tensor
    bounds: list[int]
    lines: list[int]
    truncated_lines: list[int] = field(default_factory=list)
    left_out_lines: list[int] = field(default_factory=list)
    cut_tokens: int = 0
    split_rows: int = 0
    prompt_differs: bool = False

    def __len__(self) -> int:
        return len(self.lines)

    def length(self, sample: int) -> int:
        """Tokens of a sample."""
        return self.bounds[sample + 1] - self.bounds[sample]

    @property
    def trained_tokens(self) -> int:
        """Tokens that are learnt, over all samples."""
        return int(self.trained.sum())


@dataclass
class _Collected:
    """What `encode` gathers, row by row."""

    tokens: list[Tensor] = field(default_factory=list)
    trained: list[Tensor] = field(default_factory=list)
    bounds: list[int] = field(default_factory=lambda: [0])
    lines: list[int] = field(default_factory=list)
    truncated: list[int] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)
    cut_tokens: int = 0
    split_rows: int = 0
    prompt_differs: bool = False
    refused: dict[int, str] = field(default_factory=dict)
    unterminated: list[int] = field(default_factory=list)
    cut_away: list[int] = field(default_factory=list)
    longest_cut_away: int = 0  # tokens
    untrained: list[int] = field(default_factory=list)


class Encoder:
    """Turns rows into an `EncodedSet` with one template and one longest length.

    With `leave_out` samples whose whole answer lies beyond that length are left out.
    """

    def __init__(
        self,
        template: ChatTemplate,
        terminators: set[int],
        max_length: int,
        *,
        leave_out: bool = False,
    ) -> None:
        self._template = template
        self._terminators = terminators
        self._max_length = max_length
        self._leave_out = leave_out

    def encode(self, rows: Iterable[Row]) -> EncodedSet:
        """All rows; raises `EngineFailure` (bad_dataset) when they do not pass the gate."""
        found = _Collected()
        for batch in _batches(rows, BATCH_ROWS):
            self._encode_batch(batch, found)
        _gate(found)
        empty = torch.zeros(0)
        return EncodedSet(
            tokens=torch.cat(found.tokens or [empty.int()]),
            trained=torch.cat(found.trained or [empty.bool()]),
            bounds=found.bounds,
            lines=found.lines,
            truncated_lines=found.truncated,
            left_out_lines=found.left_out,
            cut_tokens=found.cut_tokens,
            split_rows=found.split_rows,
            prompt_differs=found.prompt_differs,
        )

    def _encode_batch(self, rows: Sequence[Row], found: _Collected) -> None:
        samples: list[tuple[int, Rendered]] = []
        for row in rows:
            try:
                rendered = self._template.samples(row)
            except TemplateRefusal as refusal:
                found.refused[row.line] = str(refusal)
                continue
            if not rendered:
                found.untrained.append(row.line)
            found.split_rows += len(rendered) > 1
            samples += [(row.line, sample) for sample in rendered]
        if not samples:
            return
        encoded = self._tokenize([sample.text for _, sample in samples])
        for (line, sample), (ids, offsets) in zip(samples, encoded, strict=True):
            self._add(line, sample, ids, offsets, found)

    def _tokenize(self, texts: list[str]) -> list[tuple[list[int], list[tuple[int, int]] | None]]:
        tokenizer: Any = self._template.tokenizer
        fast = bool(tokenizer.is_fast)
        out = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=fast)
        offsets = out["offset_mapping"] if fast else [None] * len(texts)
        return list(zip(out["input_ids"], offsets, strict=True))

    def _add(
        self,
        line: int,
        sample: Rendered,
        ids: list[int],
        offsets: list[tuple[int, int]] | None,
        found: _Collected,
    ) -> None:
        trained = [False] * len(ids)
        kept = min(len(ids), self._max_length)
        for turn in sample.turns:
            first = self._position(sample.text, turn.start, offsets)
            last = self._position(sample.text, turn.end, offsets)
            end = next((i for i in range(last, first, -1) if ids[i - 1] in self._terminators), None)
            if end is None:
                found.unterminated.append(line)
                end = last
            trained[first:end] = [True] * (end - first)
        # The first token is never predicted: nothing comes before it.
        if not any(trained[1:]):
            found.untrained.append(line)
        elif not any(trained[1:kept]):
            if self._leave_out:
                found.left_out.append(line)
                return
            found.cut_away.append(line)
            found.longest_cut_away = max(found.longest_cut_away, len(ids))
        if len(ids) > kept:
            found.truncated.append(line)
            found.cut_tokens += len(ids) - kept
        found.prompt_differs |= sample.prompt_differs
        found.tokens.append(torch.tensor(ids[:kept], dtype=torch.int32))
        found.trained.append(torch.tensor(trained[:kept], dtype=torch.bool))
        found.bounds.append(found.bounds[-1] + kept)
        found.lines.append(line)

    def _position(self, text: str, place: int, offsets: list[tuple[int, int]] | None) -> int:
        """Index of the first token with a character at or after `place`."""
        if offsets is None:  # a tokenizer in Python: count the tokens of what comes before
            before = self._template.tokenizer(text[:place], add_special_tokens=False)["input_ids"]
            return len(before)
        return bisect_left(offsets, True, key=lambda span: span[1] > place)


def _gate(found: _Collected) -> None:
    """Raises `EngineFailure` with the first reason, naming lines."""
    if found.refused:
        lines = list(found.refused)
        reason = found.refused[lines[0]]
        raise _refusal(
            f"The model's chat template refuses rows: {reason}",
            "Bring the turns into a form the template allows (system first, then user and "
            "assistant in turn; tool calls only where the model knows them), or choose another "
            "model.",
            lines,
        )
    if found.unterminated:
        raise _refusal(
            "The chat template does not end the assistant's turns with a token that ends "
            "generation, so the model would never learn to stop",
            "Choose the template of an instruction-tuned model, with its end-of-turn token.",
            found.unterminated,
        )
    if found.cut_away:
        raise _refusal(
            "The maximum length cuts the whole answer away, so nothing is left to learn",
            "Raise the maximum length (the longest of these rows has "
            f"{found.longest_cut_away:,} tokens), or run again with such rows left out "
            "(leave_out_overlong).",
            found.cut_away,
        )
    if found.untrained:
        raise _refusal(
            "Rows contain nothing to learn: their answers are empty or switched off",
            "Fill in or remove these rows and upload the data set as a new version.",
            found.untrained,
        )


def _refusal(problem: str, hint: str, lines: list[int]) -> EngineFailure:
    lines = sorted(set(lines))
    message = f"{problem.rstrip('.')} (line {listed(lines)})."
    return EngineFailure(
        FailureCode.BAD_DATASET, message, hint, {"lines": listed(lines), "count": len(lines)}
    )


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch
