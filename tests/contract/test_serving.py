"""Lines of the worker are read back as they were said, and nothing else is taken for one."""

import pytest
from pydantic import BaseModel, ValidationError

from training_engine.contract.serving import (
    Done,
    Failure,
    GenerateRequest,
    Health,
    LoadedModelInfo,
    Token,
    parse_line,
)


@pytest.mark.parametrize(
    "said",
    [
        Token(text="界"),
        Done(finish_reason="length", prompt_tokens=1, completion_tokens=2, tokens_per_s=3.5),
        Failure(code="out_of_memory", message="m", hint="h"),
    ],
)
def test_what_the_worker_says_the_backend_reads(said: BaseModel) -> None:
    assert parse_line(said.model_dump_json()) == said


@pytest.mark.parametrize("line", ["", "{}", '{"type": "joke"}', '{"type": "token"}', "[1]"])
def test_anything_else_is_no_line(line: str) -> None:
    with pytest.raises(ValidationError):
        parse_line(line)


def test_a_request_survives_the_wire_and_takes_no_unknown_field() -> None:
    asked = {
        "model_path": "/models/base",
        "adapter_path": "/runs/1/output",
        "messages": [{"role": role, "content": "你好"} for role in ("system", "user")],
        "repetition_penalty": 0.5,
        "seed": 2**31 - 1,
    }
    request = GenerateRequest.model_validate(asked)
    assert GenerateRequest.model_validate_json(request.model_dump_json()) == request
    with pytest.raises(ValidationError, match="api_base"):
        GenerateRequest.model_validate({**asked, "api_base": "http://elsewhere"})


def test_a_worker_that_starts_has_little_to_tell() -> None:
    assert Health(status="starting").loaded == []
    loaded = LoadedModelInfo(model_path="/m", adapters=["/a"], memory_bytes=5)
    said = Health(status="ready", device="cpu", dtype="float32", loaded=[loaded], busy=True)
    assert Health.model_validate_json(said.model_dump_json()) == said
