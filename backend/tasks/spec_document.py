"""A task written down so that it can be run again: as `easytune train` reads it, or exactly.

YAML names data and model the way a person has them; JSON is what the engine was given.
"""

from pathlib import Path
from typing import Any

import orjson
import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets.tables import DatasetRow
from backend.jobs.tables import JobRow
from backend.models.schemas import ModelSource
from backend.models.starters import STARTER
from backend.models.tables import ModelRow
from backend.tasks.queries import Found
from training_engine.contract.choices import Precision
from training_engine.contract.hyperparameters import Hyperparameters

CODE = "trusted_code_sha256"
HEAD = """\
{name}: a run of EasyTune.
Put the data file beside this one, then: easytune train FILE.yaml
Data: {rows} rows, sha256 of the canonical records {sha256}
Model: {model}{revision}; code {code}"""


async def of_task(session: AsyncSession, found: Found) -> tuple[str, dict[str, Any]]:
    """A comment and the values of a run file."""
    row, spec = found.row, found.job.spec
    dataset = await session.get(DatasetRow, row.dataset_id)
    validation = (
        await session.get(DatasetRow, row.validation_dataset_id)
        if row.validation_dataset_id
        else None
    )
    model = await session.get(ModelRow, row.model_id)
    values: dict[str, Any] = {
        "name": row.name,
        "model": _model(model, row.model_name),
        **({"trusted_code_sha256": code} if (code := spec["model"].get(CODE)) else {}),
        "dataset": _data(dataset, row.dataset_name),
    }
    if row.validation_dataset_id is not None:
        values["validation"] = _data(validation, row.validation_dataset_name or "validation")
    values |= {
        "objective": row.objective,
        "method": row.method,
        "hyperparameters": Hyperparameters.model_validate(row.hyperparameters).model_dump(
            mode="json"
        ),
        **_several_processes(spec),
        "output_name": row.output_name,
        "device": row.device,
        **_unusual(spec),
    }
    head = HEAD.format(
        name=row.name,
        rows=spec["dataset"]["num_rows"],
        sha256=spec["dataset"]["sha256"],
        model=spec["model"]["name"],
        revision=f" at {revision}" if (revision := spec["model"].get("revision")) else "",
        code=spec.get("code_version") or "unknown",
    )
    return head, values


def _unusual(spec: dict[str, Any]) -> dict[str, Any]:
    """How it computes and writes conversations, where that is not as everybody expects."""
    usual = {"precision": Precision.AUTO, "deterministic": False, "chat_template": None}
    return {name: spec[name] for name, value in usual.items() if spec.get(name, value) != value}


def _several_processes(spec: dict[str, Any]) -> dict[str, Any]:
    """Only where there are several: one process is what everybody expects."""
    distributed = spec.get("distributed") or {}
    return {"distributed": distributed} if distributed.get("processes", 1) > 1 else {}


def as_given(job: JobRow) -> dict[str, Any]:
    """The spec as the engine of the present attempt gets it, without what resuming adds."""
    return {**job.spec, "kind": job.kind, "run_id": str(job.id), "attempt": job.attempt}


def as_json(job: JobRow, *, paths: bool) -> bytes:
    """The exact spec, to be run by hand; without `paths` the places on this host are left out."""
    spec = as_given(job)
    if not paths:
        for name in ("model", "dataset", "validation_dataset"):
            if spec.get(name):
                spec[name] = {**spec[name], "path": Path(spec[name]["path"]).name}
    return orjson.dumps(spec, option=orjson.OPT_INDENT_2)


def as_yaml(document: tuple[str, dict[str, Any]]) -> str:
    """A run file: the comment above, the values below."""
    head, values = document
    comment = "".join(f"# {line}\n" for line in head.splitlines())
    return comment + yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)


def _model(model: ModelRow | None, name: str) -> str:
    """How a run file on this machine names the model; elsewhere a folder is put in by hand."""
    if model is None:
        return name
    if model.source == ModelSource.STARTER:
        return model.reference or STARTER
    return name if model.source == ModelSource.REMOTE else model.reference


def _data(dataset: DatasetRow | None, name: str) -> dict[str, Any]:
    if dataset is None:
        return {"path": f"{name}.jsonl"}
    found: dict[str, Any] = {"path": dataset.filename or f"{name}.jsonl"}
    if dataset.mapping is not None:
        found["mapping"] = dataset.mapping
    if dataset.max_dropped_rows:
        found["max_dropped_rows"] = dataset.max_dropped_rows
    return found
