"""Exports through the API: asked for, listed, fetched, deleted, and who may do so."""

import io
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from backend.accounts.schemas import Role
from backend.database import SessionFactory, transaction
from backend.jobs import service as jobs
from backend.jobs.run_folder import RunFolder
from backend.jobs.schemas import JobStatus, Slot
from backend.jobs.tables import JobRow
from backend.settings import Settings
from backend.tasks import export_outcome
from backend.tasks.tables import ExportRow
from tests.backend.tasks.conftest import MakeRun, Run, spec_values
from tests.tiny_model import build_tiny_model
from training_engine.contract.exports import ExportSpec

PATH = "/api/v1/tasks"
CHECKS = {
    "prompts": 4, "positions": 90, "max_logit_difference": 0.01, "relative_error": 0.002,
    "limit": 0.1, "top1_agreement": 1.0, "same_answers": 2, "answers": 2, "size_bytes": 1000,
}  # fmt: skip
Finish = Callable[..., Awaitable[None]]


@pytest.fixture
def completed(make_run: MakeRun, tmp_path: Path) -> Callable[..., Awaitable[Run]]:
    """A completed task whose result is an adapter to a tiny model."""

    async def make(**columns: Any) -> Run:
        base = tmp_path / "base"
        if not base.exists():
            build_tiny_model(base)
        run = await make_run(JobStatus.COMPLETED, **columns)
        spec = {**spec_values(run.id), "model": {"name": "o/tiny", "path": str(base)}}
        await run.set(spec=spec)
        output = run.folder().output_dir
        output.mkdir(parents=True)
        (output / "adapter_config.json").write_text("{}")
        return run

    return make


@pytest.fixture
def finish(sessions: SessionFactory, settings: Settings) -> Finish:
    """Ends the job of an export as the runner does, with files in its run folder."""

    async def end(export: dict[str, Any], **files: bytes) -> None:
        async with transaction(sessions) as session:
            query = select(JobRow).join(ExportRow).where(ExportRow.id == export["id"])
            job = await session.scalar(query)
            assert job is not None
            output = RunFolder.of(settings.runs_dir, job.id, 1).output_dir
            output.mkdir(parents=True)
            for name, content in files.items():
                (output / name.replace("__", ".")).write_bytes(content)
            await jobs.move(session, job.id, 1, JobStatus.PREPARING, "test")
            job = await jobs.move(session, job.id, 1, JobStatus.COMPLETED, "test", metrics=CHECKS)
            await export_outcome.apply(session, job)

    return end


async def test_the_formats_with_sizes_and_reasons(
    client: httpx.AsyncClient, completed: Callable[..., Awaitable[Run]], make_run: MakeRun
) -> None:
    run = await completed()
    formats = (await client.get(f"{PATH}/{run.id}/exports/formats")).json()
    assert [f["format"] for f in formats] == ["merged", "gguf_f16", "gguf_q8_0", "gguf_q4_k_m"]
    assert [f["unavailable"] for f in formats] == [None] * 4
    scorer = await completed(objective="classify")
    formats = (await client.get(f"{PATH}/{scorer.id}/exports/formats")).json()
    codes = [f["unavailable"] and f["unavailable"]["code"] for f in formats]
    assert codes == [None] + ["gguf_needs_language_model"] * 3
    refused = await client.post(f"{PATH}/{scorer.id}/exports", json={"format": "gguf_f16"})
    assert (refused.status_code, refused.json()["code"]) == (400, "FormatUnavailable")
    assert refused.json()["params"]["why"] == "gguf_needs_language_model"
    early = await make_run(JobStatus.RUNNING)
    refused = await client.post(f"{PATH}/{early.id}/exports", json={"format": "merged"})
    assert (refused.status_code, refused.json()["code"]) == (409, "NoArtifact")


async def test_an_export_is_a_light_job_with_all_it_reads(
    client: httpx.AsyncClient,
    completed: Callable[..., Awaitable[Run]],
    sessions: SessionFactory,
    tmp_path: Path,
) -> None:
    run = await completed(output_name="lamp-bot")
    body = {"format": "merged", "max_shard_bytes": 1_000_000}
    answer = await client.post(f"{PATH}/{run.id}/exports", json=body)
    assert answer.status_code == 202, answer.text
    export = answer.json()
    assert (export["status"], export["filename"]) == ("PENDING", "lamp-bot-merged.zip")
    async with transaction(sessions) as session:
        job = await session.scalar(select(JobRow).where(JobRow.kind == "export"))
        assert job is not None
        spec = ExportSpec.model_validate(
            {**job.spec, "kind": "export", "run_id": "x", "attempt": 1}
        )
    assert job.slot is Slot.LIGHT
    assert Path(spec.source) == run.folder().output_dir
    assert spec.base is not None
    assert spec.base.path == str(tmp_path / "base")
    assert (spec.max_shard_bytes, spec.name) == (1_000_000, "lamp-bot")
    # The same wish again is the same export; another size is another one.
    again = (await client.post(f"{PATH}/{run.id}/exports", json=body)).json()
    assert again["id"] == export["id"]
    other = (await client.post(f"{PATH}/{run.id}/exports", json={"format": "merged"})).json()
    listed = (await client.get(f"{PATH}/{run.id}/exports")).json()["items"]
    assert [e["id"] for e in listed] == [other["id"], export["id"]]
    for wrong in ({"format": "gguf_q2"}, {"format": "merged", "max_shard_bytes": 1}, {}):
        refused = await client.post(f"{PATH}/{run.id}/exports", json=wrong)
        assert refused.status_code == 422


