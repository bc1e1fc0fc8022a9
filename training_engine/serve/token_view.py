"""Records as the trainer sees them: the same reading, the same encoder, token by token."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from training_engine.contract.choices import Objective
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.records import Record
from training_engine.contract.serving import Failure
from training_engine.contract.tokens import (
    Part,
    RenderedRecord,
    RenderedRecords,
    RenderedSample,
    RenderedToken,
    RenderTokensRequest,
    TokenLengthsRequest,
)
from training_engine.data.chat import ChatTemplate, TemplateRefusal
from training_engine.data.encode import EncodedSet, Encoder
from training_engine.data.reading import Reading
from training_engine.data.records import Row, row_of
from training_engine.data.samples import Form
from training_engine.failures import EngineFailure
from training_engine.serve.failures import ServeError
from training_engine.serve.folders import check_model_folder
from training_engine.serve.recipes import alone, reading_of
from training_engine.serve.text_stream import Detokenizer
from training_engine.serve.tokenizers import load_template

_ANY_LENGTH = Hyperparameters(max_length=1_048_576, max_target_length=1_048_576)


def render_tokens(request: RenderTokensRequest) -> RenderedRecords:
    """Every record with its tokens, or with the reason it can not be trained on.

    Raises `ServeError` when the model can not be read, or not for the objective.
    """
    rows = [row_of(record, i + 1) for i, record in enumerate(request.records)]
    views: dict[Objective, _View] = {}
    for row in rows:
        objective = request.objective or _usual(row)
        if objective not in views:
            views[objective] = _View(request, objective, rows)
    found = []
    for row in rows:
        with alone:
            found.append(views[request.objective or _usual(row)].record(row))
    return RenderedRecords(
        records=found, reads_whole=any(not view.form.predicts for view in views.values())
    )


def token_lengths(request: TokenLengthsRequest) -> list[int | None]:
    """Tokens of each text, or of each record as templated; null where the template refuses."""
    folder = Path(request.model_path)
    check_model_folder(folder)
    if (request.records is None) == (request.texts is None):
        raise ServeError(
            "bad_request", "Give either records or texts to count.", "Send exactly one of them."
        )
    template = load_template(folder, request.chat_template)
    with alone:
        texts: list[str | None] = list(request.texts or [])
        if request.records is not None:
            texts = [_text_of(record, template) for record in request.records]
        known = [text for text in texts if text is not None]
        encoded = template.tokenizer(known, add_special_tokens=False)["input_ids"] if known else []
    lengths = iter(encoded)
    return [None if text is None else len(next(lengths)) for text in texts]


def _text_of(record: Record, template: ChatTemplate) -> str | None:
    if record.messages is None:
        return record.text
    try:
        return template.render(record.messages, record.tools)
    except TemplateRefusal:
        return None


def _usual(row: Row) -> Objective:
    """What a row of this shape is usually for."""
    if row.chosen or row.rejected:
        return Objective.DPO
    return Objective.PRETRAIN if row.text is not None and not row.messages else Objective.SFT


class _View:
    """Rows as one objective reads them."""

    def __init__(
        self, request: RenderTokensRequest, objective: Objective, rows: Sequence[Row]
    ) -> None:
        knobs = Hyperparameters(
            max_length=request.max_length,
            max_target_length=request.max_target_length,
            label_kind=request.label_kind,
        )

        def reading(knobs: Hyperparameters) -> tuple[Reading, set[int]]:
            found, ends = reading_of(
                request.model_path,
                objective,
                knobs,
                request.chat_template,
                request.trusted_code_sha256,
            )
            found.preview(lambda: iter(rows))
            return found, ends

        self._reading, self._ends = reading(knobs)
        self._whole, _ = reading(_ANY_LENGTH.model_copy(update={"label_kind": knobs.label_kind}))
        self._whole.lengths = (_ANY_LENGTH.max_length,) * len(self._whole.lengths)
        self._max_shown = request.max_shown

    @property
    def form(self) -> Form:
        """How the texts become tokens."""
        return self._reading.form

    def record(self, row: Row) -> RenderedRecord:
        """What becomes of a row."""
        try:
            encoded = Encoder(self._reading, self._ends).encode([row])
            whole = encoded
            if encoded.truncated_lines:
                whole = Encoder(self._whole, self._ends).encode([row])
        except EngineFailure as failure:
            error = Failure(code=failure.code.value, message=failure.message, hint=failure.hint)
            return RenderedRecord(samples=[], num_samples=0, error=error)
        shown = list(self._shown(encoded, whole))
        own = self.form.sequences - self.form.borrowed
        return RenderedRecord(samples=shown, num_samples=len(encoded) * own, error=None)

    def _shown(self, encoded: EncodedSet, whole: EncodedSet) -> Iterator[RenderedSample]:
        """The row's own sequences until enough tokens are listed."""
        form, left = self.form, self._max_shown
        own = form.sequences - form.borrowed
        places = (i for sample in range(len(encoded)) for i in encoded.sequences(sample)[:own])
        for place in places:
            if left <= 0:
                return
            sample = self._sample(encoded, whole, place, left)
            left -= len(sample.tokens) + len(sample.cut)
            yield sample

    def _sample(
        self, encoded: EncodedSet, whole: EncodedSet, place: int, most: int
    ) -> RenderedSample:
        ids: list[int] = encoded.text(place).tolist()
        before: list[int] = ids if whole is encoded else whole.text(place).tolist()
        cut_at, cut = _taken_away(before, ids)
        template = self._reading.template
        trained = _predicted(encoded, place)
        texts = token_texts(ids[:most], template)
        cut_ids = cut[: max(0, most - len(texts))]
        learnt_before = _predicted(whole, place)
        return RenderedSample(
            part=_part(self.form, place),
            tokens=[self._token(*each) for each in zip(ids, texts, trained, strict=False)],
            num_tokens=len(ids),
            num_trained=sum(trained),
            truncated=len(cut) > 0,
            cut=[
                self._token(*each)
                for each in zip(
                    cut_ids, token_texts(cut_ids, template), learnt_before[cut_at:], strict=False
                )
            ],
            cut_at=cut_at,
            num_cut=len(cut),
        )

    def _token(self, token: int, text: str, trained: bool) -> RenderedToken:
        terminator = trained and token in self._ends
        return RenderedToken(id=token, text=text, trained=trained, terminator=terminator)


