"""API shapes of preparing: the steps that make a version out of others.

Every random step has its seed: the same steps on the same versions make the same version, byte
for byte.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from backend.datasets.change_schemas import AnyChange
from backend.datasets.schemas import Description, Name

MAX_STEPS = 20
MAX_SOURCES = 20
MAX_PATTERN = 1000
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Fraction = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
SplitName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
# A value from outside is kept as it is: 1 is not true, and "1" is not 1.
Value = Annotated[
    Annotated[str, Field(strict=True, max_length=20_000)]
    | Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)],
    Field(union_mode="left_to_right"),
]
FieldName = Annotated[
    str,
    StringConstraints(
        pattern=r"^(text|prompt|answer|system|label|turns|characters|line|split|extra\.[\s\S]{1,500})$"
    ),
]
Finding = Literal[
    "exact_duplicates",
    "near_duplicates",
    "email",
    "phone",
    "id_number",
    "payment_card",
    "iban",
    "secret",
    "empty_answer",
    "short_answer",
    "label_with_one_row",
    "label_conflict",
]
WANTS_TEXT = frozenset({"contains", "not_contains", "matches"})
WANTS_NOTHING = frozenset({"missing", "present"})


class Shape(BaseModel):
    """What comes from outside has no unknown fields."""

    model_config = ConfigDict(extra="forbid")


class Condition(Shape):
    """What a row must have. A field may have several values, a condition holds when it holds for
    one of them; those with `not_` hold when the opposite does not.

    `text` are all texts of the record, turn by turn; `prompt` turns of the user, `answer` those of
    the assistant (of a preference: the chosen one), `system` system messages; `turns` and
    `characters` count; `line` is the line of the upload, `extra.NAME` a column beside the record.
    `matches` takes an expression of RE2, found anywhere in the value. `at_least` and `at_most`
    compare numbers with a number and texts (dates, for example) with a text.
    """

    field: FieldName
    op: Literal[
        "contains",
        "not_contains",
        "equals",
        "not_equals",
        "matches",
        "at_least",
        "at_most",
        "missing",
        "present",
        "one_of",
    ]
    value: Value | Annotated[list[Value], Field(min_length=1, max_length=1000)] | None = None
    ignore_case: bool = Field(False, description="For `contains`, `not_contains` and `matches`")

    @model_validator(mode="after")
    def _value_fits(self) -> "Condition":
        if self.op in WANTS_NOTHING:
            if self.value is not None:
                raise ValueError(f"“{self.op}” takes no value")
        elif self.op == "one_of":
            if not isinstance(self.value, list):
                raise ValueError("“one_of” takes a list of values")
        elif self.value is None or isinstance(self.value, list):
            raise ValueError(f"“{self.op}” takes one value")
        elif self.op in WANTS_TEXT and not (isinstance(self.value, str) and self.value):
            raise ValueError(f"“{self.op}” takes a text")
        elif self.op in {"at_least", "at_most"} and isinstance(self.value, bool):
            raise ValueError(f"“{self.op}” takes a number or a text")
        elif self.op == "matches" and len(str(self.value)) > MAX_PATTERN:
            raise ValueError(f"an expression has at most {MAX_PATTERN} characters")
        return self


class FilterStep(Shape):
    """Keep the rows for which the conditions hold, or (`keep` false) the others."""

    kind: Literal["filter"]
    conditions: Annotated[list[Condition], Field(min_length=1, max_length=50)]
    match: Literal["all", "any"] = "all"
    keep: bool = True


class MapStep(Shape):
    """Change rows. A row that can not be used afterwards is dropped and reported."""

    kind: Literal["map"]
    changes: Annotated[list[AnyChange], Field(min_length=1, max_length=50)]


class ExcludeStep(Shape):
    """Leave out rows of the version that is prepared: those with a finding, those named.

    Of duplicates the first one stays. `rows` are numbers of rows in that version, from 0.
    """

    kind: Literal["exclude"]
    findings: Annotated[list[Finding], Field(max_length=50)] = []
    rows: Annotated[list[Annotated[int, Field(ge=0, le=2**62)]], Field(max_length=10_000)] = []

    @model_validator(mode="after")
    def _says_something(self) -> "ExcludeStep":
        if not self.findings and not self.rows:
            raise ValueError("name findings or rows to leave out")
        return self


class SampleStep(Shape):
    """Keep so many rows by chance, in their order; all of them when there are fewer."""

    kind: Literal["sample"]
    rows: Annotated[int, Field(ge=1, le=2**40)] | None = None
    fraction: Fraction | None = None
    seed: Seed = 0

    @model_validator(mode="after")
    def _says_how_many(self) -> "SampleStep":
        if (self.rows is None) == (self.fraction is None):
            raise ValueError("give either a number of rows or a fraction")
        return self


class ShuffleStep(Shape):
    """Put the rows in an order by chance."""

    kind: Literal["shuffle"]
    seed: Seed = 0


class Source(Shape):
    """Another data set (or this one again); without a version its current one, which is then
    recorded."""

    dataset_id: UUID
    version: Version | None = None


class WeightedSource(Source):
    """A source of a mixture."""

    weight: Weight


class ConcatenateStep(Shape):
    """Put the rows of others behind these. All have records of the same type."""

    kind: Literal["concatenate"]
    sources: Annotated[list[Source], Field(min_length=1, max_length=MAX_SOURCES)]


class MixStep(Shape):
    """Mix rows of several data sets by weight; `weight` is that of the rows so far.

    The mixture has `rows` rows, shared out exactly by the weights (the largest remainders get the
    rows that are left), or as many as there can be until one of the sources is used up, whichever
    is less. With `repeat` sources that are used up begin again: the mixture has `rows` rows, or as
    many as it takes until each row of every source is in it. Which rows are taken, and their
    order, is by chance.
    """

    kind: Literal["mix"]
    sources: Annotated[list[WeightedSource], Field(min_length=1, max_length=MAX_SOURCES)]
    weight: Weight
    rows: Annotated[int, Field(ge=1, le=2**40)] | None = None
    repeat: bool = False
    seed: Seed = 0


class SplitStep(Shape):
    """Divide the rows into parts; all rows stay, each knows its part.

    `fractions` add up to 1 at most; what is left belongs to `rest`. Shares are exact, by the
    largest remainder, as far as rows that belong together allow it. `stratified` keeps the shares
    in each class of `field` (`label` or `extra.NAME`), `group` never divides rows with the same
    `extra.NAME`, `time` gives the earliest rows (`extra.NAME`: numbers or ISO dates) to the first
    part of `order` and the latest to the last. Rows that say the same stay together unless
    `keep_duplicates_together` is off.
    """

    kind: Literal["split"]
    by: Literal["random", "stratified", "group", "time"] = "random"
    fractions: Annotated[dict[SplitName, Fraction], Field(min_length=1, max_length=20)]
    rest: SplitName = "train"
    order: list[SplitName] | None = Field(
        None, description="Of all parts; default: `rest`, then the others as they are given"
    )
    field: FieldName | None = None
    seed: Seed = 0
    keep_duplicates_together: bool = True

    @model_validator(mode="after")
    def _adds_up(self) -> "SplitStep":
        if sum(self.fractions.values()) > 1 + 1e-9:
            raise ValueError("the fractions add up to more than 1")
        field = self.field or ""
        if self.by == "random" and self.field is not None:
            raise ValueError("a random split takes no field")
        if self.by == "stratified" and field != "label" and not field.startswith("extra."):
            raise ValueError("name “label” or “extra.COLUMN” to keep the shares of")
        if self.by in {"group", "time"} and not field.startswith("extra."):
            raise ValueError(f"name the column to divide by: “extra.COLUMN” ({self.by})")
        return self

    @model_validator(mode="after")
    def _has_an_order(self) -> "SplitStep":
        # Said explicitly, because what is stored keeps no order of names.
        parts = list(dict.fromkeys([self.rest, *self.fractions]))
        if self.order is None:
            self.order = parts
        if sorted(self.order) != sorted(parts):
            raise ValueError("the order must name every part once, “rest” too")
        return self


Step = Annotated[
    FilterStep
    | MapStep
    | ExcludeStep
    | SampleStep
    | ShuffleStep
    | ConcatenateStep
    | MixStep
    | SplitStep,
    Field(discriminator="kind"),
]
Steps = Annotated[list[Step], Field(min_length=1, max_length=MAX_STEPS)]


class PreviewRequest(Shape):
    """Steps to try out on a version; without one on the current one."""

    version: Version | None = None
    steps: Steps


class PrepareRequest(PreviewRequest):
    """Make a version by these steps: of this data set, or with `name` the first of a new one."""

    name: Name | None = None
    description: Description | None = Field(None, description="Of the new data set")

    @model_validator(mode="after")
    def _describes_a_new_one(self) -> "PrepareRequest":
        if self.description is not None and self.name is None:
            raise ValueError("only a new data set, which has a name, can be described")
        return self