async def test_a_key_makes_it_once(
    client: httpx.AsyncClient,
    completed: Callable[..., Awaitable[Run]],
    finish: Finish,
) -> None:
    run = await completed()
    headers = {"Idempotency-Key": "one"}
    body = {"format": "gguf_q8_0"}
    first = await client.post(f"{PATH}/{run.id}/exports", json=body, headers=headers)
    await finish(first.json(), x__gguf=b"x")
    second = await client.post(f"{PATH}/{run.id}/exports", json=body, headers=headers)
    assert second.json()["id"] == first.json()["id"]
    third = await client.post(f"{PATH}/{run.id}/exports", json=body)
    assert third.json()["id"] != first.json()["id"]


async def test_what_is_complete_can_be_fetched(
    client: httpx.AsyncClient,
    completed: Callable[..., Awaitable[Run]],
    finish: Finish,
    settings: Settings,
) -> None:
    run = await completed(output_name="lamp-bot")
    place = f"{PATH}/{run.id}/exports"
    gguf = (await client.post(place, json={"format": "gguf_q4_k_m"})).json()
    early = await client.get(f"{place}/{gguf['id']}/download")
    assert (early.status_code, early.json()["code"]) == (400, "ExportNotReady")
    await finish(gguf, **{"lamp-bot-Q4_K_M__gguf": b"GGUF" * 100, "export__json": b"{}"})
    found = (await client.get(f"{place}/{gguf['id']}")).json()
    assert (found["status"], found["size_bytes"]) == ("COMPLETED", 1000)
    assert found["checks"]["top1_agreement"] == 1.0
    answer = await client.get(f"{place}/{gguf['id']}/download")
    assert answer.content == b"GGUF" * 100
    assert 'filename="lamp-bot-Q4_K_M.gguf"' in answer.headers["content-disposition"]
    part = await client.get(f"{place}/{gguf['id']}/download", headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"GGUF")
    merged = (await client.post(place, json={"format": "merged"})).json()
    await finish(merged, config__json=b"{}", model__safetensors=b"w" * 9)
    answer = await client.get(f"{place}/{merged['id']}/download")
    assert answer.headers["content-length"] == str(len(answer.content))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "lamp-bot-merged/config.json",
            "lamp-bot-merged/model.safetensors",
        ]
    assert (await client.delete(f"{place}/{gguf['id']}")).status_code == 204
    assert (await client.get(f"{place}/{gguf['id']}")).json()["code"] == "ExportNotFound"
    assert [e["id"] for e in (await client.get(place)).json()["items"]] == [merged["id"]]
    for folder in settings.runs_dir.glob("*/1/output/*.safetensors"):
        folder.unlink()
        (folder.parent / "config.json").unlink()
    gone = await client.get(f"{place}/{merged['id']}/download")
    assert (gone.status_code, gone.json()["code"]) == (404, "ExportGone")


async def test_exports_go_with_their_task(
    client: httpx.AsyncClient,
    completed: Callable[..., Awaitable[Run]],
    finish: Finish,
    sessions: SessionFactory,
    settings: Settings,
) -> None:
    run = await completed()
    for format in ("merged", "gguf_f16"):
        export = (await client.post(f"{PATH}/{run.id}/exports", json={"format": format})).json()
        if format == "merged":
            await finish(export, config__json=b"{}")
    assert (await client.delete(f"{PATH}/{run.id}")).status_code == 204
    async with transaction(sessions) as session:
        assert list(await session.scalars(select(ExportRow))) == []
        assert list(await session.scalars(select(JobRow))) == []
    assert list(settings.runs_dir.glob("*/1")) == []


async def test_others_see_nothing_and_viewers_may_not_ask(
    client: httpx.AsyncClient,
    completed: Callable[..., Awaitable[Run]],
    finish: Finish,
    sign_in: Callable[[str, Role], Awaitable[httpx.AsyncClient]],
) -> None:
    run = await completed()
    place = f"{PATH}/{run.id}/exports"
    export = (await client.post(place, json={"format": "gguf_f16"})).json()
    await finish(export, x__gguf=b"x")
    bob = await sign_in("bob", Role.MEMBER)
    for path in (place, f"{place}/formats", f"{place}/{export['id']}"):
        assert (await bob.get(path)).status_code == 404
    assert (await bob.get(f"{place}/{export['id']}/download")).status_code == 404
    assert (await bob.post(place, json={"format": "merged"})).status_code == 404
    assert (await bob.delete(f"{place}/{export['id']}")).status_code == 404
    assert (await client.get(f"{place}/{export['id']}")).status_code == 200
