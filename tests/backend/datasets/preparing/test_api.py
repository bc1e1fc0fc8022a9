"""Preparing through the API: versions with their lineage, refusals, trials, giving up."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.accounts.schemas import Role
from backend.database import SessionFactory, transaction
from backend.datasets import files
from backend.jobs import service as jobs
from backend.jobs.schemas import JobStatus
from backend.processes.spawn import environment, python_module
from backend.settings import PROJECT_ROOT, Settings
from tests.backend.datasets.conftest import API, Import
from tests.backend.datasets.preparing.conftest import (
    Prepare,
    claim,
    end,
    folder_of,
    run_preparation,
)
from tests.backend.datasets.stored import lines_of
from tests.conftest import SignIn

LINES = "".join(
    json.dumps({"instruction": f"Question {n}", "output": f"Answer {n % 4}", "lang": "en"}) + "\n"
    for n in range(40)
)
CHAT = json.dumps({"messages": [{"role": "user", "content": "Q"},
                                {"role": "assistant", "content": "A"}]}) + "\n"  # fmt: skip
KEEP_ANSWER_1 = {
    "kind": "filter",
    "conditions": [{"field": "answer", "op": "equals", "value": "Answer 1"}],
}
SAMPLE = {"kind": "sample", "rows": 5, "seed": 7}


async def newest(client: httpx.AsyncClient, dataset_id: str) -> dict[str, Any]:
    answer = await client.get(f"{API}/{dataset_id}/versions")
    found: dict[str, Any] = answer.json()["items"][0]
    return found


async def test_a_version_knows_what_it_was_made_of(
    upload: Import, prepare: Prepare, client: httpx.AsyncClient, settings: Settings
) -> None:
    dataset = await upload("a.jsonl", LINES)
    other = await upload("b.jsonl", LINES.replace("Answer", "Other"))
    split = {"kind": "split", "fractions": {"validation": 0.2}}
    concatenate = {"kind": "concatenate", "sources": [{"dataset_id": other["id"]}]}
    after = await prepare(dataset["id"], [KEEP_ANSWER_1, concatenate, split])
    assert (after["id"], after["version"], after["status"]) == (dataset["id"], 2, "ready")
    assert (after["num_rows"], after["preparation"]) == (50, None)
    version = await newest(client, dataset["id"])
    assert (version["parent"], version["made_by"], version["is_current"]) == (1, "admin", True)
    named = {"dataset_id": other["id"], "version": 1, "name": other["name"]}
    assert version["sources"] == [named]
    assert version["splits"] == {"train": 40, "validation": 10}
    first, second, third = version["steps"]
    assert first["conditions"][0] == {**KEEP_ANSWER_1["conditions"][0], "ignore_case": False}  # type: ignore[index]
    assert second["sources"] == [{"dataset_id": other["id"], "version": 1}]
    assert (third["seed"], third["order"]) == (0, ["train", "validation"])
    numbers = [(step["rows_in"], step["rows_out"]) for step in version["steps"]]
    assert numbers == [(40, 10), (10, 50), (50, 50)]
    found = (await client.get(f"{API}/{dataset['id']}/statistics")).json()
    assert (found["num_turns"], found["roles"]["user"]) == ({"2": 50}, 50)
    assert [field["name"] for field in found["fields"]] == ["messages", "lang"]
    report = (await client.get(f"{API}/{dataset['id']}/report")).json()
    assert (report["total_rows"], report["items"]) == (50, [])
    rows = (await client.get(f"{API}/{dataset['id']}/rows", params={"split": "validation"})).json()
    assert rows["total"] == 10
    difference = await client.get(f"{API}/{dataset['id']}/versions/2/diff?against=1")
    assert difference.json()["unchanged"] == 10
    staging = files.staging_dir(settings, UUID(dataset["id"]))
    assert not staging.exists()


async def test_the_same_steps_make_the_same_bytes(
    upload: Import, prepare: Prepare, settings: Settings
) -> None:
    dataset = await upload("a.jsonl", LINES)
    steps = [SAMPLE, {"kind": "shuffle", "seed": 3}]
    made = [await prepare(dataset["id"], steps, name=name) for name in ("one", "two")]
    again = await prepare(dataset["id"], steps)
    assert len({each["sha256"] for each in [*made, again]}) == 1
    folders = [files.version_dir(settings, UUID(each["id"]), 1) for each in made]
    assert lines_of(folders[0]) == lines_of(folders[1])
    records = {(folder / "records.parquet").read_bytes() for folder in folders}
    assert len(records) == 1


async def test_a_new_data_set_is_made_and_the_old_one_stays(
    upload: Import, prepare: Prepare, client: httpx.AsyncClient
) -> None:
    dataset = await upload("a.jsonl", LINES)
    made = await prepare(dataset["id"], [SAMPLE], name="Five", description="Of forty")
    assert made["id"] != dataset["id"]
    assert (made["name"], made["description"], made["filename"]) == ("Five", "Of forty", None)
    assert (made["status"], made["version"], made["num_rows"]) == ("ready", 1, 5)
    version = await newest(client, made["id"])
    named = {"dataset_id": dataset["id"], "version": 1, "name": dataset["name"]}
    assert (version["parent"], version["sources"]) == (None, [named])
    assert (await client.get(f"{API}/{dataset['id']}")).json()["version"] == 1
    again = await client.patch(f"{API}/{made['id']}", json={"mapping": None})
    assert (again.status_code, again.json()["code"]) == (409, "NoUpload")


async def test_while_it_runs_the_data_set_stays_usable(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES)
    path = f"{API}/{dataset['id']}"
    answer = await client.post(f"{path}/prepare", json={"steps": [SAMPLE]})
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["status"], shown["version"], shown["num_rows"]) == ("ready", 1, 40)
    running = shown["preparation"]
    assert (running["status"], running["progress"], running["version"]) == ("running", 0.0, 2)
    assert running["steps"][0]["kind"] == "sample"
    assert (await client.get(f"{path}/rows")).json()["total"] == 40
    for call in (
        client.post(f"{path}/prepare", json={"steps": [SAMPLE]}),
        client.patch(path, json={"mapping": None}),
    ):
        refused = await call
        assert (refused.status_code, refused.json()["code"]) == (409, "DatasetBusy")
    await run_preparation(settings, sessions, dataset["id"])
    shown = (await client.get(path)).json()
    assert (shown["version"], shown["num_rows"], shown["preparation"]) == (2, 5, None)


@pytest.mark.long
async def test_no_row_left_is_a_sentence_and_can_be_dismissed(
    upload: Import, prepare: Prepare, client: httpx.AsyncClient, settings: Settings
) -> None:
    dataset = await upload("a.jsonl", LINES)
    nothing = {"kind": "filter", "conditions": [{"field": "label", "op": "present"}]}
    after = await prepare(dataset["id"], [nothing])
    assert (after["status"], after["version"], after["num_rows"]) == ("ready", 1, 40)
    failed = after["preparation"]
    assert failed["status"] == "failed"
    assert failed["error"]["message"] == "Step 1 (filter) leaves no row of 40."
    params = {"step": 1, "kind": "filter", "rows_in": 40, "dropped": 0}
    assert (failed["error"]["code"], failed["error"]["params"]) == ("no_row_left", params)
    assert failed["error"]["hint"]
    assert not files.staging_dir(settings, UUID(dataset["id"])).exists()
    dismissed = await client.delete(f"{API}/{dataset['id']}/prepare")
    assert (dismissed.status_code, dismissed.json()["preparation"]) == (200, None)
    again = await client.delete(f"{API}/{dataset['id']}/prepare")
    assert (again.status_code, again.json()["code"]) == (404, "NothingPrepared")
    new = await prepare(dataset["id"], [nothing], name="Empty")
    assert (new["status"], new["num_rows"]) == ("failed", None)
    assert new["error"]["code"] == "no_row_left"


@pytest.mark.long
@pytest.mark.parametrize("name", [None, "New"])
async def test_a_queued_one_is_stopped_at_once(
    upload: Import, client: httpx.AsyncClient, name: str | None
) -> None:
    dataset = await upload("a.jsonl", LINES)
    body = {"steps": [SAMPLE], **({"name": name} if name else {})}
    made = (await client.post(f"{API}/{dataset['id']}/prepare", json=body)).json()
    stopped = await client.delete(f"{API}/{made['id']}/prepare")
    assert (stopped.status_code, stopped.json()["preparation"]) == (200, None)
    assert stopped.json()["status"] == ("failed" if name else "ready")
    if name:
        assert stopped.json()["error"]["code"] == "preparation_stopped"


@pytest.mark.long
async def test_an_import_is_not_taken_for_a_preparation(
    upload: Import, prepare: Prepare, client: httpx.AsyncClient
) -> None:
    dataset = await upload("a.jsonl", LINES)
    path = f"{API}/{dataset['id']}"
    await prepare(dataset["id"], [SAMPLE])
    again = await client.patch(path, json={"mapping": None})
    assert again.json()["status"] == "importing"
    refused = await client.delete(f"{path}/prepare")
    assert (refused.status_code, refused.json()["code"]) == (404, "NothingPrepared")
    assert (await client.get(path)).json()["status"] == "importing"
    # What it was until now can still be read.
    answer = await client.post(f"{path}/prepare", json={"steps": [SAMPLE], "name": "Of the old"})
    assert answer.status_code == 202


async def test_a_running_one_is_stopped(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES)
    path = f"{API}/{dataset['id']}/prepare"
    await client.post(path, json={"steps": [SAMPLE]})
    job = await claim(settings, sessions, dataset["id"])
    shown = (await client.delete(path)).json()
    assert shown["preparation"]["status"] == "running"  # until it has obeyed
    command = folder_of(settings, job).path / "control" / "stop"
    command.parent.mkdir(exist_ok=True)
    command.touch()
    child = subprocess.run(
        python_module("backend.datasets.preparing.job", str(folder_of(settings, job).path)),
        env=environment(),
        check=False,
        cwd=PROJECT_ROOT,
    )
    assert child.returncode == 3
    job = await end(settings, sessions, job)
    assert job.status == JobStatus.STOPPED
    shown = (await client.get(f"{API}/{dataset['id']}")).json()
    assert (shown["preparation"], shown["version"], shown["status"]) == (None, 1, "ready")


@pytest.mark.long
async def test_one_that_is_killed_leaves_nothing_half(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    many = "".join(
        json.dumps({"instruction": f"Question {n}", "output": "A" * 200}) + "\n"
        for n in range(30_000)
    )
    dataset = await upload("a.jsonl", many)
    await client.post(f"{API}/{dataset['id']}/prepare", json={"steps": [{"kind": "shuffle"}]})
    job = await claim(settings, sessions, dataset["id"])
    run_dir = folder_of(settings, job).path
    child = subprocess.Popen(
        [sys.executable, "-m", "backend.datasets.preparing.job", str(run_dir)],
        env=environment(),
        cwd=PROJECT_ROOT,
    )
    buckets = files.staging_dir(settings, UUID(dataset["id"])) / "1.steps" / "0" / "buckets"
    while not buckets.exists() and child.poll() is None:
        time.sleep(0.01)
    assert buckets.exists()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    await end(settings, sessions, job)
    shown = (await client.get(f"{API}/{dataset['id']}")).json()
    assert (shown["version"], shown["num_rows"], shown["status"]) == (1, 30_000, "ready")
    assert shown["preparation"]["status"] == "failed"
    folder = files.dataset_dir(settings, UUID(dataset["id"]))
    assert sorted(path.name for path in folder.iterdir()) == ["upload", "v1"]


@pytest.mark.long
async def test_a_source_that_is_deleted_meanwhile_is_told(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset, other = await upload("a.jsonl", LINES), await upload("b.jsonl", LINES)
    step = {"kind": "concatenate", "sources": [{"dataset_id": other["id"]}]}
    await client.post(f"{API}/{dataset['id']}/prepare", json={"steps": [step]})
    assert (await client.delete(f"{API}/{other['id']}")).status_code == 204
    await run_preparation(settings, sessions, dataset["id"])
    shown = (await client.get(f"{API}/{dataset['id']}")).json()
    assert shown["version"] == 1
    error = shown["preparation"]["error"]
    assert error["message"] == "A version that rows were to be taken from is no longer there."
    assert (error["code"], error["params"]) == ("source_gone", {})


@pytest.mark.long
async def test_a_data_set_that_is_deleted_meanwhile_stays_deleted(
    upload: Import, client: httpx.AsyncClient, settings: Settings, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES)
    await client.post(f"{API}/{dataset['id']}/prepare", json={"steps": [SAMPLE]})
    job = await claim(settings, sessions, dataset["id"])
    assert (await client.delete(f"{API}/{dataset['id']}")).status_code == 204
    subprocess.run(
        python_module("backend.datasets.preparing.job", str(folder_of(settings, job).path)),
        env=environment(),
        check=False,
        cwd=PROJECT_ROOT,
    )
    await end(settings, sessions, job)
    assert not files.dataset_dir(settings, UUID(dataset["id"])).exists()
    shutil.rmtree(folder_of(settings, job).path)


@pytest.mark.long
async def test_a_repeated_request_makes_one_data_set(
    upload: Import, client: httpx.AsyncClient, sessions: SessionFactory
) -> None:
    dataset = await upload("a.jsonl", LINES)
    path, headers = f"{API}/{dataset['id']}/prepare", {"Idempotency-Key": "k1"}
    body = {"steps": [SAMPLE], "name": "Once"}
    answers = [await client.post(path, json=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    other = await client.post(path, json={**body, "name": "Else"}, headers=headers)
    assert other.json()["code"] == "IdempotencyKeyReused"
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, UUID(answers[0].json()["id"]), "prepare_dataset")
    assert job is not None


@pytest.mark.long
async def test_sources_of_others_are_not_found(
    upload: Import, client: httpx.AsyncClient, sign_in: SignIn, prepare: Prepare
) -> None:
    mine = await upload("a.jsonl", LINES)
    bob = await sign_in("bob", Role.MEMBER)
    own = await bob.post(API, files={"file": ("b.jsonl", LINES.encode())}, data={})
    assert own.status_code == 202
    path = f"{API}/{mine['id']}/prepare"
    for method, where, body in (
        ("POST", path, {"steps": [SAMPLE]}),
        ("POST", path, {"steps": [SAMPLE], "name": "Mine now"}),
        ("POST", f"{path}/preview", {"steps": [SAMPLE]}),
        ("DELETE", path, None),
        ("GET", f"{API}/{mine['id']}/export?format=jsonl", None),
    ):
        refused = await bob.request(method, where, json=body)
        assert (refused.status_code, refused.json()["code"]) == (404, "DatasetNotFound")


@pytest.mark.long
async def test_another_users_rows_do_not_come_along(
    upload: Import,
    client: httpx.AsyncClient,
    sign_in: SignIn,
    settings: Settings,
    sessions: SessionFactory,
) -> None:
    from tests.backend.datasets.conftest import run_import

    mine = await upload("a.jsonl", LINES)
    bob = await sign_in("bob", Role.MEMBER)
    his = (await bob.post(API, files={"file": ("b.jsonl", LINES.encode())}, data={})).json()
    await run_import(settings, sessions, his["id"])
    for kind, more in (("concatenate", {}), ("mix", {"weight": 1})):
        source = {"dataset_id": mine["id"], **({"weight": 1} if kind == "mix" else {})}
        steps = [{"kind": kind, "sources": [source], **more}]
        for path in ("prepare", "prepare/preview"):
            refused = await bob.post(f"{API}/{his['id']}/{path}", json={"steps": steps})
            assert (refused.status_code, refused.json()["code"]) == (404, "SourceNotFound")
            assert refused.json()["errors"][0]["pointer"] == "/steps/0/sources/0"
    viewer = await sign_in("eve", Role.VIEWER)
    refused = await viewer.post(f"{API}/{his['id']}/prepare", json={"steps": [SAMPLE]})
    assert refused.status_code == 404


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"kind": "filter", "conditions": [{"field": "text", "op": "matches", "value": "(a"}]}, 400,
     "BadExpression"),
    ({"kind": "filter",
      "conditions": [{"field": "text", "op": "matches", "value": r"(a)\1"}]}, 400,
     "BadExpression"),
    ({"kind": "filter",
      "conditions": [{"field": "text", "op": "matches", "value": "((a{900}){900})"}]}, 400,
     "BadExpression"),
    ({"kind": "map", "changes": [
        {"kind": "replace", "find": "a", "with": r"\4", "regex": True}]}, 400, "BadExpression"),
    ({"kind": "map", "changes": [{"kind": "rename_label", "from": 1, "to": 2}]}, 400,
     "ChangeDoesNotFit"),
    ({"kind": "exclude", "findings": ["email"]}, 409, "NotExamined"),
    ({"kind": "exclude", "rows": [40]}, 400, "NoSuchRow"),
    ({"kind": "exclude"}, 422, "InvalidRequest"),
    ({"kind": "exclude", "findings": ["nothing"]}, 422, "InvalidRequest"),
    ({"kind": "sample"}, 422, "InvalidRequest"),
    ({"kind": "sample", "rows": 1, "fraction": 0.5}, 422, "InvalidRequest"),
    ({"kind": "split", "fractions": {"a": 0.6, "b": 0.5}}, 422, "InvalidRequest"),
    ({"kind": "split", "fractions": {"A b": 0.6}}, 422, "InvalidRequest"),
    ({"kind": "split", "fractions": {"a": 0.1}, "by": "group"}, 422, "InvalidRequest"),
    ({"kind": "filter", "conditions": [{"field": "nonsense", "op": "present"}]}, 422,
     "InvalidRequest"),
    ({"kind": "filter", "conditions": [{"field": "text", "op": "one_of", "value": "a"}]}, 422,
     "InvalidRequest"),
    ({"kind": "explode"}, 422, "InvalidRequest"),
    ({"kind": "concatenate",
      "sources": [{"dataset_id": "00000000-0000-0000-0000-000000000001"}]}, 404,
     "SourceNotFound"),
]  # fmt: skip


@pytest.mark.long
async def test_what_can_not_be_done_is_refused_before_anything_is_queued(
    upload: Import, client: httpx.AsyncClient
) -> None:
    dataset = await upload("a.jsonl", LINES)
    for step, status, code in BAD:
        for path in ("prepare", "prepare/preview"):
            answer = await client.post(f"{API}/{dataset['id']}/{path}", json={"steps": [step]})
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (status, code), (step, problem)
            assert problem["detail"].strip()
            assert not re.search(r"\{[a-z_]+\}", problem["detail"])
    assert (await client.get(f"{API}/{dataset['id']}")).json()["preparation"] is None


@pytest.mark.long
async def test_records_of_other_types_are_refused_by_name(
    upload: Import, client: httpx.AsyncClient
) -> None:
    dataset, chat = await upload("a.jsonl", LINES), await upload("chat.jsonl", CHAT)
    steps = [{"kind": "concatenate", "sources": [{"dataset_id": chat["id"]}]}]
    path = f"{API}/{dataset['id']}/prepare"
    refused = await client.post(path, json={"steps": steps})
    assert (refused.status_code, refused.json()["code"]) == (409, "DifferentRecords")
    assert "“chat” has conversational records" in refused.json()["detail"]
    fit = [{"kind": "map", "changes": [{"kind": "to_conversational"}]}, *steps]
    assert (await client.post(path, json={"steps": fit})).status_code == 202
    blocked = await upload("c.jsonl", LINES + '{"instruction": "x", "output": ""}\n')
    assert blocked["status"] == "blocked"
    refused = await client.post(f"{API}/{blocked['id']}/prepare", json={"steps": [SAMPLE]})
    assert (refused.status_code, refused.json()["code"]) == (409, "NotPreparable")


async def test_steps_are_tried_out(upload: Import, client: httpx.AsyncClient) -> None:
    dataset = await upload("a.jsonl", LINES)
    change = {"kind": "map", "changes": [{"kind": "set_system", "text": "Be kind."}]}
    split = {"kind": "split", "fractions": {"test": 0.2}}
    body = {"steps": [KEEP_ANSWER_1, change, split]}
    answer = await client.post(f"{API}/{dataset['id']}/prepare/preview", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["num_rows"], found["tried_rows"], found["exact"]) == (40, 40, True)
    steps = [(s["kind"], s["rows_in"], s["rows_out"], s["exact"]) for s in found["steps"]]
    assert steps == [("filter", 40, 10, True), ("map", 10, 10, True), ("split", 10, 10, True)]
    assert found["splits"] == {"train": 8, "test": 2}
    first = found["items"][0]
    assert (first["origin"], len(first["before"]["messages"])) == (1, 2)
    assert first["after"]["messages"][0] == {"role": "system", "content": "Be kind."}
    assert first["before"]["meta"] == {"line": 2, "extra": {"lang": "en"}}
    assert [row["index"] for row in found["removed"][:4]] == [0, 2, 3, 4]
    assert len(found["removed"]) == 20
    nothing = {"kind": "filter", "conditions": [{"field": "label", "op": "present"}]}
    found = (
        await client.post(f"{API}/{dataset['id']}/prepare/preview", json={"steps": [nothing]})
    ).json()
    assert (found["items"], found["steps"][0]["rows_out"]) == ([], 0)
    late = {"kind": "split", "by": "time", "field": "extra.at", "fractions": {"test": 0.1}}
    refused = await client.post(f"{API}/{dataset['id']}/prepare/preview", json={"steps": [late]})
    assert (refused.status_code, refused.json()["code"]) == (400, "CanNotBePrepared")
    assert "(row 1)" in refused.json()["detail"]
    assert refused.json()["params"]["reason_code"] == "no_time"


@pytest.mark.long
async def test_a_large_version_is_tried_in_part(upload: Import, client: httpx.AsyncClient) -> None:
    many = "".join(
        json.dumps({"instruction": f"Question {n}", "output": f"Answer {n % 4}"}) + "\n"
        for n in range(60_000)
    )
    dataset = await upload("a.jsonl", many)
    sample = {"kind": "sample", "rows": 30_000}
    body = {"steps": [sample, KEEP_ANSWER_1, {"kind": "shuffle"}]}
    started = time.monotonic()
    found = (await client.post(f"{API}/{dataset['id']}/prepare/preview", json=body)).json()
    assert time.monotonic() - started < 30
    assert (found["num_rows"], found["exact"]) == (60_000, False)
    assert found["tried_rows"] < 10_000
    first, second, third = found["steps"]
    assert (first["rows_out"], first["exact"]) == (30_000, True)
    assert (second["exact"], third["exact"]) == (False, False)
    assert abs(second["rows_out"] - 7500) < 750
    assert third["rows_out"] == second["rows_out"]
    assert len(found["items"]) == 20
