"""What each kind of job runs, and who is told how it ended. The only list of kinds."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.jobs.tables import JobRow

Apply = Callable[[AsyncSession, JobRow], Awaitable[None]]


@dataclass(frozen=True)
class Kind:
    """How a job of one kind becomes a process, and an end becomes an outcome.

    `module` is run below the run host with the run folder in its environment. `outcome` names the
    `apply(session, job)` of the feature: it is called in the transaction that ends the job, and
    imported only then. `resumes` jobs write checkpoints and take `resume_from` in their spec.
    """

    module: str
    outcome: str
    online: bool = False
    resumes: bool = False
    niceness: int = 5
    # Of the same form as `outcome`: told when a job lives and is silent.
    stalled: str | None = None

    def apply(self) -> Apply:
        """The feature's function, imported."""
        return self.told(self.outcome)

    @staticmethod
    def told(place: str) -> Apply:
        """The function at `module:name`, imported."""
        module, _, name = place.partition(":")
        function: Apply = getattr(import_module(module), name)
        return function


KINDS: Mapping[str, Kind] = {
    "train": Kind(
        "training_engine.train",
        "backend.tasks.outcome:apply",
        resumes=True,
        stalled="backend.tasks.outcome:stalled",
    ),
    "convert_starter": Kind(
        "training_engine.export.convert_starter", "backend.models.outcome:apply"
    ),
    "export": Kind("training_engine.export.export", "backend.tasks.export_outcome:apply"),
    "import_dataset": Kind(
        "backend.datasets.importing.job", "backend.datasets.importing.outcome:apply"
    ),
    "examine_dataset": Kind(
        "backend.datasets.hygiene.job", "backend.datasets.hygiene.outcome:apply", niceness=10
    ),
    "fetch_dataset": Kind(
        "backend.datasets.hubs.job", "backend.datasets.hubs.outcome:apply", online=True
    ),
    "prepare_dataset": Kind(
        "backend.datasets.preparing.job", "backend.datasets.preparing.outcome:apply"
    ),
    "download_model": Kind(
        "backend.models.download_job", "backend.models.outcome:apply", online=True
    ),
}


def spec_of(job: JobRow, resume_from: str | None) -> dict[str, Any]:
    """The content of `spec.json`: what was asked for, and which attempt of which job this is."""
    spec = {**job.spec, "kind": job.kind, "run_id": str(job.id), "attempt": job.attempt}
    return {**spec, "resume_from": resume_from} if resume_from else spec
