"""What the API's description says of `POST /datasets`: its body is read by hand, a form or JSON."""

from typing import Any

from backend.datasets.hubs.request import HubDatasetCreate
from backend.datasets.service import DatasetForm
from backend.datasets.uploading.requests import DatasetOfUploads

_FILE = {"type": "string", "format": "binary"}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "array", "items": _FILE, "title": "File", "description": "One or more"},
        "name": {"type": "string", "maxLength": 200},
        "description": {"type": "string", "default": "", "maxLength": 5000},
        "mapping": {"type": "string", "description": "Mapping as JSON"},
        "options": {"type": "string", "description": "Options of reading as JSON"},
        "max_dropped_rows": {"type": "integer", "minimum": 0, "default": 0},
    },
}


def _schema(shape: type[DatasetForm]) -> dict[str, Any]:
    """Refers to shapes that other routes have put into the description already."""
    schema = shape.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema


CREATION: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": _FORM},
            "application/json": {
                "schema": {"anyOf": [_schema(DatasetOfUploads), _schema(HubDatasetCreate)]}
            },
        },
    }
}
