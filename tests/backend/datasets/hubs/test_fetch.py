"""Fetching from hubs: chosen, pinned, resumed, verified, imported; real HTTP, the real child."""

import hashlib
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from backend.database import SessionFactory, transaction
from backend.datasets import files
from backend.datasets.tables import DatasetRow
from backend.jobs.tables import JobRow
from backend.settings import Settings
from tests.backend.datasets.conftest import API, run_import
from tests.backend.datasets.hubs.conftest import Fetch, rows, run_fetch
from tests.fakes.data_hub import DataHub

NAME = "some/talks"
CARD = b"""---
license: mit
configs:
- config_name: short
  data_files:
  - split: train
    path: short/*.jsonl
- config_name: long
  default: true
  data_files:
  - split: train
    path: long/a.jsonl
  - split: test
    path: [long/b.jsonl]
---
# Talks
"""
TWO = {
    "README.md": CARD,
    "short/x.jsonl": rows(3, "short"),
    "long/a.jsonl": rows(4, "long"),
    "long/b.jsonl": rows(5, "held"),
}


@pytest.mark.parametrize("source", ["huggingface", "modelscope"])
async def test_single_file_becomes_a_ready_data_set(
    fetch: Fetch, hub: DataHub, client: httpx.AsyncClient, settings: Settings, source: str
) -> None:
    content = rows(20)
    repository = hub.add_data(NAME, {"README.md": b"# Talks", "data/talks.jsonl": content})
    dataset = await fetch(NAME, source=source, description="from there")
    assert (dataset["status"], dataset["num_rows"], dataset["error"]) == ("ready", 20, None)
    assert (dataset["name"], dataset["description"]) == (NAME, "from there")
    assert (dataset["filename"], dataset["size_bytes"]) == ("talks.jsonl", len(content))
    found = dataset["source"]
    assert (found["kind"], found["reference"], found["commit"]) == (source, NAME, repository.head)
    assert (found["subset"], found["split"], found["num_files"]) == ("default", "train", 1)
    assert (found["converted"], found["left_out"]) == (False, [])
    url = f"{API}/{dataset['id']}"
    assert (await client.get(f"{url}/file")).content == content
    page = (await client.get(f"{url}/rows", params={"limit": 1})).json()
    assert page["items"][0]["record"]["messages"][0]["content"] == "row 0?"
    # Every file was asked for at a commit, never at a branch.
    asked = hub.asked("resolve" if source == "huggingface" else "FilePath=")
    assert asked
    assert all(repository.head in each for each in asked)
    folder = files.dataset_dir(settings, UUID(dataset["id"]))
    assert sorted(p.name for p in folder.iterdir()) == ["upload", "v1"]


async def test_several_subsets_and_splits_are_asked_for_then_fetched(
    fetch: Fetch,
    hub: DataHub,
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
) -> None:
    hub.add_data(NAME, TWO)
    dataset = await fetch(NAME)
    assert (dataset["status"], dataset["error"]["code"]) == ("failed", "choose_subset")
    assert dataset["error"]["params"]["choices"] == "long, short"
    assert dataset["source"]["choices"] == [
        {"name": "long", "splits": ["train", "test"]},
        {"name": "short", "splits": ["train"]},
    ]
    assert not hub.asked(".jsonl")
    url = f"{API}/{dataset['id']}"

    async def choose(**choice: Any) -> dict[str, Any]:
        asked = await client.patch(url, json=choice)
        assert (asked.status_code, asked.json()["status"]) == (200, "importing"), asked.text
        await run_fetch(settings, sessions, dataset["id"])
        answer: dict[str, Any] = (await client.get(url)).json()
        return answer

    assert (await choose(subset="long"))["error"]["code"] == "choose_split"
    assert (await choose(subset="huge"))["error"]["code"] == "no_such_subset"
    wrong = await choose(subset="long", split="dev")
    assert (wrong["error"]["code"], wrong["error"]["params"]["split"]) == ("no_such_split", "dev")
    done = await choose(split="test")
    assert (done["status"], done["num_rows"], done["version"]) == ("ready", 5, 1)
    # Another choice of a data set that is ready makes another version.
    again = await choose(subset="short", split=None)
    assert (again["status"], again["num_rows"], again["version"]) == ("ready", 3, 2)
    assert again["source"]["split"] == "train"