def _part(form: Form, place: int) -> Part:
    if form.sequences == 1 or form.borrowed:
        return "text"
    names: tuple[Part, Part] = ("source", "target") if form.target else ("chosen", "rejected")
    return names[place % 2]


def _predicted(encoded: EncodedSet, place: int) -> list[bool]:
    """Which tokens of a sequence the loss counts: of those to learn, what something comes before.

    A decoder's target has its own beginning before it.
    """
    begin, end = encoded.bounds[place], encoded.bounds[place + 1]
    trained: list[bool] = encoded.trained[begin:end].tolist()
    if not encoded.form.predicts:
        return [False] * len(trained)
    return trained if encoded.form.target else [False, *trained[1:]][: len(trained)]


def _taken_away(whole: list[int], kept: list[int]) -> tuple[int, list[int]]:
    """Where something was taken out of `whole`, and what: the end, or what special tokens close."""
    if len(whole) <= len(kept):
        return len(kept), []
    pairs = zip(whole, kept, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return same, whole[same : len(whole) - (len(kept) - same)]


def token_texts(ids: Sequence[int], template: ChatTemplate) -> list[str]:
    """The text of each token; a character of several tokens stands at the last of them."""
    tokenizer: Any = template.tokenizer
    stream = Detokenizer(
        lambda tokens: tokenizer.decode(
            tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
    )
    texts = [stream.add(token) for token in ids]
    if texts:
        texts[-1] += stream.finish()
    return texts
