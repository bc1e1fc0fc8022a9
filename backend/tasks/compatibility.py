"""Whether data, model, objective and method fit each other; every misfit is a sentence.

Pure: rows in, errors out. The wizard shows the same errors that `create` refuses with.
"""

from collections.abc import Iterator

from backend.datasets.choice import ChosenRows
from backend.datasets.schemas import DatasetStatus
from backend.errors import FieldError
from backend.models.schemas import ModelStatus
from backend.models.tables import ModelRow
from backend.models.view import objectives
from backend.tasks.plan_schemas import Finding, TaskPlan
from training_engine.contract.choices import RECORD_TYPES_OF, Head, Objective, head_of
from training_engine.contract.spec import misfits

DATASET = "/dataset_id"
VALIDATION = "/validation_dataset_id"
MODEL = "/model_id"
FEW_ROWS = 20
# These read texts as they are, or know a plain form of conversations; everything else is written as
# the model's chat template says.
WITHOUT_TEMPLATE = frozenset(
    {Objective.PRETRAIN, Objective.CLASSIFY, Objective.SEQ2SEQ, Objective.REWARD}
)
# What a model has to be for an objective: a sentence each, and its code.
WRONG_HEAD = {
    Head.CAUSAL_LM: (
        "model_continues_no_text",
        "{name} is a {architecture}, and {objective} needs a model that continues text "
        "(its architecture ends in ForCausalLM); choose another model.",
    ),
    Head.SEQ2SEQ_LM: (
        "model_is_no_encoder_decoder",
        "{name} is a {architecture}, and {objective} needs an encoder–decoder such as T5, BART or "
        "Marian; choose another model, or sft for a model that continues text.",
    ),
    Head.SEQUENCE_CLASSIFICATION: (
        "model_scores_no_text",
        "{name} is a {architecture}, and {objective} needs an encoder such as BERT or a model that "
        "continues text; choose another model.",
    ),
}

DATASET_STATES = {
    DatasetStatus.IMPORTING: "The data set {name} is still being imported; wait until it is ready.",
    DatasetStatus.BLOCKED: "More rows of {name} were dropped than it allows; "
    "open it, then correct the file or allow more dropped rows.",
    DatasetStatus.NEEDS_MAPPING: "{name} does not say which column is what; open it and choose.",
    DatasetStatus.FAILED: "{name} could not be read; open it to see why, then upload it again.",
}
MODEL_STATES = {
    ModelStatus.DOWNLOADING: "The model {name} is still being downloaded; wait until it is ready.",
    ModelStatus.CONVERTING: "The model {name} is still being converted; wait until it is ready.",
    ModelStatus.FAILED: "The model {name} could not be prepared; open it to see why.",
}


def _error(pointer: str, code: str, message: str, **params: str | int) -> FieldError:
    return FieldError(
        pointer=pointer, code=code, message=message.format(**params), params=dict(params)
    )


def dataset_errors(
    row: ChosenRows | None, objective: Objective, pointer: str = DATASET
) -> Iterator[FieldError]:
    """What keeps a data set from being trained on."""
    if row is None:
        message = "There is no such data set, or it is not yours; choose another one."
        yield _error(pointer, "dataset_not_found", message)
        return
    if row.missing == "version":
        message = "{name} has no such version (any more); choose another one."
        yield _error(pointer, "dataset_version_not_found", message, name=row.name)
        return
    if row.missing == "split":
        message = "Version {version} of {name} has no split “{split}”; {instead}."
        yield _error(
            pointer,
            "dataset_split_not_found",
            message,
            name=row.name,
            version=row.version,
            split=row.split or "",
            instead=f"choose {' or '.join(row.splits)}" if row.splits else "it is not divided",
        )
        return
    if row.status != DatasetStatus.READY:
        message = DATASET_STATES[DatasetStatus(row.status)]
        yield _error(pointer, f"dataset_{row.status}", message, name=row.name)
        return
    wanted = RECORD_TYPES_OF[objective]
    if row.record_type not in wanted:
        fitting = [o.value for o in Objective if row.record_type in RECORD_TYPES_OF[o]]
        yield _error(
            pointer,
            "record_type_mismatch",
            "{name} holds {record_type} rows, and {objective} needs {wanted}; "
            + ("choose {fitting} or another data set." if fitting else "choose another data set."),
            name=row.name,
            record_type=row.record_type or "unknown",
            objective=objective.value,
            wanted=" or ".join(sorted(wanted)),
            fitting=" or ".join(fitting),
        )
    if not row.num_rows:
        yield _error(pointer, "dataset_empty", "{name} has no rows to learn from.", name=row.name)


def model_errors(row: ModelRow | None, objective: Objective) -> Iterator[FieldError]:
    """What keeps a model from being trained for an objective."""
    if row is None:
        message = "There is no such model; choose another one."
        yield _error(MODEL, "model_not_found", message)
        return
    if row.status != ModelStatus.READY:
        message = MODEL_STATES[ModelStatus(row.status)]
        yield _error(MODEL, f"model_{row.status}", message, name=row.name)
        return
    able = objectives(row)
    architecture = row.architecture or "model of unknown kind"
    if not able:
        yield _error(
            MODEL,
            "model_not_trainable",
            "{name} is a {architecture}, which can not be trained here; choose a model that "
            "continues text (its architecture ends in ForCausalLM), an encoder such as BERT, or "
            "an encoder–decoder such as T5.",
            name=row.name,
            architecture=architecture,
        )
    elif objective not in able:
        code, message = WRONG_HEAD[head_of(objective)]
        yield _error(
            MODEL,
            code,
            message,
            name=row.name,
            architecture=architecture,
            objective=objective.value,
        )
    elif objective not in WITHOUT_TEMPLATE and not row.has_chat_template:
        yield _error(
            MODEL,
            "no_chat_template",
            "{name} has no chat template, so it does not know how a conversation is written; "
            "choose an instruction-tuned model (its name often ends in Instruct or Chat).",
            name=row.name,
        )


def length_errors(row: ModelRow | None, max_length: int) -> Iterator[FieldError]:
    """A sample can not be longer than what the model can read."""
    if row is not None and row.context_length and max_length > row.context_length:
        yield _error(
            "/hyperparameters/max_length",
            "max_length_too_long",
            "{name} reads {context_length} tokens at most; choose a smaller maximum length.",
            name=row.name,
            context_length=row.context_length,
        )


def method_errors(asked: TaskPlan) -> Iterator[FieldError]:
    """Settings that can not go together."""
    for misfit in misfits(asked.objective, asked.method, asked.hyperparameters, asked.distributed):
        sentence = f"{misfit.message[0].upper()}{misfit.message[1:]}."
        yield _error("/" + "/".join(misfit.place), misfit.code, sentence, **misfit.params)


def same_data() -> FieldError:
    """A measurement on what was trained says nothing."""
    message = "This is the data set that is trained on; choose another one to measure on, or none."
    return _error(VALIDATION, "validation_is_training", message)


def remarks(row: ChosenRows | None) -> Iterator[Finding]:
    """What is worth knowing but keeps nobody from training."""
    if row is not None and row.status == DatasetStatus.READY and 0 < (row.num_rows or 0) < FEW_ROWS:
        message = f"{row.name} has {row.num_rows} rows; the model will hardly learn from so few."
        params: dict[str, str | int | float | bool | None] = {
            "name": row.name,
            "num_rows": row.num_rows,
        }
        yield Finding(code="few_rows", message=message, params=params)
