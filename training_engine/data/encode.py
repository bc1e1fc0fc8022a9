"""Samples become tokens and the positions to learn, and pass a gate (`data/gate.py`)."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from training_engine.data.chat import TemplateRefusal
from training_engine.data.gate import Findings, check
from training_engine.data.reading import Reading
from training_engine.data.records import Row
from training_engine.data.samples import Form, Label, Misfit, Rendered, Sample

BATCH_ROWS = 512
Offsets = list[tuple[int, int]] | None
Encoded = tuple[list[int], Offsets]


@dataclass
class EncodedSet:
    """Texts laid end to end. `tokens` int32 [n], `trained` bool [n]: learn to predict this token.

    Sequence i is `bounds[i]` to `bounds[i + 1]`; sample s consists of the `form.sequences` ones
    from `s * form.sequences`, has the label `labels[s]` (float32 [s] or [s, classes]) where the
    objective has labels, and comes from line `lines[s]` of the user's file. `reference`: what the
    model gave each sequence before it was tuned, where an objective compares with that.
    """

    tokens: Tensor
    trained: Tensor
    bounds: list[int]
    lines: list[int]
    form: Form = field(default_factory=Form)
    labels: Tensor | None = None
    reference: Tensor | None = None
    truncated_lines: list[int] = field(default_factory=list)
    cut_answer_lines: list[int] = field(default_factory=list)
    left_out_lines: list[int] = field(default_factory=list)
    first_unlearnt_lines: list[int] = field(default_factory=list)
    cut_tokens: int = 0
    split_rows: int = 0
    prompt_differs: bool = False

    def __len__(self) -> int:
        return len(self.lines)

    def sequences(self, sample: int) -> range:
        """The sequences of a sample."""
        return range(sample * self.form.sequences, (sample + 1) * self.form.sequences)

    def text(self, sequence: int) -> Tensor:
        """The tokens of a sequence, int32 [n]."""
        return self.tokens[self.bounds[sequence] : self.bounds[sequence + 1]]

    def length(self, sample: int) -> int:
        """Tokens of a sample."""
        each = self.form.sequences
        return self.bounds[(sample + 1) * each] - self.bounds[sample * each]

    @property
    def lengths(self) -> list[int]:
        """Tokens of every sample."""
        return [self.length(sample) for sample in range(len(self))]

    @cached_property
    def targets(self) -> list[int]:
        """Tokens that are predicted, by sequence; the first of a continued text never is."""
        if not self.form.predicts:
            return [0] * (len(self.bounds) - 1)
        counted = [0, *self.trained.long().cumsum(0).tolist()]
        first = 0 if self.form.target else 1
        return [
            counted[end] - counted[min(begin + first, end)]
            for begin, end in zip(self.bounds, self.bounds[1:], strict=False)
        ]

    @property
    def trained_tokens(self) -> int:
        """Tokens that are predicted, over all samples; 0 where texts are read whole."""
        return sum(self.targets)


@dataclass
class _Collected:
    """What `encode` gathers, row by row."""

    tokens: list[Tensor] = field(default_factory=list)
    trained: list[Tensor] = field(default_factory=list)
    bounds: list[int] = field(default_factory=lambda: [0])
    lines: list[int] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def add(self, line: int, parts: Sequence[tuple[list[int], list[bool]]], label: Any) -> None:
        for ids, trained in parts:
            self.tokens.append(torch.tensor(ids, dtype=torch.int32))
            self.trained.append(torch.tensor(trained, dtype=torch.bool))
            self.bounds.append(self.bounds[-1] + len(ids))
        self.lines.append(line)
        if label is not None:
            self.labels.append(label)


@dataclass(frozen=True)
class _Part:
    """A text of a sample: what is kept of it. `cut`: tokens that went, `lost`: all to be learnt."""

    ids: list[int]
    trained: list[bool]
    cut: int
    answer_cut: bool
    lost: bool


class Encoder:
    """Turns rows into an `EncodedSet`, as a reading says.

    With `leave_out` samples whose whole answer lies beyond the longest length are left out.
    """

    def __init__(self, reading: Reading, terminators: set[int], *, leave_out: bool = False) -> None:
        self._reading = reading
        self._tokenizer: Any = reading.template.tokenizer
        self._terminators = terminators
        self._leave_out = leave_out

    def encode(self, rows: Iterable[Row]) -> EncodedSet:
        """All rows; raises `EngineFailure` (bad_dataset) when they do not pass the gate."""
        found, findings = _Collected(), Findings()
        for batch in _batches(self._reading.arrange(rows), BATCH_ROWS):
            self._encode_batch(batch, found, findings)
        check(findings)
        empty = torch.zeros(0)
        return EncodedSet(
            tokens=torch.cat(found.tokens or [empty.int()]),
            trained=torch.cat(found.trained or [empty.bool()]),
            bounds=found.bounds,
            lines=found.lines,
            form=self._reading.form,
            labels=torch.tensor(found.labels, dtype=torch.float32) if found.labels else None,
            truncated_lines=findings.truncated,
            cut_answer_lines=findings.cut_answers,
            left_out_lines=findings.left_out,
            first_unlearnt_lines=findings.first_unlearnt,
            cut_tokens=findings.cut_tokens,
            split_rows=findings.split_rows,
            prompt_differs=findings.prompt_differs,
        )

    def _encode_batch(self, rows: Sequence[Row], found: _Collected, findings: Findings) -> None:
        samples: list[tuple[int, Sample]] = []
        for row in rows:
            try:
                of_row = self._reading.samples(row)
            except TemplateRefusal as refusal:
                findings.refused[row.line] = str(refusal)
                continue
            except Misfit as misfit:
                findings.misfits[row.line] = misfit
                continue
            if not of_row:
                findings.untrained.append(row.line)
            findings.split_rows += len(of_row) > 1
            samples += [(row.line, sample) for sample in of_row]
        if not samples:
            return
        columns = [
            self.tokenize([sample.texts[i].text for _, sample in samples], target=i > 0)
            for i in range(self._reading.form.sequences)
        ]
        for (line, sample), encoded in zip(samples, zip(*columns, strict=True), strict=True):
            self._add(line, sample, encoded, found, findings)

    def tokenize(self, texts: list[str], *, target: bool) -> list[Encoded]:
        """Ids of texts, whole, and where each stands; `target`: they are the samples' second."""
        form, fast = self._reading.form, bool(self._tokenizer.is_fast)
        name = "text_target" if target and form.target else "text"
        out = self._tokenizer(
            **{name: texts},
            add_special_tokens=form.special_tokens,
            return_offsets_mapping=fast,
        )
        offsets = out["offset_mapping"] if fast else [None] * len(texts)
        return list(zip(out["input_ids"], offsets, strict=True))

    def _add(
        self,
        line: int,
        sample: Sample,
        encoded: Sequence[Encoded],
        found: _Collected,
        findings: Findings,
    ) -> None:
        form = self._reading.form
        if form.pieces:
            self._add_pieces(line, self._reading.ended(encoded[0][0]), found, findings)
            return
        parts: list[_Part] = []
        own = form.sequences - form.borrowed
        for text, each, longest in zip(sample.texts, encoded, self._reading.lengths, strict=True):
            noted = findings if len(parts) < own else Findings()
            parts.append(self._part(line, text, each, longest, noted))
        cut = sum(part.cut for part in parts[:own])
        lost = any(part.lost for part in parts[:own])
        if cut and sample.label is None and len(parts) == 2 and parts[0].ids == parts[1].ids:
            lost = True  # what sets the two answers apart is gone
        if lost:
            longest = max(len(ids) for ids, _ in encoded[:own])
            findings.longest_cut_away = max(findings.longest_cut_away, longest)
        if lost and self._leave_out:
            findings.left_out.append(line)
            return
        if lost:
            findings.cut_away.append(line)
        if cut:
            findings.truncated.append(line)
            findings.cut_tokens += cut
            if any(part.answer_cut for part in parts[:own]):
                findings.cut_answers.append(line)
        found.add(line, [(part.ids, part.trained) for part in parts], sample.label)

    def _part(
        self, line: int, text: Rendered, encoded: Encoded, longest: int, findings: Findings
    ) -> _Part:
        """A text of a sample as it is kept, and what became of it."""
        ids, offsets = encoded
        if text.whole:
            ids = self._reading.ended(ids)
        trained = self._learnt(line, text, ids, offsets, findings)
        kept = ids[:longest] if text.whole else self._shortened(text.text, ids, longest)
        findings.prompt_differs |= text.prompt_differs
        findings.first_unlearnt += [line] * text.first_unlearnt
        return _Part(
            kept,
            trained[: len(kept)],
            cut=len(ids) - len(kept),
            answer_cut=any(trained[len(kept) :]),
            lost=bool(text.turns) and self._nothing_left(line, trained, len(kept), findings),
        )

    def _nothing_left(self, line: int, trained: list[bool], kept: int, findings: Findings) -> bool:
        """Whether cutting took all that is to be learnt; notes where there was nothing before."""
        # The first token is never predicted: nothing comes before it.
        first = 1 if self._reading.form.predicts else 0
        if not any(trained[first:]):
            findings.untrained.append(line)
            return False
        return not any(trained[first:kept])

    def _learnt(
        self, line: int, text: Rendered, ids: list[int], offsets: Offsets, findings: Findings
    ) -> list[bool]:
        """Which tokens of a text are learnt."""
        trained = [text.whole] * len(ids)
        for turn in text.turns:
            first = self._position(text.text, turn.start, offsets)
            last = self._position(text.text, turn.end, offsets)
            end = next((i for i in range(last, first, -1) if ids[i - 1] in self._terminators), None)
            if end is None:
                if self._reading.form.predicts:
                    findings.unterminated.append(line)
                end = last
            trained[first:end] = [True] * (end - first)
        return trained

    def _shortened(self, text: str, ids: list[int], longest: int) -> list[int]:
        """At most `longest` ids; the tokenizer cuts where its own special tokens have to stay."""
        if len(ids) <= longest:
            return ids
        if not self._reading.form.special_tokens:
            return ids[:longest]
        out: list[int] = self._tokenizer(text, truncation=True, max_length=longest)["input_ids"]
        return out

    def _add_pieces(self, line: int, ids: list[int], found: _Collected, findings: Findings) -> None:
        """A long text as several samples that overlap by one token: each token is learnt once."""
        if len(ids) < 2:  # nothing comes before its only token
            findings.untrained.append(line)
            return
        longest = self._reading.lengths[0]
        for start in range(0, len(ids) - 1, longest - 1):
            piece = ids[start : start + longest]
            found.add(line, [(piece, [True] * len(piece))], None)

    def _position(self, text: str, place: int, offsets: Offsets) -> int:
        """Index of the first token with a character at or after `place`."""
        if offsets is None:  # a tokenizer in Python: count the tokens of what comes before
            before = self._tokenizer(text[:place], add_special_tokens=False)["input_ids"]
            return len(before)
        return bisect_left(offsets, True, key=lambda span: span[1] > place)


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch
