"""HTTP of exports: a version as a file that other programs read."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from backend.datasets.content_routes import Asked, Download
from backend.datasets.exporting import desk

router = APIRouter(prefix="/datasets", tags=["datasets"])

Format = Literal["openai", "sharegpt", "alpaca", "csv", "parquet", "jsonl"]


@router.get("/{dataset_id}/export", response_class=Download)
async def export_dataset(
    request: Request,
    asked: Asked,
    format: Annotated[Format, Query(description="`jsonl` has everything, as it is stored")],
    split: Annotated[str | None, Query(max_length=64)] = None,
) -> desk.ExportedFile:
    """The rows of a version, or of one of its parts, in a form that is usual elsewhere.

    What the form has no place for is refused before anything is sent, never left out. Only
    `jsonl` and `parquet` have what the upload had beside the records.
    """
    return await desk.export(asked, format, split)