async def test_mapping_of_what_was_fetched_imports_without_the_hub(
    fetch: Fetch,
    hub: DataHub,
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
) -> None:
    hub.add_data(NAME, {"train.csv": b"frage,antwort\na,b\nc,d\n"})
    dataset = await fetch(NAME)
    assert (dataset["status"], dataset["columns"]) == ("needs_mapping", ["frage", "antwort"])
    columns = {"prompt": "frage", "completion": "antwort"}
    url = f"{API}/{dataset['id']}"
    mapping = {"record_type": "prompt_completion", "columns": columns}
    asked = len(hub.requests)
    await client.patch(url, json={"mapping": mapping})
    await run_import(settings, sessions, dataset["id"])
    assert (await client.get(url)).json()["num_rows"] == 2
    assert len(hub.requests) == asked


async def test_revision_is_what_was_asked_for_and_stays_while_the_branch_moves(
    fetch: Fetch, hub: DataHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = hub.add_data(NAME, {"train.jsonl": rows(2)}, {"train.jsonl": rows(3)})
    old = await fetch(NAME, revision=repository.commit_of(0))
    assert (old["num_rows"], old["source"]["commit"]) == (2, repository.commit_of(0))
    from backend.datasets.hubs import choice

    choose = choice.choose

    def move_then_choose(*arguments: Any) -> Any:
        repository.commits.append({"train.jsonl": rows(9)})
        return choose(*arguments)

    monkeypatch.setattr(choice, "choose", move_then_choose)
    for source in ("huggingface", "modelscope"):
        expected, commit = len(repository.commits[-1]["train.jsonl"].splitlines()), repository.head
        dataset = await fetch(NAME, source=source)
        assert (dataset["num_rows"], dataset["source"]["commit"]) == (expected, commit)


async def test_connection_that_breaks_is_taken_up_where_it_was(fetch: Fetch, hub: DataHub) -> None:
    content = rows(2000)
    hub.add_data(NAME, {"train.jsonl": content}, cut_after=[40_000, 30_000])
    dataset = await fetch(NAME)
    assert (dataset["status"], dataset["num_rows"]) == ("ready", 2000)
    ranges = [asked for path, asked in hub.requests if path.startswith("/large/")]
    assert ranges[0] is None
    assert all(int(asked.removeprefix("bytes=").rstrip("-")) > 0 for asked in ranges[1:] if asked)
    assert len(ranges) == 3


async def test_second_try_goes_on_with_what_the_first_left(
    fetch: Fetch,
    hub: DataHub,
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
) -> None:
    repository = hub.add_data(NAME, {"train.jsonl": rows(2000)}, cut_after=[40_000] + [0] * 20)
    dataset = await fetch(NAME)
    assert dataset["error"]["code"] == "hub_unreachable"
    repository.cut_after = []
    before = len(hub.requests)
    await client.patch(f"{API}/{dataset['id']}", json={"revision": None})
    await run_fetch(settings, sessions, dataset["id"])
    done = (await client.get(f"{API}/{dataset['id']}")).json()
    assert (done["status"], done["num_rows"]) == ("ready", 2000)
    ranges = [asked for path, asked in hub.requests[before:] if path.startswith("/large/")]
    assert [int(asked.removeprefix("bytes=").rstrip("-")) > 8000 for asked in ranges if asked] == [
        True
    ]


@pytest.mark.parametrize("lie", [7, -7])
@pytest.mark.parametrize("name", ["train.jsonl", "train.csv"])
async def test_size_that_is_not_true_is_found_out(
    fetch: Fetch, hub: DataHub, settings: Settings, lie: int, name: str
) -> None:
    content = rows(2000) if name.endswith("l") else b"prompt,completion\n" + b"a,b\n" * 9000
    hub.add_data(NAME, {name: content}, lie_bytes=lie)
    dataset = await fetch(NAME)
    assert (dataset["status"], dataset["error"]["code"]) == ("failed", "hub_damaged_file")
    folder = files.dataset_dir(settings, UUID(dataset["id"])) / "fetched"
    assert [p for p in folder.rglob("*") if p.is_file()] == []


async def test_damaged_file_is_fetched_again_then_given_up(fetch: Fetch, hub: DataHub) -> None:
    repository = hub.add_data(NAME, {"train.jsonl": rows(9)}, damaged=1)
    assert (await fetch(NAME))["num_rows"] == 9
    repository.damaged = 2
    assert (await fetch(NAME))["error"]["code"] == "hub_damaged_file"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"gated": True}, "hub_gated"),
        ({"closed": 401}, "hub_not_found"),
        ({"closed": 403}, "hub_not_found"),
        ({"closed": 404}, "hub_not_found"),
        ({"closed": 429}, "hub_busy"),
        ({"closed": 500}, "hub_unreachable"),
        ({"closed_files": 403}, "hub_gated"),
        ({"closed_files": 404}, "hub_not_found"),
        ({"closed_files": 429}, "hub_busy"),
        ({"closed_files": 503}, "hub_unreachable"),
    ],
)
async def test_refusals_of_the_hub_are_sentences(
    fetch: Fetch, hub: DataHub, options: dict[str, Any], code: str
) -> None:
    hub.add_data(NAME, {"train.jsonl": rows(2)}, **options)
    dataset = await fetch(NAME)
    assert (dataset["status"], dataset["error"]["code"]) == ("failed", code)
    assert len(dataset["error"]["message"]) > 20
    assert len(dataset["error"]["hint"]) > 20


