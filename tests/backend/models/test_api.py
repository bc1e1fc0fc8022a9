"""Base models over HTTP: catalogue, adding from hub and folder, refusals, retry, delete."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from backend.accounts.schemas import Role
from backend.database import SessionFactory, transaction
from backend.ids import new_id
from backend.jobs import service as jobs
from backend.jobs.schemas import Slot
from backend.jobs.tables import JobRow
from backend.models import files, queries
from backend.models import service as models_service
from backend.models.starters import Starter
from backend.models.tables import ModelUseRow
from backend.settings import Settings
from tests.backend.models.conftest import API, claim, end, run_job
from tests.conftest import SignIn
from tests.fakes.hub import FakeHub
from tests.tiny_model import CONFIG
from training_engine.contract.choices import Method, Objective
from training_engine.model_shape import read_shape

NAME = "tiny/llama"


def hub_body(reference: str = NAME, **more: Any) -> dict[str, Any]:
    return {"source": "huggingface", "reference": reference, **more}


async def job_count(sessions: SessionFactory) -> int:
    async with transaction(sessions) as session:
        return await session.scalar(select(func.count()).select_from(JobRow)) or 0


async def test_model_of_the_hub_is_pinned_downloaded_and_known(
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
    hub: FakeHub,
    tiny: Path,
) -> None:
    repository = hub.add(NAME, tiny)
    posted = await client.post(API, json=hub_body(f"{hub.url}/{NAME}/tree/main"))
    assert posted.status_code == 202, posted.text
    model = posted.json()
    assert (model["status"], model["progress"]) == ("downloading", 0.0)
    assert (model["name"], model["reference"]) == (NAME, NAME)
    assert model["revision"] == repository.commit
    assert model["objectives"] == []
    twice = await client.post(API, json=hub_body())
    assert twice.json()["id"] == model["id"]
    assert await job_count(sessions) == 1
    await run_job(settings, sessions, model["id"])
    ready = (await client.get(f"{API}/{model['id']}")).json()
    assert (ready["status"], ready["error"], ready["progress"]) == ("ready", None, None)
    assert ready["architecture"] == "LlamaForCausalLM"
    assert ready["num_parameters"] == read_shape(CONFIG).num_parameters  # type: ignore[union-attr]
    assert ready["context_length"] == 2048
    assert ready["has_chat_template"] is True
    assert ready["licence"] == "apache-2.0"
    assert ready["size_bytes"] == sum(f.stat().st_size for f in tiny.iterdir())
    assert ready["objectives"] == [o for o in Objective if o is not Objective.SEQ2SEQ]
    assert ready["methods"] == list(Method)
    async with transaction(sessions) as session:
        row = await queries.find(session, UUID(model["id"]))
    assert (files.model_dir(settings, row) / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("reference", "code", "status"),
    [
        ("llama", "BadHubId", 400),
        ("a/b/c", "BadHubId", 400),
        ("../etc/passwd", "BadHubId", 400),
        ("a/..", "BadHubId", 400),
        ("-a/b", "BadHubId", 400),
        ("", "BadHubId", 400),
        ("no/such", "HubModelNotFound", 400),
        ("closed/gated", "HubModelGated", 400),
        ("closed/private", "HubModelNotFound", 400),
        ("has/code", "HubModelUnusable", 400),
        ("has/hidden-code", "HubModelUnusable", 400),
        ("has/pickles", "HubModelUnusable", 400),
        ("is/adapter", "HubModelUnusable", 400),
    ],
)
async def test_refused_with_a_sentence_before_anything_starts(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    hub: FakeHub,
    tiny: Path,
    tmp_path: Path,
    reference: str,
    code: str,
    status: int,
) -> None:
    def variant(name: str) -> Path:
        shutil.copytree(tiny, tmp_path / name)
        return tmp_path / name

    hub.add("closed/gated", tiny, gated="manual")
    hub.add("closed/private", tiny, private=True)
    code_folder = variant("code")
    (code_folder / "config.json").write_text('{"auto_map": {"AutoModel": "m.M"}}')
    hub.add("has/code", code_folder)
    hidden = variant("hidden")
    nested = {"a": [{"b": {"auto_map": {"AutoTokenizer": ["t.T", None]}}}]}
    (hidden / "tokenizer_config.json").write_text(json.dumps(nested))
    hub.add("has/hidden-code", hidden)
    pickles = variant("pickles")
    (pickles / "model.safetensors").rename(pickles / "pytorch_model.bin")
    hub.add("has/pickles", pickles)
    adapter = variant("adapter")
    (adapter / "config.json").rename(adapter / "adapter_config.json")
    hub.add("is/adapter", adapter)
    answer = await client.post(API, json=hub_body(reference))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert len(answer.json()["detail"]) > 20
    assert (await client.get(API)).json()["items"] == []
    assert await job_count(sessions) == 0


async def test_hub_that_can_not_be_reached_and_installation_without_network(
    client: httpx.AsyncClient, settings: Settings, hub: FakeHub, tiny: Path
) -> None:
    hub.add(NAME, tiny)
    settings.hf_endpoint = "http://127.0.0.1:1"
    gone = await client.post(API, json=hub_body())
    assert (gone.status_code, gone.json()["code"]) == (503, "HubUnreachable")
    settings.offline = True
    offline = await client.post(API, json=hub_body())
    assert (offline.status_code, offline.json()["code"]) == (400, "HubOffline")
    assert hub.requests == []


async def test_model_too_large_for_the_disk_is_refused(
    client: httpx.AsyncClient, hub: FakeHub, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(NAME, tiny)
    monkeypatch.setattr(models_service, "RESERVE_BYTES", 1 << 60)
    answer = await client.post(API, json=hub_body())
    assert (answer.status_code, answer.json()["code"]) == (507, "NotEnoughDisk")


@pytest.mark.parametrize("source", ["modelscope", "remote"])
async def test_sources_to_come_are_refused_plainly(client: httpx.AsyncClient, source: str) -> None:
    answer = await client.post(API, json={"source": source, "reference": "a/b"})
    assert (answer.status_code, answer.json()["code"]) == (400, "SourceNotAvailable")
    assert source in answer.json()["detail"]


@pytest.mark.long
async def test_failed_download_is_tried_again(
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
    hub: FakeHub,
    tiny: Path,
) -> None:
    repository = hub.add(NAME, tiny, damaged=2)
    model = (await client.post(API, json=hub_body())).json()
    early = await client.post(f"{API}/{model['id']}/retry")
    assert (early.status_code, early.json()["code"]) == (409, "NothingToRetry")
    await run_job(settings, sessions, model["id"])
    failed = (await client.get(f"{API}/{model['id']}")).json()
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "dependency"
    assert repository.damaged == 0
    again = await client.post(f"{API}/{model['id']}/retry")
    assert (again.status_code, again.json()["status"]) == (202, "downloading")
    assert again.json()["error"] is None
    await run_job(settings, sessions, model["id"])
    assert (await client.get(f"{API}/{model['id']}")).json()["status"] == "ready"


async def test_two_requests_at_once_make_one_model(
    client: httpx.AsyncClient, sessions: SessionFactory, hub: FakeHub, tiny: Path
) -> None:
    hub.add(NAME, tiny)
    answers = await asyncio.gather(*(client.post(API, json=hub_body()) for _ in range(4)))
    assert {a.status_code for a in answers} == {202}
    assert len({a.json()["id"] for a in answers}) == 1
    assert await job_count(sessions) == 1


async def test_starter_is_converted_once(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory, tiny: Path
) -> None:
    first = (await client.post(API, json={"source": "starter"})).json()
    assert (first["status"], first["reference"]) == ("converting", "starter")
    second = (await client.post(API, json={"source": "starter"})).json()
    assert second["id"] == first["id"]
    folder = await claim(settings, sessions, first["id"])
    target = Path(json.loads(folder.spec_file.read_bytes())["target"])
    assert target == settings.models_dir / "starter"
    shutil.copytree(tiny, target)  # as the conversion would
    await end(sessions, first["id"], 0)
    ready = (await client.get(f"{API}/{first['id']}")).json()
    assert (ready["status"], ready["architecture"]) == ("ready", "LlamaForCausalLM")
    listed = (await client.get(f"{API}/catalog")).json()
    assert listed[0]["model_id"] == first["id"]


async def test_the_starter_encoder_is_a_model_beside_the_other(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    first = (await client.post(API, json={"source": "starter"})).json()
    body = {"source": "starter", "reference": "starter-encoder"}
    encoder = (await client.post(API, json=body)).json()
    assert encoder["id"] != first["id"]
    assert encoder["name"] == "sentence-transformers/all-MiniLM-L6-v2"
    folder = await claim(settings, sessions, encoder["id"])
    spec = json.loads(folder.spec_file.read_bytes())
    assert spec["starter"] == "starter-encoder"
    assert Path(spec["target"]) == settings.models_dir / "starter-encoder"
    unknown = await client.post(API, json={**body, "reference": "../starter"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "UnknownStarter")


async def test_starter_that_is_converted_already_is_ready_at_once(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory, tiny: Path
) -> None:
    shutil.copytree(tiny, settings.models_dir / "starter")
    model = (await client.post(API, json={"source": "starter"})).json()
    assert model["status"] == "ready"
    assert await job_count(sessions) == 0


async def test_starter_without_its_package(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Starter, "installed", False)
    answer = await client.post(API, json={"source": "starter"})
    assert (answer.status_code, answer.json()["code"]) == (400, "StarterMissing")
    entry = (await client.get(f"{API}/catalog")).json()[0]
    assert entry["unavailable_reason"] == "starter_missing"


async def test_catalog_says_what_fits_and_what_can_be_added(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    offline = (await client.get(f"{API}/catalog")).json()
    assert offline[0]["source"] == "starter"
    assert offline[0]["offline"] is True
    assert offline[0]["unavailable_reason"] is None
    assert offline[0]["fit"]["lora"] == "fits"
    gated = {"meta-llama", "google"}
    encoder = offline[1]
    assert (encoder["reference"], encoder["unavailable_reason"]) == ("starter-encoder", None)
    assert encoder["objectives"] == ["classify", "reward"]
    assert encoder["fit"]["full"] == "fits"
    for entry in offline[2:]:
        assert "sft" in entry["objectives"]
        assert entry["unavailable_reason"] == "offline"
        assert set(entry["fit"]) == set(Method)
        assert entry["download_bytes"] >= entry["num_parameters"]
    settings.offline = False
    online = (await client.get(f"{API}/catalog")).json()
    for entry in online[1:]:
        if entry["reference"].split("/")[0] in gated:
            assert entry["unavailable_reason"] == "gated"
    families = {entry["family"] for entry in online}
    assert {"Qwen2.5", "Qwen3", "Llama 3", "Mistral", "GLM-4"} <= families


async def test_delete_removes_files_and_jobs(
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
    hub: FakeHub,
    tiny: Path,
) -> None:
    hub.add(NAME, tiny)
    model = (await client.post(API, json=hub_body())).json()
    await run_job(settings, sessions, model["id"])
    assert (await client.delete(f"{API}/{model['id']}")).status_code == 204
    assert (await client.get(f"{API}/{model['id']}")).status_code == 404
    assert [p for p in settings.models_dir.rglob("*") if p.is_file()] == []
    assert list(settings.runs_dir.iterdir()) == []
    assert await job_count(sessions) == 0


async def test_delete_in_the_middle_of_a_download(
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
    hub: FakeHub,
    tiny: Path,
) -> None:
    hub.add(NAME, tiny)
    model = (await client.post(API, json=hub_body())).json()
    folder = await claim(settings, sessions, model["id"])
    spec = json.loads(folder.spec_file.read_bytes())
    assert (await client.delete(f"{API}/{model['id']}")).status_code == 204
    # The child was quicker than the request to stop: nothing of it stays.
    shutil.copytree(tiny, spec["target"])
    await end(sessions, model["id"], 0)
    assert not Path(spec["target"]).exists()


async def test_delete_is_refused_while_a_task_starts_from_it(
    client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory, tiny: Path
) -> None:
    shutil.copytree(tiny, settings.models_dir / "starter")
    model = (await client.post(API, json={"source": "starter"})).json()
    async with transaction(sessions) as session:
        task_id = new_id()
        job = await jobs.enqueue(
            session,
            kind="train",
            spec={},
            slot=Slot.TRAINING,
            owner_id=None,
            subject_id=task_id,
        )
        edge = ModelUseRow(
            model_id=UUID(model["id"]), task_id=task_id, job_id=job.id, task_name="Tune"
        )
        session.add(edge)
    found = (await client.get(f"{API}/{model['id']}")).json()
    assert found["used_by"] == [{"task_id": str(task_id), "name": "Tune", "status": "PENDING"}]
    refused = await client.delete(f"{API}/{model['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "ModelInUse")
    assert "Tune" in refused.json()["detail"]
    assert (settings.models_dir / "starter/config.json").is_file()


async def test_members_add_and_delete_their_own_viewers_nothing(
    client: httpx.AsyncClient, sign_in: SignIn, settings: Settings, tiny: Path
) -> None:
    shutil.copytree(tiny, settings.models_dir / "starter")
    model = (await client.post(API, json={"source": "starter"})).json()
    bob = await sign_in("bob", Role.MEMBER)
    assert (await bob.get(f"{API}/{model['id']}")).status_code == 200
    assert (await bob.delete(f"{API}/{model['id']}")).status_code == 403
    eve = await sign_in("eve", Role.VIEWER)
    assert (await eve.post(API, json={"source": "starter"})).status_code == 403
    assert (await eve.post(f"{API}/{model['id']}/retry")).status_code == 403


async def test_list_searches_and_filters(
    client: httpx.AsyncClient, settings: Settings, tiny: Path
) -> None:
    shutil.copytree(tiny, settings.models_dir / "starter")
    await client.post(API, json={"source": "starter"})

    async def names(**params: str) -> list[str]:
        answer = await client.get(API, params=params)
        return [item["name"] for item in answer.json()["items"]]

    starter = ["HuggingFaceTB/SmolLM2-135M-Instruct"]
    assert await names(q="SMOL") == starter
    assert await names(q="qwen") == []
    assert await names(status="ready") == starter
    assert await names(status="failed") == []
