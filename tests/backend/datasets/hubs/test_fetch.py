"""What is chosen at a hub and imported, and what is refused; real HTTP, the real child."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.database import SessionFactory
from backend.datasets import files
from backend.settings import Settings
from tests.backend.datasets.conftest import API, run_import
from tests.backend.datasets.hubs.conftest import TWO, Fetch, rows, run_fetch
from tests.fakes.data_hub import DataHub

PATIENCE_S = 60.0
NAME = "some/talks"


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


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
async def test_pages_of_modelscope_and_its_own_description(fetch: Fetch, hub: DataHub) -> None:
    many = {f"images/{n:04}.png": b"x" for n in range(450)}
    told = b'{"default": {"train": {"meta": "z/a.csv"}, "test": {"meta": "z/b.csv"}}}'
    tables = {"z/a.csv": b"prompt,completion\na,b\n", "z/b.csv": b"prompt,completion\na,b\nc,d\n"}
    hub.add_data(NAME, {**many, **tables, "talks.json": told})
    dataset = await fetch(NAME, source="modelscope", split="test")
    assert (dataset["status"], dataset["num_rows"]) == ("ready", 2)
    assert len(hub.asked("PageNumber=")) == 3
