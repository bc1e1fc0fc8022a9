"""Rows of one part of a version; a part that there is not is an error, never an empty answer."""

from typing import Any

import httpx
import pytest

from backend.database import SessionFactory
from backend.settings import Settings
from tests.backend.datasets.conftest import API, Import
from tests.backend.datasets.hygiene.test_api import examine
from tests.backend.datasets.preparing.conftest import Prepare, prepare  # noqa: F401 (a fixture)

LINES = "".join(f'{{"instruction": "Question {n}", "output": "Yes"}}\n' for n in range(10))
DIVIDE = {"kind": "split", "by": "random", "fractions": {"test": 0.2}, "seed": 1}


@pytest.fixture
async def divided(upload: Import, prepare: Prepare) -> dict[str, Any]:  # noqa: F811
    """A data set of eight rows to train on and two to test with; its first version is whole."""
    return await prepare((await upload("a.jsonl", LINES))["id"], [DIVIDE])


async def test_only_rows_of_the_part(client: httpx.AsyncClient, divided: dict[str, Any]) -> None:
    url = f"{API}/{divided['id']}/rows"
    totals = {}
    for split in ("train", "test"):
        totals[split] = (await client.get(url, params={"split": split})).json()["total"]
    assert totals == {"train": 8, "test": 2}
    none = await client.get(url, params={"split": "test", "q": "nowhere in it"})
    assert (none.status_code, none.json()["total"]) == (200, 0)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({}, "zz"),
        ({}, ""),
        ({}, "Test"),
        ({}, "{split}"),
        ({"q": "question"}, "zz"),
        ({"line": 3}, "zz"),
        ({"version": 1}, "test"),
    ],
)
async def test_no_such_part(
    client: httpx.AsyncClient, divided: dict[str, Any], more: dict[str, Any], name: str
) -> None:
    answer = await client.get(f"{API}/{divided['id']}/rows", params={**more, "split": name})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (404, "NoSuchSplit")
    assert problem["params"] == {"split": name}
    assert f"no part “{name}”" in problem["detail"]


async def test_no_such_part_to_compare(
    client: httpx.AsyncClient,
    settings: Settings,
    sessions: SessionFactory,
    divided: dict[str, Any],
) -> None:
    await client.post(f"{API}/{divided['id']}/hygiene")
    for _ in range(2):  # the version of the import waits for its turn, too
        await examine(settings, sessions, divided["id"])
    url, params = f"{API}/{divided['id']}/overlap", {"with_dataset_id": divided["id"]}
    answer = await client.get(url, params={**params, "split": "test", "with_split": "train"})
    assert (answer.status_code, answer.json()["rows"]) == (200, 2)
    for side in ("split", "with_split"):
        refused = await client.get(url, params={**params, side: "zz"})
        assert (refused.status_code, refused.json()["code"]) == (404, "NoSuchSplit")
        assert refused.json()["params"] == {"split": "zz"}
