"""The run spec of a task: absolute paths, hashes, every knob; what the engine gets and no more."""

from pathlib import Path
from typing import Any

from backend.datasets.choice import ChosenRows
from backend.datasets.files import records_file
from backend.errors import FieldError
from backend.models.files import BadReference, ProgramNotAllowed, model_dir
from backend.models.tables import ModelRow
from backend.settings import Settings
from backend.tasks.change_schemas import TaskCreate
from backend.tasks.plans import Plan, TaskRefused
from backend.version import VERSION
from training_engine.contract.spec import DatasetReference, ModelReference, RunSpec

# Added by the runner, which knows job and attempt.
OF_THE_RUNNER = {"kind", "run_id", "attempt", "resume_from"}


def model_folder(settings: Settings, row: ModelRow) -> Path:
    """The folder that a base model is loaded from; raises `TaskRefused` when it has gone."""
    try:
        return model_dir(settings, row)
    except BadReference as gone:
        error = FieldError(pointer="/model_id", code="model_folder_gone", message=gone.detail)
        if isinstance(gone, ProgramNotAllowed):
            error = error.model_copy(update={"code": "model_program_not_allowed"})
        raise TaskRefused(gone.detail, errors=[error]) from gone


def spec_of(body: TaskCreate, plan: Plan, settings: Settings) -> dict[str, Any]:
    """What is stored with the job; the runner adds which attempt of which job it is."""
    folder = model_folder(settings, plan.model)
    spec = RunSpec(
        run_id="",
        name=body.name,
        objective=body.objective,
        method=body.method,
        model=ModelReference(
            name=plan.model.name,
            path=str(folder),
            revision=plan.model.revision,
            trusted_code_sha256=plan.model.trusted_code_sha256,
        ),
        dataset=_dataset(settings, plan.dataset),
        validation_dataset=_dataset(settings, plan.validation) if plan.validation else None,
        hyperparameters=body.hyperparameters,
        distributed=body.distributed,
        output_name=body.output_name,
        chat_template=body.chat_template,
        device=body.device,
        precision=body.precision,
        deterministic=body.deterministic,
        code_version=VERSION,
    )
    return spec.model_dump(mode="json", exclude=OF_THE_RUNNER)


def _dataset(settings: Settings, row: ChosenRows) -> DatasetReference:
    return DatasetReference(
        name=row.name,
        path=str(records_file(settings, row.id, row.version)),
        sha256=row.sha256 or "",
        num_rows=row.num_rows or 0,
        record_type=row.record_type,
        split=row.split,
    )
