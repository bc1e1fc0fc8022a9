"""How long the rows of a data set are in tokens: counted in batches, other work between them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.serving import Failure
from training_engine.contract.tokens import Counted, Counting, CountLengthsRequest, CountLine
from training_engine.data.chat import TemplateRefusal
from training_engine.data.encode import Encoder
from training_engine.data.reading import Reading
from training_engine.data.records import Row, read_rows
from training_engine.data.samples import Misfit, Sample
from training_engine.failures import EngineFailure
from training_engine.serve.recipes import alone, reading_of

BATCH_ROWS = 64
MOST_REASONS = 5
LONGEST_REASON = 300  # characters


def count_lengths(request: CountLengthsRequest) -> Iterator[CountLine]:
    """`Counting` after every batch, then `Counted`, or a `Failure` when the rows can not be read.

    Raises `ServeError` at the first step when the model can not be read.
    """
    reading, ends = reading_of(
        request.model_path,
        request.objective,
        Hyperparameters(),
        request.chat_template,
        request.trusted_code_sha256,
    )
    found = _Found(reading, Encoder(reading, ends))
    total = min(request.num_rows, request.most_rows)
    yield Counting(counted=0, of=total)
    try:
        for batch in _batches(request):
            found.add(batch)
            yield Counting(counted=found.counted, of=total)
    except EngineFailure as failure:
        yield Failure(code=failure.code.value, message=failure.message, hint=failure.hint)
        return
    yield Counted(
        lengths=dict(sorted(found.lengths.items())),
        refused=found.refused,
        reasons=dict(found.reasons.most_common(MOST_REASONS)),
    )


def _batches(request: CountLengthsRequest) -> Iterator[list[Row]]:
    """The rows to count: every one, or `most_rows` evenly spread over the file."""
    rows, most = max(1, request.num_rows), request.most_rows
    batch: list[Row] = []

    def wanted(index: int) -> bool:
        return rows <= most or (index + 1) * most // rows > index * most // rows

    for row in read_rows(Path(request.dataset_path), only=wanted):
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


class _Found:
    """What has been counted so far."""

    def __init__(self, reading: Reading, encoder: Encoder) -> None:
        self._reading, self._encoder = reading, encoder
        self.lengths: Counter[int] = Counter()
        self.reasons: Counter[str] = Counter()
        self.refused = 0
        self.counted = 0

    def add(self, rows: list[Row]) -> None:
        """Count a batch."""
        with alone:
            self._reading.preview(lambda: iter(rows))
            of_rows = [samples for row in rows if (samples := self._samples(row))]
            lengths = iter(self._lengths([each for samples in of_rows for each in samples]))
        for samples in of_rows:
            self.lengths[max(next(lengths) for _ in samples)] += 1
        self.counted += len(rows)

    def _samples(self, row: Row) -> list[Sample]:
        try:
            found = self._reading.samples(row)
        except (TemplateRefusal, Misfit) as refusal:
            self._refuse(str(refusal))
            return []
        if not found:
            self._refuse("there is nothing to learn: answers are empty or switched off")
        return found

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        self.reasons[reason.strip()[:LONGEST_REASON]] += 1

    def _lengths(self, samples: list[Sample]) -> list[int]:
        """Tokens of the longest of each sample's own texts, before anything is cut."""
        form, longest = self._reading.form, [0] * len(samples)
        if not samples:
            return longest
        for place in range(form.sequences - form.borrowed):
            texts = [sample.texts[place] for sample in samples]
            encoded = self._encoder.tokenize([text.text for text in texts], target=place > 0)
            for i, (text, (ids, _)) in enumerate(zip(texts, encoded, strict=True)):
                longest[i] = max(longest[i], len(self._reading.ended(ids) if text.whole else ids))
        return longest
