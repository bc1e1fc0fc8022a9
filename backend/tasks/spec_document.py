"""A task written down so that it can be run again: as `easytune train` reads it, or exactly.

YAML names data and model the way a person has them; JSON is what the engine was given.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets.exporting.file_names import exported_name
from backend.datasets.tables import DatasetRow, DatasetVersionRow
from backend.jobs.tables import JobRow
from backend.models.schemas import ModelSource
from backend.models.starters import STARTER
from backend.models.tables import ModelRow
from backend.tasks.queries import Found
from training_engine.contract.choices import Precision
from training_engine.contract.hyperparameters import Hyperparameters

# Id of the data set, version (None for the first tasks), and what it was called.
Wanted = tuple[UUID, int | None, str]
CODE = "trusted_code_sha256"
HEAD = """\
{name}: a run of EasyTune.
Put the data beside this file, then: easytune train FILE.yaml
{files}
Data: {rows} rows, sha256 of the canonical records {sha256}
Model: {model}{revision}; code {code}"""


async def of_task(session: AsyncSession, found: Found) -> tuple[str, dict[str, Any]]:
    """A comment and the values of a run file."""
    row, spec = found.row, found.job.spec
    wanted = (row.dataset_id, row.dataset_version, row.dataset_name)
    data, source = await _data(session, wanted, spec["dataset"])
    sources = [f"{data['path']}: {source}"]
    model = await session.get(ModelRow, row.model_id)
    values: dict[str, Any] = {
        "name": row.name,
        "model": _model(model, row.model_name),
        **({"trusted_code_sha256": code} if (code := spec["model"].get(CODE)) else {}),
        "dataset": data,
    }
    if row.validation_dataset_id is not None and spec.get("validation_dataset"):
        name = row.validation_dataset_name or "validation"
        wanted = (row.validation_dataset_id, row.validation_version, name)
        data, source = await _data(session, wanted, spec["validation_dataset"])
        values["validation"] = data
        sources.append(f"{data['path']}: {source}")
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
        files="\n".join(sources),
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


async def _data(
    session: AsyncSession, wanted: Wanted, given: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    """How a run file names rows, and where the file is to be had; `given` is what the engine got.

    Rows as an import left them are named by the upload, all others by the export of their version.
    """
    dataset_id, version, name = wanted
    dataset = await session.get(DatasetRow, dataset_id)
    found = {"version": version, "sha256": given["sha256"] or None}
    found = {key: value for key, value in found.items() if value is not None}
    made = await session.get(DatasetVersionRow, (dataset_id, version)) if version else None
    is_there = dataset is not None and version in (None, dataset.version)
    facts = made or (dataset if is_there else None)
    if dataset is not None and facts is not None and _as_uploaded(dataset, made, given):
        mapping, dropped = facts.mapping, facts.max_dropped_rows
        found = {
            "path": dataset.filename,
            **({"mapping": mapping} if mapping is not None else {}),
            **({"max_dropped_rows": dropped} if dropped else {}),
            **found,
        }
        return found, "the file as it was uploaded"
    split, number = given.get("split"), version or 1
    path = exported_name(dataset.name if dataset else name, number, split)
    parts = {"split": split} if split else {}
    query = urlencode({"version": number, **parts, "format": "jsonl"})
    call = f"GET /api/v1/datasets/{dataset_id}/export?{query}"
    if facts is None:
        call = "no longer on the platform; an export that was kept"
    return {"path": path, **parts, "record_type": given["record_type"], **found}, call


def _as_uploaded(
    dataset: DatasetRow, made: DatasetVersionRow | None, given: dict[str, Any]
) -> bool:
    """Whether a plain import of the one file that was uploaded makes these rows."""
    several = bool(dataset.files or dataset.entry or dataset.source)
    worked_on = made is not None and bool(made.steps or made.options)
    options = made is None and bool(dataset.options)
    return bool(dataset.filename) and not (several or worked_on or options or given.get("split"))
