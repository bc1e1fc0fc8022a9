"""API shapes of what a `map` step changes in each row."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from backend.datasets.rows import Scalar

Column = Annotated[str, StringConstraints(min_length=1, max_length=500)]
LongText = Annotated[str, StringConstraints(max_length=20_000)]
Template = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Part = Literal["prompt", "answer", "system", "text", "all"]


class Change(BaseModel):
    """One change of every row that it applies to; the others stay as they are."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class SetSystem(Change):
    """Put this system message in front: where there is none, or everywhere in place of it."""

    kind: Literal["set_system"]
    text: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    when: Literal["missing", "always"] = "missing"


class SystemFromExtra(Change):
    """Take the system message from a column beside the record; the column goes."""

    kind: Literal["system_from_extra"]
    column: Column
    when: Literal["missing", "always"] = "always"


class RemoveSystem(Change):
    """Remove system messages."""

    kind: Literal["remove_system"]


class Replace(Change):
    """Put one text in place of another, wherever it stands in this part of the record.

    `prompt` are turns of the user, `answer` those of the assistant and both answers of a
    preference, `text` the text of records without turns, `all` all of these and turns of tools.
    Expressions are those of RE2; `with` then may name groups as \\1.
    """

    kind: Literal["replace"]
    where: Annotated[Part, Field(alias="in")] = "all"
    find: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    replacement: Annotated[LongText, Field(alias="with")] = ""
    regex: bool = False


class Trim(Change):
    """Remove white space at both ends of every text."""

    kind: Literal["trim"]


class CollapseSpaces(Change):
    """Make one space of several spaces and tabs in every text; lines stay."""

    kind: Literal["collapse_spaces"]


class RenameLabel(Change):
    """Give another name to a label; of several labels in a row, to that one."""

    kind: Literal["rename_label"]
    old: Annotated[Scalar, Field(alias="from")]
    new: Annotated[Scalar, Field(alias="to")]


class LabelFromExtra(Change):
    """Take the label from a column beside the record; the column goes.

    Texts become `classification`, conversations with a verdict true or false become
    `unpaired_preference`.
    """

    kind: Literal["label_from_extra"]
    column: Column


class DropExtra(Change):
    """Remove columns beside the record; all of them when none is named."""

    kind: Literal["drop_extra"]
    columns: Annotated[list[Column], Field(max_length=200)] | None = None


class KeepLastTurns(Change):
    """Keep the last turns of a conversation, beginning with one of the user, and its system
    message."""

    kind: Literal["keep_last_turns"]
    turns: Annotated[int, Field(ge=1, le=10_000)]


class ToText(Change):
    """Make plain text (`language_modeling`) of conversations: turns one after the other.

    With `role_names` each turn begins with who says it. Of a classification the text stays and
    the label goes beside the record.
    """

    kind: Literal["to_text"]
    separator: Annotated[str, StringConstraints(max_length=100)] = "\n\n"
    role_names: bool = False


class ToConversation(Change):
    """Make a question and an answer (`prompt_completion`) of texts and labels.

    Templates may name `{text}`, `{label}` and `{extra.COLUMN}`; all else in them stays as it is.
    """

    kind: Literal["to_conversation"]
    prompt: Template = "{text}"
    answer: Template = "{label}"
    system: LongText | None = None


class ToClassification(Change):
    """Make a text with a label of a question and its answer: the last answer is the label."""

    kind: Literal["to_classification"]


class ToPromptCompletion(Change):
    """Make `prompt_completion` of conversations and judged answers.

    Of a preference the chosen answer stays; of single verdicts only the good answers do, the
    others are dropped.
    """

    kind: Literal["to_prompt_completion"]


class ToConversational(Change):
    """The same, named `conversational`: to put them together with conversations."""

    kind: Literal["to_conversational"]


AnyChange = Annotated[
    SetSystem
    | SystemFromExtra
    | RemoveSystem
    | Replace
    | Trim
    | CollapseSpaces
    | RenameLabel
    | LabelFromExtra
    | DropExtra
    | KeepLastTurns
    | ToText
    | ToConversation
    | ToClassification
    | ToPromptCompletion
    | ToConversational,
    Field(discriminator="kind"),
]
