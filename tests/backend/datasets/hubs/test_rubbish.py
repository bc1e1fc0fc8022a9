"""A hub that answers rubbish, or has a fault of its own, is told apart from one that refuses."""

import json
from typing import Any

import pytest

from backend.hubs import web
from tests.backend.datasets.hubs.conftest import Fetch, rows
from tests.fakes.data_hub import DataHub

NAME = "some/talks"
COMMIT = "a" * 40
HF, MS = "huggingface", "modelscope"


def told(**answer: Any) -> bytes:
    """An answer as the hub would write it."""
    return json.dumps(answer).encode()


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (HF, b"<html>Please sign in to this network</html>"),
        (HF, b""),
        (HF, b"\xff\xfe\x00"),
        (HF, b"[" * 100_000),
        (HF, b"[]"),
        (HF, told(id=NAME, siblings=[])),
        (HF, told(sha=7, siblings=[])),
        (HF, told(sha="main", siblings=[{"rfilename": "train.jsonl"}])),
        (MS, b"<html>Please sign in to this network</html>"),
        (MS, b"null"),
    ],
)
async def test_rubbish_is_said_to_be_that(
    fetch: Fetch, hub: DataHub, source: str, says: bytes
) -> None:
    hub.add_data(NAME, {"train.jsonl": rows(3)}, says=says)
    dataset = await fetch(NAME, source)
    error = dataset["error"]
    assert (dataset["status"], error["code"]) == ("failed", "hub_answer")
    assert error["params"] == {"reference": NAME, "endpoint": hub.url}
    assert f"What the hub {hub.url} says about “{NAME}”" in error["message"]
    assert "settings" in error["hint"]


async def test_an_answer_without_an_end_is_rubbish(
    fetch: Fetch, hub: DataHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web.read, "__defaults__", (1000,))
    hub.add_data(NAME, {"train.jsonl": rows(3)}, says=b" " * 2000 + told(sha=COMMIT))
    assert (await fetch(NAME))["error"]["code"] == "hub_answer"


@pytest.mark.parametrize(
    ("siblings", "code"),
    [
        (None, "hub_no_data_files"),
        ("train.jsonl", "hub_no_data_files"),
        ([7, None, {}, {"rfilename": None}], "hub_no_data_files"),
        ([{"rfilename": "../../etc/passwd.jsonl"}], "hub_no_data_files"),
    ],
)
async def test_a_list_of_files_that_is_none(
    fetch: Fetch, hub: DataHub, siblings: Any, code: str
) -> None:
    hub.add_data(NAME, {}, says=told(sha=COMMIT, siblings=siblings))
    assert (await fetch(NAME))["error"]["code"] == code


@pytest.mark.parametrize("source", [HF, MS])
@pytest.mark.parametrize("status", [500, 502, 418])
async def test_a_fault_of_the_hub_may_pass(
    fetch: Fetch, hub: DataHub, source: str, status: int
) -> None:
    hub.add_data(NAME, {"train.jsonl": rows(3)}, closed=status)
    dataset = await fetch(NAME, source)
    assert (dataset["status"], dataset["error"]["code"]) == ("failed", "hub_unreachable")
