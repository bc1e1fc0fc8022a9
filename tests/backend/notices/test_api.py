"""The API of notices and targets: whose they are, what is refused, what is never shown."""

from typing import Any

import httpx
import pytest
import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.schemas import Role
from backend.ids import new_id
from backend.notices.kinds import NoticeKind
from backend.notices.tables import NoticeTargetRow
from tests.backend.notices.conftest import AddTarget, Announce
from tests.conftest import SignIn

NOTICES = "/api/v1/notices"
TARGETS = f"{NOTICES}/targets"
SECRET = "hunter2-very-secret"


async def test_newest_first_page_by_page(client: httpx.AsyncClient, announce: Announce) -> None:
    made = [str(await announce()) for _ in range(5)]
    seen, cursor = [], None
    while True:
        query: dict[str, Any] = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get(NOTICES, params=query)).json()
        assert page["unread"] == 5
        seen += [item["subject"]["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


async def test_reading(client: httpx.AsyncClient, announce: Announce) -> None:
    for _ in range(3):
        await announce()
    [first, *rest] = (await client.get(NOTICES)).json()["items"]
    answer = await client.post(f"{NOTICES}/read", json={"ids": [first["id"], str(new_id())]})
    assert answer.json() == {"unread": 2}
    unread = (await client.get(NOTICES, params={"unread": True})).json()
    assert [item["id"] for item in unread["items"]] == [item["id"] for item in rest]
    assert (await client.post(f"{NOTICES}/read", json={"all": True})).json() == {"unread": 0}
    items = (await client.get(NOTICES)).json()["items"]
    assert all(item["read_at"] for item in items)


@pytest.mark.long
@pytest.mark.parametrize(
    "body",
    [{}, {"all": False}, {"all": True, "ids": []}, {"ids": ["x"]}, {"ids": [str(new_id())] * 501}],
)
async def test_reading_rubbish(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await client.post(f"{NOTICES}/read", json=body)).status_code == 422


async def test_notices_are_their_owners_alone(
    client: httpx.AsyncClient, announce: Announce, sign_in: SignIn
) -> None:
    bob = await sign_in("bob", Role.MEMBER)
    bob_id = (await bob.get("/api/v1/auth/me")).json()["id"]
    await announce()
    await announce(owner_id=bob_id)
    [own] = (await bob.get(NOTICES)).json()["items"]
    [other] = (await client.get(NOTICES)).json()["items"]
    assert own["id"] != other["id"]
    # Marking another's changes nothing, not even for an administrator.
    assert (await bob.post(f"{NOTICES}/read", json={"ids": [other["id"]]})).status_code == 200
    assert (await client.post(f"{NOTICES}/read", json={"ids": [own["id"]]})).status_code == 200
    assert (await bob.get(NOTICES)).json()["unread"] == 1
    assert (await client.get(NOTICES)).json()["unread"] == 1
    # Preferences are one's own as well.
    await bob.put(f"{NOTICES}/preferences", json={"kinds": []})
    wanted = (await client.get(f"{NOTICES}/preferences")).json()["kinds"]
    assert set(wanted) == set(NoticeKind)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_targets_are_for_administrators_only(
    sign_in: SignIn, add_target: AddTarget, role: Role
) -> None:
    target = f"{TARGETS}/{(await add_target('https://hooks.example.com/x'))['id']}"
    bob = await sign_in("bob", role)
    new = {"name": "mine", "url": "https://evil.example"}
    answers = [
        await bob.get(TARGETS),
        await bob.post(TARGETS, json=new),
        await bob.patch(target, json={"enabled": False}),
        await bob.delete(target),
        await bob.post(f"{target}/test"),
        await bob.get(f"{target}/deliveries"),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)


async def test_what_is_secret_is_never_shown_again(
    client: httpx.AsyncClient, session: AsyncSession, add_target: AddTarget
) -> None:
    with structlog.testing.capture_logs() as logged:
        hook = await add_target(f"https://hooks.example.com/{SECRET}?token={SECRET}")
        mail = await add_target(f"mailtos://bob:{SECRET}@example.com?to=ops@example.com")
        answers = [
            await client.get(TARGETS),
            await client.patch(f"{TARGETS}/{mail['id']}", json={"name": "mail"}),
            await client.get(f"{TARGETS}/{hook['id']}/deliveries"),
        ]
    said = [str(hook), str(mail), str(logged), *(answer.text for answer in answers)]
    assert not any(SECRET in each for each in said)
    rows = (await session.execute(text("SELECT row_to_json(t)::text FROM notice_targets t"))).all()
    assert len(rows) == 2
    assert SECRET not in str(rows)
    # The key of the signatures was shown once, to whoever added it.
    signing = hook["signing_secret"]
    assert signing.startswith("whsec_")
    assert mail["signing_secret"] is None
    assert signing not in answers[0].text
    assert signing not in str(rows)


async def test_another_address_has_another_key(
    client: httpx.AsyncClient, session: AsyncSession, add_target: AddTarget
) -> None:
    made = await add_target("https://hooks.example.com/a")
    path = f"{TARGETS}/{made['id']}"
    kept = (await client.patch(path, json={"language": "zh-CN", "kinds": ["task_failed"]})).json()
    assert (kept["signing_secret"], kept["language"]) == (None, "zh-CN")
    moved = (await client.patch(path, json={"url": "https://evil.example/b"})).json()
    assert moved["signing_secret"] not in (None, made["signing_secret"])
    assert moved["url"] == "https://evil.example/…"
    moved = (
        await client.patch(
            path, json={"url": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"}
        )
    ).json()
    assert (moved["service"], moved["signing_secret"]) == ("slack", None)
    row = await session.get_one(NoticeTargetRow, made["id"])
    assert row.signing_sealed is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "ServiceNotAllowed"),
        ("https://169.254.169.254/", "PrivateAddress"),
        ("http://hooks.example.com/", "InsecureAddress"),
        ("slack://tooshort", "AddressNotUnderstood"),
        ("tgram://nothing", "AddressNotUnderstood"),
        ("mailtos://@@@", "UnreadableAddress"),
    ],
)
async def test_refusals_are_sentences_without_the_address(
    client: httpx.AsyncClient, url: str, code: str
) -> None:
    answer = await client.post(TARGETS, json={"name": "x", "url": url})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"name": " ", "url": "https://a.example"},
        {"name": "x", "url": ""},
        {"name": "x", "url": "https://a.example/" + "x" * 3000},
        {"name": "x", "url": "https://a.example", "kinds": ["nothing"]},
        {"name": "x", "url": "https://a.example", "language": "fr"},
        {"name": "x", "url": "https://a.example", "service": "webhook"},
        {"name": "x", "url": {"a": SECRET}},
    ],
)
async def test_rubbish_has_the_wrong_shape(client: httpx.AsyncClient, body: Any) -> None:
    answer = await client.post(TARGETS, json=body)
    assert answer.status_code == 422
    assert SECRET not in answer.text


async def test_there_are_not_endlessly_many(
    client: httpx.AsyncClient, add_target: AddTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.notices.targets.MAX_TARGETS", 2)
    for _ in range(2):
        await add_target("https://hooks.example.com/a")
    answer = await client.post(TARGETS, json={"name": "x", "url": "https://hooks.example.com/b"})
    assert (answer.status_code, answer.json()["code"]) == (409, "TooManyTargets")


async def test_removed_is_gone(
    client: httpx.AsyncClient, announce: Announce, session: AsyncSession, add_target: AddTarget
) -> None:
    path = f"{TARGETS}/{(await add_target('https://hooks.example.com/a'))['id']}"
    await announce()
    assert (await client.delete(path)).status_code == 204
    for answer in (await client.delete(path), await client.post(f"{path}/test")):
        assert (answer.status_code, answer.json()["code"]) == (404, "NoticeTargetNotFound")
    assert list(await session.scalars(select(NoticeTargetRow))) == []
