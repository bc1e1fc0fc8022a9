"""A model that brings a program along: shown, allowed by an administrator, refused once changed."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.settings import Settings
from tests.backend.models.conftest import API
from tests.backend.tasks.sources import add_dataset
from training_engine.contract.model_folder import check_model, code_sha256

PROGRAM = "class Own:\n    pass\n"


@pytest.fixture
def folder(settings: Settings, tiny: Path, tmp_path: Path) -> Path:
    """A local model whose configuration names a class of its own."""
    found = tmp_path / "shelf" / "own"
    shutil.copytree(tiny, found)
    config = json.loads((found / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling_own.Own"}
    (found / "config.json").write_text(json.dumps(config))
    (found / "modeling_own.py").write_text(PROGRAM)
    settings.model_roots = [found.parent]
    return found


async def add(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post(API, json={"source": "local", "reference": "shelf/own"})
    assert answer.status_code == 202, answer.text
    model: dict[str, Any] = answer.json()
    return model


async def trust(client: httpx.AsyncClient, model: dict[str, Any]) -> httpx.Response:
    body = {"sha256": model["program"]["sha256"]}
    return await client.post(f"{API}/{model['id']}/trust", json=body)


async def test_it_waits_until_an_administrator_has_allowed_exactly_these_files(
    client: httpx.AsyncClient, folder: Path
) -> None:
    model = await add(client)
    assert (model["status"], model["error"]["code"]) == ("failed", "model_needs_code")
    sha256 = code_sha256(folder)
    assert model["program"] == {"sha256": sha256, "files": ["modeling_own.py"], "trusted": False}
    wrong = {**model, "program": {"sha256": "0" * 64}}
    refused = await trust(client, wrong)
    assert (refused.status_code, refused.json()["code"]) == (409, "ProgramChanged")
    allowed = (await trust(client, model)).json()
    assert (allowed["status"], allowed["error"], allowed["program"]["trusted"]) == (
        "ready",
        None,
        True,
    )
    assert "sft" in allowed["objectives"]
    assert (await add(client))["status"] == "ready"


async def test_only_administrators_may(
    client: httpx.AsyncClient, sign_in: Any, folder: Path
) -> None:
    model = await add(client)
    for role in (Role.MEMBER, Role.VIEWER):
        other = await sign_in(f"{role.value}-one", role)
        answer = await trust(other, model)
        assert (answer.status_code, answer.json()["code"]) == (403, "Forbidden")
    assert (await client.get(f"{API}/{model['id']}")).json()["status"] == "failed"


async def test_a_run_carries_the_consent_and_a_changed_file_is_refused(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    folder: Path,
) -> None:
    model = await add(client)
    async with transaction(sessions) as session:
        data = await add_dataset(session, settings, administrator.id)
    body = {"name": "Bot", "model_id": model["id"], "dataset_id": str(data.id)}
    waiting = await client.post("/api/v1/tasks", json={**body, "output_name": "bot"})
    assert waiting.json()["errors"][0]["code"] == "model_failed"
    await trust(client, model)
    task = (await client.post("/api/v1/tasks", json={**body, "output_name": "bot"})).json()
    spec = (await client.get(f"/api/v1/tasks/{task['id']}/spec")).json()
    assert spec["model"]["trusted_code_sha256"] == model["program"]["sha256"]
    check_model(folder, spec["model"]["trusted_code_sha256"])
    file = await client.get(f"/api/v1/tasks/{task['id']}/spec", params={"format": "yaml"})
    assert yaml.safe_load(file.text)["trusted_code_sha256"] == model["program"]["sha256"]

    (folder / "modeling_own.py").write_text(f"{PROGRAM}\nimport os\n")
    changed = (await client.get(f"{API}/{model['id']}")).json()
    assert (changed["status"], changed["program"]["trusted"]) == ("failed", False)
    refused = await client.post("/api/v1/tasks", json={**body, "output_name": "bot-2"})
    assert refused.json()["errors"][0]["code"] == "model_program_not_allowed"
    asked = {"model_id": model["id"], "messages": [{"role": "user", "content": "Hi"}]}
    silent = await client.post("/api/v1/playground/generate", json=asked)
    assert (silent.status_code, silent.json()["code"]) == (400, "TaskRefused")
    await trust(client, changed)
    again = await client.post("/api/v1/tasks", json={**body, "output_name": "bot-2"})
    assert again.status_code == 201, again.text


async def test_a_model_without_a_program_has_nothing_to_allow(
    client: httpx.AsyncClient, folder: Path
) -> None:
    config = json.loads((folder / "config.json").read_text())
    del config["auto_map"]
    (folder / "config.json").write_text(json.dumps(config))
    model = await add(client)
    assert (model["status"], model["program"]) == ("ready", None)
    answer = await client.post(f"{API}/{model['id']}/trust", json={"sha256": "0" * 64})
    assert (answer.status_code, answer.json()["code"]) == (409, "NothingToTrust")
