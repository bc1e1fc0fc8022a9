"""Data sets and models as their rooms leave them: rows and files, ready to be trained."""

from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets.files import version_dir
from backend.datasets.tables import DatasetRow
from backend.datasets.versions.records import RecordWriter
from backend.ids import new_id
from backend.models.tables import ModelRow
from backend.settings import Settings
from backend.tasks.run_spec import model_folder
from tests.tiny_model import build_tiny_model


def write_records(folder: Path, count: int, answer: str = "Yes, we do.") -> str:
    """Canonical chat records; returns the hash."""
    folder.mkdir(parents=True)
    writer = RecordWriter(folder)
    for number in range(count):
        turns = [
            {"role": "user", "content": f"Do you sell {number} lamps?"},
            {"role": "assistant", "content": answer},
        ]
        writer.append({"messages": turns, "meta": {"line": number + 1}})
    return writer.close()


async def add_dataset(
    session: AsyncSession,
    settings: Settings,
    owner_id: UUID,
    *,
    rows: int = 40,
    answer: str = "Yes, we do.",
    **columns: Any,
) -> DatasetRow:
    """A ready data set of short conversations."""
    dataset_id = new_id()
    digest = write_records(version_dir(settings, dataset_id, 1), rows, answer)
    values = {
        "name": "lamps",
        "description": "",
        "filename": "lamps.jsonl",
        "size_bytes": 1000,
        "upload_sha256": "0" * 64,
        "status": "ready",
        "format": "openai_messages",
        "record_type": "conversational",
        "num_rows": rows,
        "sha256": digest,
        "counts": {"kept": rows, "repaired": 0, "truncated": 0, "dropped": 0},
    }
    row = DatasetRow(id=dataset_id, owner_id=owner_id, **{**values, **columns})
    session.add(row)
    await session.flush()
    return row


async def add_model(session: AsyncSession, settings: Settings, **columns: Any) -> ModelRow:
    """A ready tiny model with a chat template."""
    values = {
        "name": "tiny",
        "source": "huggingface",
        "reference": f"tests/tiny-{new_id().hex[-6:]}",
        "status": "ready",
        "architecture": "LlamaForCausalLM",
        "num_parameters": 100_000,
        "context_length": 2048,
        "size_bytes": 400_000,
        "has_chat_template": True,
    }
    row = ModelRow(id=new_id(), **{**values, **columns})
    session.add(row)
    await session.flush()
    build_tiny_model(model_folder(settings, row))
    return row
