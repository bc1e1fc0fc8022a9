"""Rows as tokens, and the statistics of their lengths."""

from dataclasses import dataclass

from pydantic import ValidationError

from backend.datasets import pages
from backend.datasets.content_schemas import DatasetRow
from backend.datasets.reading.desk import ReadingDesk
from backend.errors import Conflict
from backend.tasks.rendering.counts import Count, LengthCounts
from backend.tasks.rendering.desk import TokenDesk
from backend.tasks.rendering.length_statistics import statistics
from backend.tasks.rendering.schemas import (
    TokenError,
    TokenLengths,
    TokenRow,
    TokenRows,
)
from backend.tasks.rendering.sources import Source
from training_engine.contract.records import Record
from training_engine.contract.serving import Failure
from training_engine.contract.tokens import RenderedRecords, RenderTokensRequest

# Of an answer; a page of long rows lists the beginning of each.
MOST_TOKENS = 50_000


class TokensRefused(Conflict):
    """The rows can not be shown as tokens: {message} {hint}"""


@dataclass(frozen=True)
class Window:
    """Which rows, cut how, and how many tokens of each are listed."""

    offset: int
    limit: int
    q: str | None
    split: str | None
    max_length: int
    max_target_length: int
    max_shown: int


async def token_rows(
    desk: TokenDesk, reading: ReadingDesk, source: Source, window: Window
) -> TokenRows:
    """A window of rows as the engine trains on them.

    Raises what the desks raise, and `TokensRefused` when the model can not be read.
    """
    offset, limit = window.offset, window.limit
    found = await reading.rows(source.folder, offset, limit, query=window.q, split=window.split)
    rows = [pages.record_of(each) for each in found["items"]]
    told = await _rendered(desk, source, window, rows)
    return TokenRows(
        items=[
            TokenRow(
                index=row.index,
                line=row.line,
                samples=each.samples,
                num_samples=each.num_samples,
                error=_error(each.error),
            )
            for row, each in zip(rows, told.records, strict=True)
        ],
        total=found["total"],
        offset=offset,
        objective=source.objective,
        max_length=window.max_length,
        reads_whole=told.reads_whole,
    )


async def _rendered(
    desk: TokenDesk, source: Source, window: Window, rows: list[DatasetRow]
) -> RenderedRecords:
    """The rows as tokens, each or its error."""
    if not rows:
        return RenderedRecords(records=[])
    request = RenderTokensRequest(
        model_path=str(source.model),
        trusted_code_sha256=source.trusted_code_sha256,
        records=[_record(row) for row in rows],
        objective=source.objective,
        max_length=window.max_length,
        max_target_length=window.max_target_length,
        chat_template=source.chat_template,
        max_shown=min(window.max_shown, MOST_TOKENS // len(rows)),
    )
    answer = await desk.render(request)
    if isinstance(answer, Failure):
        raise TokensRefused(params={"message": answer.message, "hint": answer.hint})
    return answer


def _record(row: DatasetRow) -> Record:
    """The record, and its line as the engine counts it; raises `TokensRefused`."""
    meta = {"line": row.line or row.index + 1}
    try:
        return Record.model_validate({**row.record, "meta": meta})
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        message = f"Row {row.index + 1} is not in the canonical form at {place}."
        raise TokensRefused(
            params={"message": message, "hint": "Import the data set again."}
        ) from error


async def token_lengths(counts: LengthCounts, reading: ReadingDesk, source: Source) -> TokenLengths:
    """The lengths of a version's rows, or how far the count is."""
    num_rows: int = (await reading.rows(source.folder, 0, 1))["total"]
    found = await counts.ask(source, num_rows)
    if isinstance(found, Count):
        return TokenLengths(
            status="counting" if found.failure is None else "failed",
            progress=found.progress,
            objective=source.objective,
            counted_rows=0,
            num_rows=num_rows,
            error=_error(found.failure),
        )
    return statistics(found, source.objective, source.context_length)


def _error(failure: Failure | None) -> TokenError | None:
    if failure is None:
        return None
    return TokenError(code=failure.code, message=failure.message, hint=failure.hint)
