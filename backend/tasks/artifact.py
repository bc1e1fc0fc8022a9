"""The downloadable record of a run: the model, what it was made from, and how it went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from backend.errors import Conflict, NotFound
from backend.jobs.run_folder import RunFolder
from backend.tasks.archive import Member, regular_files
from backend.tasks.artifact_readme import readme
from backend.tasks.log_download import text_of
from backend.tasks.metrics import series_of
from backend.tasks.schemas import Task

ALL_POINTS = 1_000_000
ADAPTER_FILE = "adapter_config.json"


class NoArtifact(Conflict):
    """This task has produced no model yet; it has one when it is COMPLETED."""


class ArtifactGone(NotFound):
    """The files of this model are no longer in the data folder; run the task again."""


@dataclass(frozen=True)
class Artifact:
    """What a download consists of; `name` is the folder inside and the file's name."""

    name: str
    members: list[Member]
    at: datetime


def gather(
    task: Task, folders: Sequence[RunFolder], completed: int | None, config: str
) -> Artifact:
    """Everything about the attempt `completed` of a task; blocks on files.

    `config` is the run as YAML. Raises `NoArtifact`, or `ArtifactGone` when files are missing.
    """
    if completed is None:
        raise NoArtifact
    past = [folder for folder in folders if folder.attempt <= completed]
    output = past[-1].output_dir if past and past[-1].attempt == completed else None
    files = regular_files(output) if output is not None and output.is_dir() else []
    if not files:
        raise ArtifactGone
    name = task.output_name
    length, log = text_of(past)
    adapter = any(file == ADAPTER_FILE for file, _, _ in files)
    members = [
        Member.of_bytes(f"{name}/README.md", readme(task, adapter=adapter).encode()),
        Member.of_bytes(f"{name}/config.yaml", config.encode()),
        Member.of_bytes(f"{name}/metrics.json", _metrics(task, past, completed)),
        Member(f"{name}/logs.txt", length, lambda: log),
        *(Member.of_file(f"{name}/artifacts/{file}", path, size) for file, path, size in files),
    ]
    return Artifact(name, members, task.finished_at or datetime.now(UTC))


def _metrics(task: Task, past: Sequence[RunFolder], completed: int) -> bytes:
    found = series_of(past, ALL_POINTS)
    content = {
        "task": str(task.id),
        "attempt": completed,
        "last": task.metrics if task.attempt == completed else {},
        "series": {
            name: [{"step": p.step, "value": p.value, "at": p.at} for p in points]
            for name, points in found.series.items()
        },
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)
