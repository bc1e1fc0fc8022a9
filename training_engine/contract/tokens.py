"""What the worker says of tokens: records as the trainer sees them, and how long they are.

`POST /render_tokens` answers a `RenderedRecords`, `POST /token_lengths` `{"lengths": [...]}`.
`POST /count_lengths` answers `application/x-ndjson`: `Counting` now and then, then one `Counted` or
one `Failure`. None of them loads a model: tokenizers are enough.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from training_engine.contract.choices import LabelKind, Objective
from training_engine.contract.records import Record
from training_engine.contract.serving import Failure

RENDER_PATH = "/render_tokens"
COUNT_PATH = "/count_lengths"
Length = Annotated[int, Field(ge=16, le=1_048_576)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, protected_namespaces=())


class RenderTokensRequest(_Request):
    """Show records as the trainer sees them.

    `objective`: whose recipe reads them; without one each record is read as its shape suggests.
    The knobs are those that decide what is learnt of a row. Of each record at most `max_shown`
    tokens are listed; all are counted.
    """

    model_path: str
    trusted_code_sha256: str | None = None
    records: Annotated[list[Record], Field(min_length=1, max_length=200)]
    objective: Objective | None = None
    max_length: Length = 1_048_576
    max_target_length: Annotated[int, Field(ge=2, le=1_048_576)] = 1_048_576
    label_kind: LabelKind = LabelKind.AUTO
    chat_template: str | None = None
    max_shown: Annotated[int, Field(ge=1)] = 1_000_000


class TokenLengthsRequest(_Request):
    """Count tokens of records (as templated) or of plain texts; exactly one of them."""

    model_path: str
    records: list[Record] | None = None
    texts: list[str] | None = None
    chat_template: str | None = None


class CountLengthsRequest(_Request):
    """Count the tokens of the records in a file, as the recipe of `objective` reads them.

    Of `num_rows` records `most_rows` are counted, evenly spread, or all where they are no more.
    """

    model_path: str
    trusted_code_sha256: str | None = None
    dataset_path: str
    objective: Objective
    num_rows: Annotated[int, Field(ge=0)]
    most_rows: Annotated[int, Field(ge=1)]
    chat_template: str | None = None


class RenderedToken(BaseModel):
    """One token: characters split over several tokens stand at the last of them.

    `trained`: the loss asks the model to predict it.
    """

    id: int
    text: str
    trained: bool
    terminator: bool


Part = Literal["text", "chosen", "rejected", "source", "target"]


class RenderedSample(BaseModel):
    """What is laid before the model at once, cut to the longest length.

    `cut`: the tokens that the longest length took away; they stood before token `cut_at`. Of both
    lists the first ones stand here when there are many; `num_tokens`, `num_trained` and `num_cut`
    count all.
    """

    part: Part = "text"
    tokens: list[RenderedToken]
    num_tokens: int
    num_trained: int
    truncated: bool
    cut: list[RenderedToken] = []
    cut_at: int = 0
    num_cut: int = 0


class RenderedRecord(BaseModel):
    """What a record becomes, or why it can not be trained on.

    One sample; two for pairs of answers and for what an encoder reads and a decoder writes; several
    where the template rewrites earlier turns, or where a long text goes on in the next sample.
    `num_samples` counts those that are not listed, too.
    """

    samples: list[RenderedSample]
    num_samples: int
    error: Failure | None


class RenderedRecords(BaseModel):
    """The records in the order asked; `reads_whole`: nothing is predicted, texts are judged."""

    records: list[RenderedRecord]
    reads_whole: bool = False


class Counting(BaseModel):
    """So many of the records to count are counted."""

    type: Literal["counting"] = "counting"
    counted: int
    of: int


class Counted(BaseModel):
    """All are counted: tokens of a record's longest text → records, before anything is cut.

    `refused`: records that can not be trained on; they have no length. `reasons`: the commonest.
    """

    type: Literal["counted"] = "counted"
    lengths: dict[int, int]
    refused: int
    reasons: dict[str, int]


CountLine = Counting | Counted | Failure
_count_line: TypeAdapter[CountLine] = TypeAdapter(
    Annotated[Counting | Counted | Failure, Field(discriminator="type")]
)


def parse_count_line(line: bytes | str) -> CountLine:
    """One line of a count; raises `pydantic.ValidationError` for anything unknown."""
    return _count_line.validate_json(line)
