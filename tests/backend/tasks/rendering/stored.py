"""Data sets of given records, and models with given templates, as their rooms leave them."""

from pathlib import Path
from typing import Any
from uuid import UUID

from backend.database import SessionFactory, transaction
from backend.datasets.files import version_dir
from backend.datasets.tables import DatasetRow
from backend.datasets.versions.records import RecordWriter
from backend.ids import new_id
from backend.models.tables import ModelRow
from backend.settings import Settings
from backend.tasks.run_spec import model_folder
from tests.tiny_model import CHATML, build_tiny_model


def write_version(folder: Path, records: list[dict[str, Any]]) -> str:
    """A version's files; returns the hash of its rows."""
    folder.mkdir(parents=True)
    writer = RecordWriter(folder)
    for number, record in enumerate(records):
        writer.append({"meta": {"line": number + 1}, **record})
    return writer.close()


async def keep(
    sessions: SessionFactory,
    settings: Settings,
    owner_id: UUID,
    records: list[dict[str, Any]],
    record_type: str = "conversational",
    **columns: Any,
) -> DatasetRow:
    """A ready data set of these records."""
    dataset_id = new_id()
    digest = write_version(version_dir(settings, dataset_id, 1), records)
    values: dict[str, Any] = {
        "name": "rows",
        "description": "",
        "filename": "rows.jsonl",
        "size_bytes": 1000,
        "upload_sha256": "0" * 64,
        "status": "ready",
        "format": "openai_messages",
        "record_type": record_type,
        "num_rows": len(records),
        "sha256": digest,
        "counts": {"kept": len(records), "repaired": 0, "truncated": 0, "dropped": 0},
    }
    async with transaction(sessions) as session:
        row = DatasetRow(id=dataset_id, owner_id=owner_id, **{**values, **columns})
        session.add(row)
    return row


async def make_model(
    sessions: SessionFactory,
    settings: Settings,
    template: str = CHATML,
    build: Any = build_tiny_model,
    **columns: Any,
) -> tuple[ModelRow, Path]:
    """A ready model with this template, and its folder."""
    values: dict[str, Any] = {
        "name": "tiny",
        "source": "huggingface",
        "reference": f"tests/tiny-{new_id().hex[-6:]}",
        "status": "ready",
        "architecture": "LlamaForCausalLM",
        "context_length": 2048,
        "has_chat_template": True,
    }
    async with transaction(sessions) as session:
        row = ModelRow(id=new_id(), **{**values, **columns})
        session.add(row)
    folder = model_folder(settings, row)
    build(folder)
    (folder / "chat_template.jinja").write_text(template, "utf-8")
    return row, folder


def chat(*contents: str, system: str | None = None, **more: Any) -> dict[str, Any]:
    """A record of user and assistant in turn."""
    roles = ["user", "assistant"]
    start = [{"role": "system", "content": system}] if system is not None else []
    turns = [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)]
    return {"messages": [*start, *turns], **more}
