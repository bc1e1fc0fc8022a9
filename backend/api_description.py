"""The OpenAPI document, with what FastAPI can not know: errors are problem documents, streams are
streams of events, downloads are bytes.
"""

from typing import Any

from fastapi import FastAPI

from backend.errors import PROBLEM_MEDIA_TYPE

EVENTS = "text/event-stream"
BYTES = ("application/zip", "application/octet-stream")


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the corrected document."""
    given = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _correct(given())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _correct(document: dict[str, Any]) -> None:
    """In place."""
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                content: dict[str, Any] = response.get("content", {})
                if status == "default" and content:
                    response["content"] = {PROBLEM_MEDIA_TYPE: next(iter(content.values()))}
                if EVENTS in content and status != "default":
                    content[EVENTS] = _events(content[EVENTS]["schema"])
                for media_type in BYTES:
                    if media_type in content and status != "default":
                        content[media_type] = {"schema": {"type": "string", "format": "binary"}}


def _events(schema: dict[str, Any]) -> dict[str, Any]:
    """A stream whose events carry JSON; `schema` is that of their data, when the route tells it.

    `itemSchema` as in OpenAPI 3.2 §4.14.4.
    """
    data: dict[str, Any] = {"type": "string", "contentMediaType": "application/json"}
    shapes = {key: value for key, value in schema.items() if key in {"anyOf", "oneOf", "$ref"}}
    if shapes:
        data["contentSchema"] = shapes
    item = {
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "event": {"type": "string"},
            "data": data,
            "id": {"type": "string"},
            "retry": {"type": "integer", "minimum": 0},
        },
    }
    return {"schema": {"type": "string"}, "itemSchema": item}
