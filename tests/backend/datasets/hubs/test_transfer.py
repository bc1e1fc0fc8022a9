"""How files come over from a hub: pinned, resumed, verified; real HTTP, the real child."""

import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import polars as pl
import pytest
from sqlalchemy import select

from backend.database import SessionFactory, transaction
from backend.datasets import files
from backend.datasets.hubs.obtain import obtain
from backend.datasets.tables import DatasetRow
from backend.settings import Settings
from tests.backend.datasets.hubs.conftest import Fetch, rows
from tests.backend.datasets.stored import records_of
from tests.fakes.data_hub import DataHub

PATIENCE_S = 60.0
NAME = "some/talks"


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


async def test_hash_of_the_upload_is_that_of_the_file(
    fetch: Fetch, hub: DataHub, sessions: SessionFactory
) -> None:
    content = rows(3)
    hub.add_data(NAME, {"train.jsonl": content})
    await fetch(NAME)
    async with transaction(sessions) as session:
        row = (await session.scalars(select(DatasetRow))).one()
    assert row.upload_sha256 == hashlib.sha256(content).hexdigest()


async def test_modelscope_that_does_not_serve_commits_is_asked_by_branch(
    fetch: Fetch, hub: DataHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = hub.add_data(NAME, {"train.jsonl": rows(3)}, {"train.jsonl": rows(4)})
    at = type(repository).at

    def by_branch(self: Any, revision: str) -> Any:
        internal = "/large/" in hub.queries[-1]
        return at(self, revision) if revision == "master" or internal else None

    monkeypatch.setattr(type(repository), "at", by_branch)
    dataset = await fetch(NAME, source="modelscope")
    assert (dataset["status"], dataset["num_rows"]) == ("ready", 4)
    # What the branch has become meanwhile is found out by the hash.

    def moved(self: Any, revision: str) -> Any:
        found = by_branch(self, revision)
        changed = found and "/tree" not in hub.queries[-1]
        return (found[0], {"train.jsonl": rows(4, "now")}) if changed else found

    monkeypatch.setattr(type(repository), "at", moved)
    assert (await fetch(NAME, source="modelscope"))["error"]["code"] == "hub_damaged_file"


def _packed(name: str, lines: bytes) -> bytes:
    """The same rows in the kind of file that a name means."""
    if name.endswith(".parquet"):
        content = io.BytesIO()
        pl.DataFrame([json.loads(line) for line in lines.splitlines()]).write_parquet(content)
        return content.getvalue()
    return gzip.compress(lines, mtime=0) if name.endswith(".gz") else lines


@pytest.mark.parametrize("name", ["train-{}.jsonl", "train-{}.parquet", "train-{}.jsonl.gz"])
def test_shards_arrive_in_order_and_are_verified(hub: DataHub, tmp_path: Path, name: str) -> None:
    """All files of a split go to the import in one piece, whatever their kind."""
    paths = ["data/" + name.format(f"{n:05}-of-00003") for n in range(3)]
    contents = {path: _packed(path, rows(40, f"shard {n}")) for n, path in enumerate(paths)}
    hub.add_data(NAME, {"README.md": b"# x", **contents})
    spec = {
        **{"source": "huggingface", "endpoint": hub.url, "reference": NAME},
        **dict.fromkeys(("subset", "split", "revision", "mapping", "options")),
        **{"fetched": str(tmp_path / "fetched"), "max_bytes": 1 << 30, "reserve_bytes": 0},
        "max_dropped_rows": 0,
    }
    staged = tmp_path / "staged"
    staged.mkdir()
    seen: list[tuple[int, int]] = []
    summary = obtain(spec, staged, lambda done, total, _name: seen.append((done, total)))
    assert (summary["status"], summary["num_rows"]) == ("ready", 120)
    said = [str(record) for record in records_of(staged)]
    assert [("shard 0" in each, "shard 2" in each) for each in said] == [
        *[(True, False)] * 40,
        *[(False, False)] * 40,
        *[(False, True)] * 40,
    ]
    total = sum(map(len, contents.values()))
    assert seen == sorted(seen)
    assert seen[-1] == (2 * total, 2 * total)
    facts = json.loads((staged / "source.json").read_text())
    assert [each["path"] for each in facts["files"]] == paths
    hashes = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    assert [each["sha256"] for each in facts["files"]] == hashes


async def test_several_files_become_one_version(
    fetch: Fetch, hub: DataHub, client: httpx.AsyncClient, settings: Settings
) -> None:
    shards = {f"data/train-{n:05}-of-00003.jsonl": rows(n + 1) for n in range(3)}
    hub.add_data(NAME, shards)
    dataset = await fetch(NAME)
    assert (dataset["status"], dataset["num_rows"]) == ("ready", 6)
    assert dataset["source"]["num_files"] == 3
    assert dataset["size_bytes"] == sum(map(len, shards.values()))
    folder = files.dataset_dir(settings, UUID(dataset["id"]))
    assert sorted(file.name for file in (folder / "uploads").iterdir()) == ["0", "1", "2"]
    assert not (folder / "fetched").exists()
