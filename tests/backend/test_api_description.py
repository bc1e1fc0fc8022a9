"""The OpenAPI document says which media type each answer has; its page says how to call."""

import re
from typing import Any

import pytest

from backend.app import describe
from backend.settings import PROJECT_ROOT

API = "/api/v1"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe()


def _content(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][API + path][method]["responses"]["200"]["content"]
    return found


@pytest.mark.parametrize(
    ("method", "path", "media_types"),
    [
        ("get", "/tasks/{task_id}/logs/stream", {"text/event-stream"}),
        ("get", "/tasks/{task_id}/events/stream", {"text/event-stream"}),
        ("post", "/playground/generate", {"text/event-stream"}),
        ("get", "/tasks/{task_id}/artifact", {"application/zip"}),
        ("get", "/tasks/{task_id}/logs/download", {"text/plain"}),
        ("get", "/tasks/{task_id}/spec", {"application/json", "application/yaml"}),
        ("get", "/datasets/{dataset_id}/file", {"application/octet-stream"}),
        ("get", "/datasets/{dataset_id}/report/download", {"application/octet-stream"}),
        ("get", "/tasks", {"application/json"}),
    ],
)
def test_media_types(
    document: dict[str, Any], method: str, path: str, media_types: set[str]
) -> None:
    assert set(_content(document, method, path)) == media_types


def test_a_stream_is_a_sequence_of_events_with_the_shapes_of_their_data(
    document: dict[str, Any],
) -> None:
    stream = _content(document, "post", "/playground/generate")["text/event-stream"]
    data = stream["itemSchema"]["properties"]["data"]
    shapes = {shape["$ref"].rsplit("/", 1)[1] for shape in data["contentSchema"]["anyOf"]}
    assert shapes == {"PlaygroundDone", "PlaygroundError"}
    assert shapes <= set(document["components"]["schemas"])
    assert stream["schema"] == {"type": "string"}


def test_every_error_is_a_problem_document(document: dict[str, Any]) -> None:
    problem = {"$ref": "#/components/schemas/Problem"}
    seen = 0
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if not path.startswith(API):
                continue
            seen += 1
            content = operation["responses"]["default"]["content"]
            assert content == {"application/problem+json": {"schema": problem}}, path
    assert seen > 40


def test_the_page_begins_with_calls_that_exist(document: dict[str, Any]) -> None:
    page = (PROJECT_ROOT / "docs/api.md").read_text()
    example = page.split("```")[1]
    known = {re.sub(r"\{\w+\}", "ID", path) for path in document["paths"]}
    called = {
        API + path.replace("TASK_ID", "ID") for path in re.findall(r"\$API(/[\w/]+)", example)
    }
    assert len(called) >= 5
    assert called <= known


def test_the_page_gives_types_and_form_fields() -> None:
    page = (PROJECT_ROOT / "docs/api.md").read_text()
    logs = next(
        line
        for line in page.splitlines()
        if line.startswith("| `GET /api/v1/tasks/{task_id}/logs`")
    )
    assert "`tail` boolean" in logs
    assert "`limit` integer 1–2000" in logs
    upload = next(
        line for line in page.splitlines() if line.startswith("| `POST /api/v1/datasets`")
    )
    assert "form (" in upload
    assert "`file`" in upload
