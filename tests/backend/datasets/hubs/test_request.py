"""What a request for a data set of a hub may say, and who may send it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from backend.accounts.schemas import Role
from backend.database import SessionFactory, transaction
from backend.datasets.tables import DatasetRow
from backend.settings import Settings
from tests.backend.datasets.conftest import API
from tests.backend.datasets.hubs.conftest import TWO, rows
from tests.conftest import SignIn
from tests.fakes.data_hub import DataHub

PATIENCE_S = 60.0
NAME = "some/talks"


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


async def test_others_do_not_choose_and_viewers_do_not_fetch(
    client: httpx.AsyncClient, hub: DataHub, sign_in: SignIn
) -> None:
    body = {"source": "huggingface", "reference": NAME}
    dataset = (await client.post(API, json=body)).json()
    other = await sign_in("bob", Role.MEMBER)
    url = f"{API}/{dataset['id']}"
    assert (await other.patch(url, json={"subset": "x"})).status_code == 404
    viewer = await sign_in("eve", Role.VIEWER)
    assert (await viewer.post(API, json=body)).status_code == 403
