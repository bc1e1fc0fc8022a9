"""Records as the trainer sees them: the same template, the same encoder, token by token."""

from collections.abc import Sequence
from pathlib import Path

from training_engine.contract.choices import Objective
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.records import Record
from training_engine.contract.serving import (
    Failure,
    RenderedRecord,
    RenderedSample,
    RenderedToken,
    RenderTokensRequest,
    TokenLengthsRequest,
)
from training_engine.data.chat import ChatTemplate, TemplateRefusal, terminators
from training_engine.data.encode import EncodedSet, Encoder
from training_engine.data.records import Row, row_of
from training_engine.failures import EngineFailure
from training_engine.objectives import recipe_of
from training_engine.serve.failures import ServeError
from training_engine.serve.folders import check_model_folder
from training_engine.serve.text_stream import Detokenizer
from training_engine.serve.tokenizers import load_template


def render_tokens(request: RenderTokensRequest) -> list[RenderedRecord]:
    """Every record with its tokens, or with the reason it can not be trained on."""
    folder = Path(request.model_path)
    check_model_folder(folder)
    template = load_template(folder, request.chat_template)
    ends = terminators(template.tokenizer, folder)
    knobs = Hyperparameters(max_length=request.max_length)
    return [
        _rendered(row_of(record, i + 1), template, ends, knobs)
        for i, record in enumerate(request.records)
    ]


def token_lengths(request: TokenLengthsRequest) -> list[int | None]:
    """Tokens of each text, or of each record as templated; null where the template refuses."""
    folder = Path(request.model_path)
    check_model_folder(folder)
    if (request.records is None) == (request.texts is None):
        raise ServeError(
            "bad_request", "Give either records or texts to count.", "Send exactly one of them."
        )
    template = load_template(folder, request.chat_template)
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


def _rendered(
    row: Row, template: ChatTemplate, ends: set[int], knobs: Hyperparameters
) -> RenderedRecord:
    reading = recipe_of(_objective(row)).reading(template, knobs)
    try:
        encoded = Encoder(reading, ends).encode([row])
    except EngineFailure as failure:
        error = Failure(code=failure.code.value, message=failure.message, hint=failure.hint)
        return RenderedRecord(samples=[], error=error)
    count = len(encoded.bounds) - 1
    samples = [_sample(encoded, i, template, ends) for i in range(count)]
    return RenderedRecord(samples=samples, error=None)


def _objective(row: Row) -> Objective:
    """What a row of this shape is usually for; pairs are shown as two samples."""
    if row.chosen or row.rejected:
        return Objective.DPO
    return Objective.PRETRAIN if row.text is not None and not row.messages else Objective.SFT


def _sample(
    encoded: EncodedSet, index: int, template: ChatTemplate, ends: set[int]
) -> RenderedSample:
    begin, end = encoded.bounds[index], encoded.bounds[index + 1]
    ids: list[int] = encoded.tokens[begin:end].tolist()
    trained: list[bool] = encoded.trained[begin:end].tolist()
    texts = token_texts(ids, template)
    tokens = [
        RenderedToken(id=token, text=text, trained=learnt, terminator=learnt and token in ends)
        for token, text, learnt in zip(ids, texts, trained, strict=True)
    ]
    return RenderedSample(
        tokens=tokens,
        num_tokens=len(ids),
        num_trained=sum(trained),
        truncated=encoded.cut_tokens > 0,
    )


def token_texts(ids: Sequence[int], template: ChatTemplate) -> list[str]:
    """The text of each token; a character of several tokens stands at the last of them."""
    tokenizer = template.tokenizer
    stream = Detokenizer(
        lambda tokens: tokenizer.decode(
            tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
    )
    texts = [stream.add(token) for token in ids]
    if texts:
        texts[-1] += stream.finish()
    return texts
