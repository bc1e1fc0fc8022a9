"""The list of tasks: narrowed down, in any order, page by page, and its named views."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func

from backend.accounts.schemas import Role
from backend.jobs.schemas import JobStatus
from tests.backend.tasks.conftest import MakeRun, Run
from tests.conftest import SignIn
from tests.effort import examples

PATH = "/api/v1/tasks"


async def _names(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return [task["name"] for task in answer.json()["items"]]


async def _paged(client: httpx.AsyncClient, limit: int, **query: Any) -> list[str]:
    """All names, page by page."""
    names: list[str] = []
    cursor = None
    while True:
        page = await client.get(
            PATH, params={**query, "limit": limit, **({"cursor": cursor} if cursor else {})}
        )
        assert page.status_code == 200, page.text
        names += [task["name"] for task in page.json()["items"]]
        cursor = page.json()["next_cursor"]
        if cursor is None:
            return names


@pytest.fixture
async def five(make_run: MakeRun) -> list[Run]:
    """Tasks that differ in everything a list is ordered by; two have no loss."""
    runs = []
    for place, (status, metrics, progress) in enumerate(
        [
            (JobStatus.RUNNING, {"loss": 2.0, "eval_loss": 1.5}, 0.5),
            (JobStatus.FAILED, {"loss": 3.0}, 0.1),
            (JobStatus.PENDING, {}, 0.0),
            (JobStatus.COMPLETED, {"loss": 0.5, "eval_loss": None}, 1.0),
            (JobStatus.PENDING, {"loss": None}, 0.0),
        ]
    ):
        run = await make_run(status, name=f"{'bBaAc'[place]} {place}")
        await run.set(metrics=metrics, progress=progress)
        runs.append(run)
    return runs


@pytest.mark.long
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", "23014"),
        ("-name", "41032"),
        ("loss", "30124"),
        ("-loss", "10342"),
        ("-progress,name", "30124"),
        ("progress,-name", "42103"),
        ("status,-created_at", "04213"),
        ("created_at", "01234"),
        ("-created_at", "43210"),
    ],
)
async def test_any_order_page_by_page(
    client: httpx.AsyncClient, five: list[Run], sort: str, expected: str
) -> None:
    whole = await _names(client, sort=sort)
    assert "".join(name[-1] for name in whole) == expected
    for limit in (1, 2, 4):
        assert await _paged(client, limit, sort=sort) == whole


async def test_durations_order_what_ran_and_runs(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    for name, seconds, ended in (("long", 900, True), ("short", 5, True), ("runs", 60, False)):
        run = await make_run(JobStatus.COMPLETED if ended else JobStatus.RUNNING, name=name)
        began = func.now() - timedelta(seconds=seconds)
        await run.set(started_at=began, **({"finished_at": func.now()} if ended else {}))
    await make_run(JobStatus.PENDING, name="waits")
    assert await _names(client, sort="duration") == ["short", "runs", "long", "waits"]
    assert await _paged(client, 1, sort="-duration") == ["long", "runs", "short", "waits"]


async def test_an_unknown_order_and_a_foreign_cursor_are_refused(
    client: httpx.AsyncClient, five: list[Run]
) -> None:
    answer = await client.get(PATH, params={"sort": "name,shoe_size"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "UnknownOrder"
    assert answer.json()["params"]["key"] == "shoe_size"
    cursor = (await client.get(PATH, params={"sort": "name", "limit": 2})).json()["next_cursor"]
    foreign = await client.get(PATH, params={"sort": "-name", "cursor": cursor})
    assert foreign.json()["code"] == "BadCursor"


@examples(30)
@given(
    st.one_of(
        st.text(max_size=40),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=9)),
            lambda inner: st.lists(inner, max_size=3),
        ).map(lambda value: base64.urlsafe_b64encode(orjson.dumps(["loss", value])).decode()),
    )
)
async def test_rubbish_as_a_cursor_is_never_a_bug(client: httpx.AsyncClient, text: str) -> None:
    answer = await client.get(PATH, params={"sort": "loss", "cursor": text})
    assert answer.status_code in {200, 400, 422}
    if answer.status_code == 200:
        assert text == ""


async def test_filters_together(client: httpx.AsyncClient, make_run: MakeRun) -> None:
    first = await make_run(name="first", method="full")
    await make_run(name="second", objective="dpo")
    await client.patch(f"{PATH}/{first.id}", json={"tags": ["baseline", "demo"]})
    assert await _names(client, method="full") == ["first"]
    assert await _names(client, objective=["dpo", "kto"]) == ["second"]
    assert await _names(client, tag="demo") == ["first"]
    assert await _names(client, tag=["demo", "other"]) == []
    assert await _names(client, tag="demo", objective="dpo") == []
    task = (await client.get(f"{PATH}/{first.id}")).json()
    assert "first" in await _names(client, model_id=task["model"]["id"])
    assert "first" in await _names(client, dataset_id=task["dataset"]["id"])
    assert await _names(client, dataset_id=str(first.id)) == []
    assert len(await _names(client, owner=task["owner"].upper())) == 2
    assert await _names(client, owner="nobody") == []
    assert (await client.get(PATH, params={"model_id": "x"})).status_code == 422


async def test_tags_are_replaced_and_kept_once(
    client: httpx.AsyncClient, make_run: MakeRun
) -> None:
    run = await make_run()

    async def put(tags: Any) -> httpx.Response:
        return await client.patch(f"{PATH}/{run.id}", json={"tags": tags})

    assert (await put([" 基线 ", "Demo", "demo", "b"])).json()["tags"] == ["基线", "Demo", "b"]
    renamed = await client.patch(f"{PATH}/{run.id}", json={"name": "new"})
    assert renamed.json()["tags"] == ["基线", "Demo", "b"]
    for bad in (["a,b"], [""], ["x" * 51], [f"t{n}" for n in range(21)], "demo", ["a\nb"]):
        assert (await put(bad)).status_code == 422, bad
    assert (await put([])).json()["tags"] == []


async def test_choices_are_those_of_visible_tasks(
    client: httpx.AsyncClient, make_run: MakeRun, sign_in: SignIn
) -> None:
    run = await make_run()
    await client.patch(f"{PATH}/{run.id}", json={"tags": ["b", "a"]})
    task = (await client.get(f"{PATH}/{run.id}")).json()
    found = (await client.get(f"{PATH}/choices")).json()
    assert found["tags"] == ["a", "b"]
    assert found["owners"] == [task["owner"]]
    assert found["models"] == [task["model"]]
    assert [each["id"] for each in found["datasets"]] == [task["dataset"]["id"]]
    berta = await sign_in("berta", Role.MEMBER)
    assert (await berta.get(f"{PATH}/choices")).json() == {
        "models": [], "datasets": [], "owners": [], "tags": [],
    }  # fmt: skip


async def test_views_are_the_users_own(client: httpx.AsyncClient, sign_in: SignIn) -> None:
    made = await client.post(f"{PATH}/views", json={"name": " Failed ", "query": "status=FAILED"})
    assert made.status_code == 201
    assert made.json()["name"] == "Failed"
    taken = await client.post(f"{PATH}/views", json={"name": "failed", "query": ""})
    assert (taken.status_code, taken.json()["code"]) == (409, "ListViewNameTaken")
    view = f"{PATH}/views/{made.json()['id']}"
    saved = await client.put(view, json={"name": "Broken", "query": "status=FAILED&sort=name"})
    assert saved.json()["query"] == "status=FAILED&sort=name"
    assert [each["name"] for each in (await client.get(f"{PATH}/views")).json()] == ["Broken"]
    berta = await sign_in("berta", Role.VIEWER)
    assert (await berta.get(f"{PATH}/views")).json() == []
    assert (await berta.put(view, json={"name": "x", "query": ""})).status_code == 404
    assert (await berta.delete(view)).json()["code"] == "ListViewNotFound"
    assert (
        await berta.post(f"{PATH}/views", json={"name": "Broken", "query": ""})
    ).status_code == 201


@pytest.mark.parametrize(
    "body", [{"name": " ", "query": ""}, {"name": "a"}, {"name": "a", "query": "x" * 4001}]
)
async def test_a_view_that_says_nothing_is_refused(
    client: httpx.AsyncClient, body: dict[str, str]
) -> None:
    assert (await client.post(f"{PATH}/views", json=body)).status_code == 422


async def test_views_go(client: httpx.AsyncClient) -> None:
    made = (await client.post(f"{PATH}/views", json={"name": "a", "query": ""})).json()
    assert (await client.delete(f"{PATH}/views/{UUID(made['id'])}")).status_code == 204
    assert (await client.get(f"{PATH}/views")).json() == []
