"""Where a data set lies on disk: `datasets_dir / id / upload` and one folder per version.

An upload of several files is `datasets_dir / id / uploads / N`, numbered as they came.
"""

import shutil
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from backend.datasets.tables import DatasetRow
from backend.datasets.versions.names import FORMER_RECORDS_FILE, RECORDS_FILE
from backend.settings import Settings

UPLOAD_FILE = "upload"
UPLOADS_FOLDER = "uploads"


def dataset_dir(settings: Settings, dataset_id: UUID) -> Path:
    """Everything that belongs to one data set."""
    return settings.datasets_dir / str(dataset_id)


def upload_file(settings: Settings, dataset_id: UUID) -> Path:
    """The file as it came; its name on disk says nothing about its content."""
    return dataset_dir(settings, dataset_id) / UPLOAD_FILE


def stored_files(settings: Settings, row: DatasetRow) -> list[tuple[Path, str]]:
    """Each file of the upload, and how its owner names it."""
    if not row.files:
        return [(upload_file(settings, row.id), row.filename or UPLOAD_FILE)]
    folder = dataset_dir(settings, row.id) / UPLOADS_FOLDER
    return [(folder / str(number), file["filename"]) for number, file in enumerate(row.files)]


def staging_dir(settings: Settings, dataset_id: UUID) -> Path:
    """Where an import writes, one folder per attempt, until it is whole."""
    return dataset_dir(settings, dataset_id) / "staging"


def version_dir(settings: Settings, dataset_id: UUID, version: int) -> Path:
    """The files of one version; they never change."""
    return dataset_dir(settings, dataset_id) / f"v{version}"


def records_file(settings: Settings, dataset_id: UUID, version: int) -> Path:
    """Canonical records of one version: what an engine reads."""
    folder = version_dir(settings, dataset_id, version)
    before = folder / FORMER_RECORDS_FILE
    return before if before.exists() else folder / RECORDS_FILE


def clear(staging: Path) -> None:
    """Remove what imports left that did not become a version."""
    with suppress(FileNotFoundError):
        shutil.rmtree(staging)
