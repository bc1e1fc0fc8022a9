"""The worker's own shapes and the contract say the same."""

import pytest
from pydantic import BaseModel

from training_engine.contract import serving as contract
from training_engine.serve import schemas as engine


def test_what_the_backend_asks_the_worker_understands() -> None:
    asked = contract.GenerateRequest.model_validate(
        {
            "model_path": "/models/base",
            "adapter_path": "/runs/1/output",
            "messages": [{"role": role, "content": "你好"} for role in ("system", "user")],
            "max_new_tokens": 8192,
            "temperature": 2,
            "top_p": 0.5,
            "repetition_penalty": 0.5,
            "seed": 2**31 - 1,
        }
    )
    understood = engine.GenerateRequest.model_validate_json(asked.model_dump_json())
    for field in contract.GenerateRequest.model_fields:
        given, taken = getattr(asked, field), getattr(understood, field)
        if field == "messages":
            given, taken = ([m.model_dump(mode="json") for m in x] for x in (given, taken))
        assert given == taken, field


@pytest.mark.parametrize(
    "said",
    [
        engine.Token(text="界"),
        engine.Done(
            finish_reason="length",
            prompt_tokens=1,
            completion_tokens=2,
            tokens_per_s=3.5,
            time_to_first_token_s=None,
        ),
        engine.Failure(code="out_of_memory", message="m", hint="h"),
    ],
)
def test_what_the_worker_says_the_backend_reads(said: BaseModel) -> None:
    read = contract.parse_line(said.model_dump_json())
    assert read.model_dump() == said.model_dump()


def test_the_workers_health() -> None:
    loaded = engine.LoadedModelInfo(model_path="/m", adapters=["/a"], memory_bytes=5)
    said = engine.Health(
        status="ready",
        device="cpu",
        dtype="float32",
        device_reason="the only one",
        loaded=[loaded],
        busy=True,
        active=1,
    )
    read = contract.Health.model_validate_json(said.model_dump_json())
    assert read.loaded[0].model_dump() == loaded.model_dump()
    assert (read.status, read.device, read.busy) == ("ready", "cpu", True)
