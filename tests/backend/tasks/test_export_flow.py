"""From a finished training to a file in other programs' format, through the running supervisor."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.models.tables import ModelRow
from backend.runner.supervisor import Supervisor
from backend.settings import Settings
from tests.backend.tasks.test_flow import ENDED, PATIENCE_S, Flow
from tests.backend.tasks.test_real_engine import flow, model, supervisor

__all__ = ["flow", "model", "supervisor"]


async def _until_ended(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    deadline = time.monotonic() + 3 * PATIENCE_S
    while True:
        found: dict[str, Any] = (await client.get(path)).json()
        if found["status"] in ENDED:
            return found
        assert time.monotonic() < deadline, found


@pytest.mark.long
async def test_train_export_download_load(
    flow: Flow, supervisor: Supervisor, settings: Settings, model: ModelRow, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    path = await flow.create()
    assert (await flow.until(path, *ENDED))["status"] == "COMPLETED"
    asked = await flow.client.post(f"{path}/exports", json={"format": "gguf_q8_0"})
    assert asked.status_code == 202, asked.text
    export = await _until_ended(flow.client, f"{path}/exports/{asked.json()['id']}")
    assert (export["status"], export["error"]) == ("COMPLETED", None)
    assert export["checks"]["relative_error"] < export["checks"]["limit"]
    assert export["checks"]["weight_error"] < 0.01
    answer = await flow.client.get(f"{path}/exports/{export['id']}/download")
    assert len(answer.content) == export["size_bytes"]
    (tmp_path / "model.gguf").write_bytes(answer.content)
    loaded = AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file="model.gguf", quantization_config=GgufConfig(dequantize=True)
    )
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, gguf_file="model.gguf")
    turn = [{"role": "user", "content": "Do you sell 3 lamps?"}]
    ids = tokenizer.apply_chat_template(turn, add_generation_prompt=True, return_tensors="pt")
    said = loaded.generate(**ids, max_new_tokens=3, do_sample=False)
    assert said.shape[1] > ids["input_ids"].shape[1]
    # What runs is stopped when it is deleted, and leaves nothing.
    before = set(settings.runs_dir.iterdir())
    asked = await flow.client.post(f"{path}/exports", json={"format": "merged"})
    doomed = f"{path}/exports/{asked.json()['id']}"
    deadline = time.monotonic() + PATIENCE_S
    while (await flow.client.get(doomed)).json()["status"] == "PENDING":
        assert time.monotonic() < deadline
    assert (await flow.client.delete(doomed)).status_code == 204
    while set(settings.runs_dir.iterdir()) != before:
        assert time.monotonic() < deadline
        await flow.client.get(path)
