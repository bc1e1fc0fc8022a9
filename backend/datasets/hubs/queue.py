"""Puts the fetching of a data set into the queue, with all that it depends on."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets import files, queries
from backend.datasets.hubs.schemas import HubSource
from backend.datasets.tables import DatasetRow
from backend.datasets.uploading.quarantine import MB, RESERVE_BYTES
from backend.errors import FieldError, Refused
from backend.hubs.ids import clean_id
from backend.hubs.repository import is_revision
from backend.jobs import service as jobs
from backend.jobs.schemas import Slot
from backend.settings import Settings


class DatasetHubOffline(Refused):
    """This installation works without a network; upload a file instead."""


class BadRevision(Refused):
    """“{revision}” is not the name of a branch, a tag or a commit."""


class NotFromHub(Refused):
    """This data set was not fetched from a hub, so it has no other subset, split or revision."""


@dataclass(frozen=True)
class HubChoice:
    """Which data set of which hub; None where a single one is to be taken."""

    kind: HubSource
    reference: str
    subset: str | None = None
    split: str | None = None
    revision: str | None = None

    @property
    def source(self) -> dict[str, Any]:
        """As the database keeps it before anything is fetched."""
        return {
            "kind": self.kind.value,
            "reference": self.reference,
            "subset": self.subset or None,
            "split": self.split or None,
            "revision": self.revision or None,
            "commit": None,
            "files": [],
        }


def required(settings: Settings, choice: HubChoice) -> HubChoice:
    """The choice with its id in order; raises `BadHubId`, `BadRevision`, `DatasetHubOffline`."""
    reference = clean_id(choice.reference)
    if choice.revision and not is_revision(choice.revision):
        error = FieldError(pointer="/revision", code="bad_revision", message=BadRevision.sentence())
        raise BadRevision(params={"revision": choice.revision}, errors=[error])
    if settings.offline:
        raise DatasetHubOffline
    return replace(choice, reference=reference)


def chosen_again(settings: Settings, row: DatasetRow, changes: dict[str, Any]) -> None:
    """Another subset, split or revision of the same data set; nothing of it is fetched yet."""
    if row.source is None:
        raise NotFromHub
    asked = {name: row.source.get(name) for name in ("subset", "split", "revision")} | changes
    choice = HubChoice(HubSource(row.source["kind"]), row.source["reference"], **asked)
    row.source = required(settings, choice).source


def fetched_dir(settings: Settings, dataset_id: UUID) -> Path:
    """Where files of a hub arrive, in one folder per commit; a second try goes on there."""
    return files.dataset_dir(settings, dataset_id) / "fetched"


def endpoint_of(settings: Settings, kind: str) -> str:
    """The address of a hub."""
    modelscope = kind == HubSource.MODELSCOPE
    return (settings.ms_endpoint if modelscope else settings.hf_endpoint).rstrip("/")


def fetch_spec(settings: Settings, row: DatasetRow, import_spec: dict[str, Any]) -> dict[str, Any]:
    """What to fetch, from where, and how to import it."""
    assert row.source is not None
    asked = {name: row.source.get(name) for name in ("reference", "subset", "split", "revision")}
    kept = {name: value for name, value in import_spec.items() if name not in {"files", "upload"}}
    return {
        **kept,
        **asked,
        "source": row.source["kind"],
        "endpoint": endpoint_of(settings, row.source["kind"]),
        "fetched": str(fetched_dir(settings, row.id)),
        "max_bytes": settings.max_upload_mb * MB,
        "reserve_bytes": RESERVE_BYTES,
    }


async def enqueue(
    session: AsyncSession, settings: Settings, row: DatasetRow, import_spec: dict[str, Any]
) -> None:
    """Fetch and import when a slot is free."""
    await jobs.enqueue(
        session,
        kind=queries.FETCH,
        spec=fetch_spec(settings, row, import_spec),
        slot=Slot.LIGHT,
        owner_id=row.owner_id,
        subject_id=row.id,
    )
