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
    beside,
    excerpts,
    findings,
    languages,
    scan,
    signatures,
)
from backend.datasets.hygiene.beside import Beside
from backend.datasets.hygiene.labels import Labels
from backend.datasets.hygiene.scan import Span
from backend.datasets.hygiene.texts import RowText, read

Array = np.ndarray[Any, Any]
MAX_EXAMPLES = 5
# Of more columns than this it is not told how many rows have a finding in them.
MAX_COLUMNS = 1_000


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
    framed: Array
    rows: dict[str, list[int]] = field(default_factory=dict)
    examples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    columns: dict[str, Counter[str]] = field(default_factory=dict)
    labels: Labels = field(default_factory=Labels)
    languages: Counter[str] = field(default_factory=Counter)

    def note(
        self, finding: str, row: int, excerpt: str | None, detail: str = "", **more: str
    ) -> None:
        """A row has a finding; without excerpt there are examples enough."""
        self.rows.setdefault(finding, []).append(row)
        if excerpt is not None:
            example = {"index": row, "excerpt": excerpt, "detail": detail, **more}
            self.examples.setdefault(finding, []).append(example)

    def wants_example(self, finding: str) -> bool:
        """Whether this piece has not yet enough of them."""
        return len(self.examples.get(finding, ())) < MAX_EXAMPLES


def examine(first: int, records: list[bytes], extras: list[bytes | None], plan: Plan) -> Piece:
    """Look at records (JSON) with what is beside them; they have the numbers from `first` on."""
    rows = [read(record) for record in records]
    piece = _hashed(first, records, rows, plan)
    _scan(rows, extras, piece)
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
    whole = [row.whole.encode() for row in rows]
    prompts = [row.prompt.encode() for row in rows]
    hashes = {
        "record": [hash_of(record) for record in records],
        "text": [hash_of(a + b"\0" + b) for a, b in zip(whole, labelled, strict=True)],
        "prompt": [hash_of(prompt) if prompt else 0 for prompt in prompts],
    }
    compared_texts = [
        row.shingled if number % plan.compare_every == 0 else ""
        for number, row in enumerate(rows, first)
    ]
    matrix, compared, framed = signatures.of_texts(compared_texts, plan.frame)
    return Piece(
        first,
        len(rows),
        {name: np.array(values, np.uint64) for name, values in hashes.items()},
        np.array([hash_of(label) if label else 0 for label in labelled], np.uint64),
        matrix,
        compared,
        framed,
    )


def _scan(rows: list[RowText], extras: list[bytes | None], piece: Piece) -> None:
    """Personal data and secrets, in the texts of the records and in the columns beside them."""
    aside: dict[int, list[Beside]] = {}
    for one in beside.find(extras):
        aside.setdefault(one.place, []).append(one)
    looks = dict(scan.candidates(pl.Series([row.all for row in rows], dtype=pl.String)))
    for place in sorted(looks.keys() | aside.keys()):
        seen: set[str] = set()
        if place in looks:
            for span in scan.spans(text := rows[place].all, looks[place]):
                _note(piece, place, text, span, seen)
        counted: set[tuple[str, str]] = set()
        for _place, column, text, span in aside.get(place, ()):
            _note(piece, place, text, span, seen, column=column)
            counted.add((span.finding, column))
        for finding, column in counted:
            piece.columns.setdefault(finding, Counter())[column] += 1


def _note(piece: Piece, place: int, text: str, span: Span, seen: set[str], **column: str) -> None:
    """The first of each kind in a row."""
    if span.finding in seen:
        return
    seen.add(span.finding)
    shown = None
    if piece.wants_example(span.finding):
        shown = excerpts.of(text, span.start, span.end)
    detail = excerpts.detail_of(text, span) if shown is not None else ""
    piece.note(span.finding, piece.first + place, shown, detail, **column)


def _judge_answers(number: int, row: RowText, piece: Piece) -> None:
    if answers.is_empty(row.answers):
        finding = findings.EMPTY
    elif answers.is_short(row.answers):
        finding = findings.SHORT
    else:
        return
    shown = excerpts.of(row.compared) if piece.wants_example(finding) else None
    piece.note(finding, number, shown, excerpts.of(row.answers[-1]))
