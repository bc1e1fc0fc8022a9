"""Lists, changes, stops, new attempts, deletion; and that nobody reaches another's task."""

from pathlib import Path
from uuid import UUID

import httpx
import pytest
import yaml
from sqlalchemy import func, select

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.jobs import service as jobs
from backend.jobs.schemas import JobStatus
from backend.jobs.tables import JobRow
from backend.settings import Settings
from backend.tasks import train_file
from tests.backend.tasks.conftest import MakeRun, Run
from tests.backend.tasks.sources import add_dataset, add_model
from tests.conftest import SignIn, make_user

PATH = "/api/v1/tasks"


async def _list(client: httpx.AsyncClient, **query: object) -> list[str]:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return [task["name"] for task in answer.json()["items"]]


async def test_lists_filter_search_and_page(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    for number, status in enumerate(
        [JobStatus.PENDING, JobStatus.RUNNING, JobStatus.COMPLETED, JobStatus.FAILED]
    ):
        await make_run(status, name=f"task {number}", description="100% Straße")
    assert await _list(client) == ["task 3", "task 2", "task 1", "task 0"]
    assert await _list(client, status="FAILED") == ["task 3"]
    assert await _list(client, status=["FAILED", "PENDING"]) == ["task 3", "task 0"]
    assert await _list(client, q="TASK 2") == ["task 2"]
    assert len(await _list(client, q="100%")) == 4
    assert await _list(client, q="_%_") == []
    first = (await client.get(PATH, params={"limit": 3})).json()
    rest = (await client.get(PATH, params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [t["name"] for t in first["items"] + rest["items"]] == await _list(client)
    assert rest["next_cursor"] is None
    assert (await client.get(PATH, params={"status": "magic"})).status_code == 422
    assert (await client.get(PATH, params={"cursor": "x"})).json()["code"] == "BadCursor"


async def test_names_are_edited(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    run = await make_run()
    answer = await client.patch(f"{PATH}/{run.id}", json={"name": " 新名 "})
    assert (answer.json()["name"], answer.json()["description"]) == ("新名", "")
    answer = await client.patch(f"{PATH}/{run.id}", json={"description": "why"})
    assert (answer.json()["name"], answer.json()["description"]) == ("新名", "why")
    assert (await client.patch(f"{PATH}/{run.id}", json={"status": "x"})).status_code == 422


async def test_stop_of_what_waits_runs_or_has_ended(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    waiting, running = await make_run(JobStatus.PENDING), await make_run(JobStatus.RUNNING)
    done = await make_run(JobStatus.COMPLETED)
    assert (await client.post(f"{PATH}/{waiting.id}/stop")).json()["status"] == "STOPPED"
    for body in (None, {"save": False}, {"save": True}):
        answer = await client.post(f"{PATH}/{running.id}/stop", json=body)
        assert (answer.status_code, answer.json()["status"]) == (200, "STOPPING")
    late = await client.post(f"{PATH}/{done.id}/stop")
    assert (late.status_code, late.json()["status"]) == (200, "COMPLETED")


async def _with_sources(run: Run, folder: Path) -> None:
    """Give the run a data file and a model folder that exist."""
    (folder / "model").mkdir(parents=True, exist_ok=True)
    (folder / "records.jsonl").write_text("{}\n")
    async with transaction(run.sessions) as session:
        job = await jobs.get(session, run.job_id)
        spec = {**job.spec, "model": {**job.spec["model"], "path": str(folder / "model")}}
        spec["dataset"] = {**spec["dataset"], "path": str(folder / "records.jsonl")}
        job.spec = spec


async def test_restart_and_resume(
    client: httpx.AsyncClient, make_run: MakeRun, tmp_path: Path
) -> None:
    run = await make_run(JobStatus.FAILED)
    gone = await client.post(f"{PATH}/{run.id}/restart")
    assert (gone.status_code, gone.json()["code"]) == (409, "SourceGone")
    assert "data set" in gone.json()["detail"]
    await _with_sources(run, tmp_path)
    refused = await client.post(f"{PATH}/{run.id}/resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "NotResumable")
    await run.set(resumable=True, step=40, progress=0.4)
    resumed = (await client.post(f"{PATH}/{run.id}/resume")).json()
    assert (resumed["status"], resumed["attempt"], resumed["step"]) == ("PENDING", 2, 40)
    assert resumed["resumed"]
    again = await client.post(f"{PATH}/{run.id}/resume")
    assert (again.status_code, again.json()["code"]) == (409, "InvalidTransition")
    await client.post(f"{PATH}/{run.id}/stop")
    restarted = (await client.post(f"{PATH}/{run.id}/restart")).json()
    assert (restarted["attempt"], restarted["step"], restarted["progress"]) == (3, 0, 0.0)
    assert not restarted["resumable"]
    assert not restarted["resumed"]


async def test_delete_takes_the_runs_and_spares_what_lives(
    client: httpx.AsyncClient, make_run: MakeRun, sessions: SessionFactory
) -> None:
    live, done = await make_run(JobStatus.RUNNING), await make_run(JobStatus.COMPLETED)
    waiting = await make_run(JobStatus.PENDING)
    for run in (live, done):
        run.log("a line")
    refused = await client.delete(f"{PATH}/{live.id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "TaskIsLive")
    for run in (done, waiting):
        assert (await client.delete(f"{PATH}/{run.id}")).status_code == 204
        assert (await client.get(f"{PATH}/{run.id}")).status_code == 404
    assert not (done.runs_dir / str(done.job_id)).exists()
    assert live.folder().log_file.exists()
    async with sessions() as session:
        assert list(await session.scalars(select(JobRow.id))) == [live.job_id]


async def test_a_task_of_another_is_not_there(
    client: httpx.AsyncClient, make_run: MakeRun, sign_in: SignIn, sessions: SessionFactory
) -> None:
    alice = await make_user(sessions, "alice", Role.MEMBER)
    run = await make_run(JobStatus.FAILED, owner=alice)
    run.log("secret")
    bob = await sign_in("bob", Role.MEMBER)
    path = f"{PATH}/{run.id}"
    reads = ["", "/logs", "/logs/stream", "/logs/download", "/metrics", "/events", "/samples"]
    reads += ["/checkpoints", "/events/stream", "/artifact", "/spec"]
    for read in reads:
        answer = await bob.get(path + read)
        assert (answer.status_code, answer.json()["code"]) == (404, "TaskNotFound"), read
    for action in ("stop", "restart", "resume"):
        assert (await bob.post(f"{path}/{action}")).status_code == 404
    assert (await bob.patch(path, json={"name": "mine"})).status_code == 404
    assert (await bob.delete(path)).status_code == 404
    assert await _list(bob) == []
    assert await _list(client) == ["support bot"]  # an administrator sees all
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(JobRow)) == 1


async def test_viewers_change_nothing(
    make_run: MakeRun, sign_in: SignIn, sessions: SessionFactory
) -> None:
    viewer = await sign_in("vera", Role.VIEWER)
    async with transaction(sessions) as session:
        vera = await session.scalar(select(UserRow).where(UserRow.username == "vera"))
        assert vera is not None
    run = await make_run(JobStatus.FAILED, owner=vera)  # made before she became a viewer
    assert (await viewer.get(f"{PATH}/{run.id}")).status_code == 200
    for answer in (
        await viewer.post(f"{PATH}/{run.id}/stop"),
        await viewer.patch(f"{PATH}/{run.id}", json={"name": "x"}),
        await viewer.delete(f"{PATH}/{run.id}"),
    ):
        assert answer.status_code == 403


async def test_the_spec_as_yaml_is_a_run_file(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    tmp_path: Path,
) -> None:
    async with transaction(sessions) as session:
        data = await add_dataset(session, settings, administrator.id, max_dropped_rows=2)
        model = await add_model(session, settings, reference="acme/tiny")
    body = {
        "name": "Lamp: bot #1",
        "model_id": str(model.id),
        "dataset_id": str(data.id),
        "hyperparameters": {"epochs": 2, "target_modules": ["q_proj"]},
        "output_name": "lamp-bot",
    }
    task = (await client.post(PATH, json=body)).json()
    answer = await client.get(f"{PATH}/{task['id']}/spec", params={"format": "yaml"})
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert data.sha256 in answer.text
    (tmp_path / "lamps.jsonl").write_text("{}\n")
    (tmp_path / "run.yaml").write_text(answer.text)
    read = train_file.read(tmp_path / "run.yaml")
    assert (read.name, read.model, read.output_name) == ("Lamp: bot #1", "acme/tiny", "lamp-bot")
    assert read.hyperparameters.model_dump() == task["hyperparameters"]
    assert read.dataset.max_dropped_rows == 2
    exact = yaml.safe_load((await client.get(f"{PATH}/{task['id']}/spec")).text)
    assert exact["dataset"]["path"].endswith(f"{data.id}/v1/records.parquet")
    assert exact["hyperparameters"] == task["hyperparameters"]


async def test_paths_of_the_host_are_for_administrators(
    make_run: MakeRun, sign_in: SignIn, sessions: SessionFactory
) -> None:
    bob = await sign_in("bob", Role.MEMBER)
    async with sessions() as session:
        owner = await session.scalar(select(UserRow).where(UserRow.username == "bob"))
        assert owner is not None
    run = await make_run(JobStatus.COMPLETED, owner=owner)
    exact = (await bob.get(f"{PATH}/{run.id}/spec")).json()
    assert exact["dataset"]["path"] == "records.jsonl"


@pytest.mark.parametrize("bad", ["not-a-uuid", str(UUID(int=0))])
async def test_unknown_ids(client: httpx.AsyncClient, bad: str) -> None:
    answer = await client.get(f"{PATH}/{bad}")
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"
