"""Examines some consecutive rows: the inner loop, run in worker processes.

What is found here needs no other row; duplicates, labels and the like are told from all pieces
together.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import polars as pl
import xxhash

from backend.datasets.hygiene import (
    answers,
    excerpts,
    findings,
    languages,
    scan,
    signatures,
)
from backend.datasets.hygiene.labels import Labels
from backend.datasets.hygiene.texts import RowText, folded, read

Array = np.ndarray[Any, Any]
MAX_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What all pieces need to know: the frame that most rows share, and every how many rows one is
    looked at for its language and compared with others."""

    frame: Array
    language_every: int = 1
    compare_every: int = 1


@dataclass(slots=True)
class Piece:
    """All that is known of the rows from `first` on."""

    first: int
    num_rows: int
    hashes: dict[str, Array]
    labels_hash: Array
    signatures: Array
    compared: Array
    rows: dict[str, list[int]] = field(default_factory=dict)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    labels: Labels = field(default_factory=Labels)
    languages: Counter[str] = field(default_factory=Counter)

    def note(self, finding: str, row: int, excerpt: str | None, detail: str = "") -> None:
        """A row has a finding; without excerpt there are examples enough."""
        self.rows.setdefault(finding, []).append(row)
        if excerpt is not None:
            example = {"index": row, "excerpt": excerpt, "detail": detail}
            self.examples.setdefault(finding, []).append(example)

    def wants_example(self, finding: str) -> bool:
        """Whether this piece has not yet enough of them."""
        return len(self.examples.get(finding, ())) < MAX_EXAMPLES


def examine(first: int, records: list[bytes], plan: Plan) -> Piece:
    """Look at records (JSON) that have the numbers from `first` on."""
    rows = [read(record) for record in records]
    piece = _hashed(first, records, rows, plan)
    _scan(rows, piece)
    for number, row in enumerate(rows, first):
        if row.answers:
            _judge_answers(number, row, piece)
        if row.label is not None:
            piece.labels.add(row.label, number)
        if number % plan.language_every == 0:
            piece.languages[languages.of(row.compared)] += 1
    return piece


def _hashed(first: int, records: list[bytes], rows: list[RowText], plan: Plan) -> Piece:
    hash_of = xxhash.xxh3_64_intdigest
    labelled = [orjson.dumps(r.label) if r.label is not None else b"" for r in rows]
    whole = [folded(row.whole).encode() for row in rows]
    prompts = [folded(row.prompt).encode() for row in rows]
    hashes = {
        "record": [hash_of(record) for record in records],
        "text": [hash_of(a + b"\0" + b) for a, b in zip(whole, labelled, strict=True)],
        "prompt": [hash_of(prompt) if prompt else 0 for prompt in prompts],
    }
    compared_texts = [
        row.compared if number % plan.compare_every == 0 else ""
        for number, row in enumerate(rows, first)
    ]
    matrix, compared = signatures.of_texts(compared_texts, plan.frame)
    return Piece(
        first,
        len(rows),
        {name: np.array(values, np.uint64) for name, values in hashes.items()},
        np.array([hash_of(label) if label else 0 for label in labelled], np.uint64),
        matrix,
        compared,
    )


def _scan(rows: list[RowText], piece: Piece) -> None:
    """Personal data and secrets."""
    texts = pl.Series([row.all for row in rows], dtype=pl.String)
    for place, looks in scan.candidates(texts):
        text = rows[place].all
        seen: set[str] = set()
        for span in scan.spans(text, looks):
            if span.finding in seen:
                continue
            seen.add(span.finding)
            shown = None
            if piece.wants_example(span.finding):
                shown = excerpts.of(text, span.start, span.end)
            detail = excerpts.detail_of(text, span) if shown is not None else ""
            piece.note(span.finding, piece.first + place, shown, detail)


def _judge_answers(number: int, row: RowText, piece: Piece) -> None:
    if answers.is_empty(row.answers):
        finding = findings.EMPTY
    elif answers.is_short(row.answers):
        finding = findings.SHORT
    else:
        return
    shown = excerpts.of(row.compared) if piece.wants_example(finding) else None
    piece.note(finding, number, shown, excerpts.of(row.answers[-1]))