async def test_unknown_revision_and_hub_that_is_gone(
    fetch: Fetch, hub: DataHub, settings: Settings
) -> None:
    hub.add_data(NAME, {"train.jsonl": rows(2)})
    for source in ("huggingface", "modelscope"):
        dataset = await fetch(NAME, source=source, revision="v9")
        assert dataset["error"]["code"] == "hub_not_found"
        assert "some/talks@v9" in dataset["error"]["message"]
    settings.hf_endpoint = "http://127.0.0.1:1"
    assert (await fetch(NAME))["error"]["code"] == "hub_unreachable"


async def test_script_is_never_run_but_what_the_hub_converted_is_used(
    fetch: Fetch, hub: DataHub
) -> None:
    scripted = {"talks.py": b"raise SystemExit", "train.jsonl": rows(2)}
    hub.add_data(NAME, scripted)
    refused = await fetch(NAME)
    assert refused["error"]["code"] == "hub_script_only"
    assert refused["error"]["params"]["script"] == "talks.py"
    assert not hub.asked("talks.py")
    converted = {"default/train/0000.parquet": b"PAR1", "default/partial-test/0000.parquet": b"P"}
    hub.add_data(NAME, scripted, converted=converted)
    asked = await fetch(NAME)
    assert asked["source"]["choices"] == [{"name": "default", "splits": ["test", "train"]}]
    # A revision of its own is not what the hub converted.
    own = await fetch(NAME, revision=hub.data[NAME].commit_of(0))
    assert own["error"]["code"] == "hub_script_only"


async def test_nothing_that_can_be_read(fetch: Fetch, hub: DataHub) -> None:
    hub.add_data(NAME, {"README.md": b"# x", "a.png": b"x", "config.json": b"{}"})
    dataset = await fetch(NAME)
    assert dataset["error"]["code"] == "hub_no_data_files"


async def test_names_that_lead_out_are_never_paths(
    fetch: Fetch, hub: DataHub, settings: Settings
) -> None:
    bad = {
        "../../outside.jsonl": rows(1),
        "/etc/x.jsonl": rows(1),
        "a/../../b.jsonl": rows(1),
        "a\\b.jsonl": rows(1),
        "c\n.jsonl": rows(1),
    }
    hub.add_data(NAME, {**bad, "good.jsonl": rows(4)})
    dataset = await fetch(NAME)
    assert (dataset["status"], dataset["num_rows"]) == ("ready", 4)
    assert dataset["source"]["num_files"] == 1
    hub.add_data(NAME, bad)
    assert (await fetch(NAME))["error"]["code"] == "hub_no_data_files"
    names = {p.name for p in settings.data_dir.rglob("*")}
    assert not {"outside.jsonl", "x.jsonl", "b.jsonl"} & names


async def test_larger_than_allowed_and_full_disk(
    fetch: Fetch, hub: DataHub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add_data(NAME, {"train.jsonl": rows(30_000)})
    settings.max_upload_mb = 1
    large = await fetch(NAME)
    assert (large["error"]["code"], large["error"]["params"]["allowed"]) == ("hub_too_large", 1)
    assert not hub.asked(".jsonl")
    monkeypatch.setattr("backend.datasets.hubs.queue.RESERVE_BYTES", 1 << 60)
    settings.max_upload_mb = 1000
    assert (await fetch(NAME))["error"]["code"] == "disk_full"


async def test_stop_ends_it_and_the_next_try_goes_on(
    fetch: Fetch, hub: DataHub, monkeypatch: pytest.MonkeyPatch, sessions: SessionFactory
) -> None:
    from backend.datasets.hubs import job

    hub.add_data(NAME, {"train.jsonl": rows(2000)})
    call = job.Ticker.__call__

    def stop_halfway(self: Any, done: int, detail: str | None = None) -> None:
        if done > 50_000:
            (self._control / "stop").touch()
        call(self, done, detail)

    monkeypatch.setattr(job.Ticker, "__call__", stop_halfway)
    dataset = await fetch(NAME)
    assert (dataset["status"], dataset["error"]["code"]) == ("failed", "import_stopped")
    async with transaction(sessions) as session:
        ended = (await session.scalars(select(JobRow))).one()
    assert ended.status == "STOPPED"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"reference": "../etc"}, 400, "BadHubId"),
        ({"reference": "a/b/../../c"}, 400, "BadHubId"),
        ({"reference": "http://[x/a/b"}, 400, "BadHubId"),
        ({"reference": "squad"}, 400, "BadHubId"),
        ({"revision": "../../x"}, 400, "BadRevision"),
        ({"revision": "a b"}, 400, "BadRevision"),
        ({"source": "github"}, 422, "InvalidRequest"),
        ({"reference": 7}, 422, "InvalidRequest"),
        ({"subset": "x\0"}, 422, "InvalidRequest"),
        ({"split": "x" * 201}, 422, "InvalidRequest"),
        ({"trust_remote_code": True}, 422, "InvalidRequest"),
        ({"mapping": {"record_type": "preference", "columns": {}}}, 400, "BadMapping"),
    ],
)
async def test_what_is_not_in_order_is_refused_before_anything(
    client: httpx.AsyncClient,
    hub: DataHub,
    sessions: SessionFactory,
    body: dict[str, Any],
    status: int,
    code: str,
) -> None:
    whole = {"source": "huggingface", "reference": NAME, **body}
    answer = await client.post(API, json=whole)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert hub.requests == []
    async with transaction(sessions) as session:
        assert (await session.scalars(select(DatasetRow))).all() == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff", b"[" * 9999])
async def test_rubbish_for_a_body(client: httpx.AsyncClient, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post(API, content=content, headers=headers)
    assert answer.status_code == 422, answer.text


async def test_offline_and_not_from_a_hub(
    client: httpx.AsyncClient, hub: DataHub, settings: Settings
) -> None:
    hub.add_data(NAME, TWO)
    body = {"source": "huggingface", "reference": f"{hub.url}/datasets/{NAME}/tree/main"}
    posted = await client.post(API, json=body)
    assert posted.json()["source"]["reference"] == NAME
    uploaded = await client.post(API, files={"file": ("a.jsonl", rows(1))})
    settings.offline = True
    refused = await client.post(API, json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "DatasetHubOffline")
    url = f"{API}/{uploaded.json()['id']}"
    busy = await client.patch(url, json={"subset": "x"})
    assert (busy.status_code, busy.json()["code"]) == (409, "DatasetBusy")


async def test_same_key_makes_one_data_set(
    client: httpx.AsyncClient, hub: DataHub, sessions: SessionFactory
) -> None:
    body = {"source": "huggingface", "reference": NAME}
    both = [await client.post(API, json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert both[0].json()["id"] == both[1].json()["id"]
    other = await client.post(API, json={**body, "split": "test"}, headers={"Idempotency-Key": "k"})
    assert other.status_code == 422


async def test_hash_of_the_upload_is_that_of_the_file(
    fetch: Fetch, hub: DataHub, sessions: SessionFactory
) -> None:
    content = rows(3)
    hub.add_data(NAME, {"train.jsonl": content})
    await fetch(NAME)
    async with transaction(sessions) as session:
        row = (await session.scalars(select(DatasetRow))).one()
    assert row.upload_sha256 == hashlib.sha256(content).hexdigest()
