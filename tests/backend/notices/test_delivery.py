"""Messages arrive at least once, under one id, whatever the receiver or the platform does."""

import asyncio
import base64
import hmac
import json
import time
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.database import SessionFactory, transaction
from backend.notices import delivery, sender
from backend.notices.dispatcher import Dispatcher
from backend.notices.kinds import NoticeKind
from backend.notices.sealed import Seal
from backend.notices.sender import Message
from backend.notices.tables import NoticeDeliveryRow, NoticeRow
from backend.settings import Settings
from tests.backend.notices.conftest import AddTarget, Announce
from tests.backend.notices.receivers import HttpReceiver, Received, SmtpReceiver, listening

TARGETS = "/api/v1/notices/targets"


async def only_delivery(session: AsyncSession) -> NoticeDeliveryRow:
    [row] = await session.scalars(
        select(NoticeDeliveryRow).execution_options(populate_existing=True)
    )
    return row


def is_signed(received: Received, secret: str) -> bool:
    """As a receiver checks it, by the words of Standard Webhooks."""
    id_, stamp = received.headers["webhook-id"], received.headers["webhook-timestamp"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{id_}.{stamp}.".encode() + received.body
    wanted = "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return abs(time.time() - int(stamp)) < 60 and received.headers["webhook-signature"] == wanted


async def test_a_webhook_is_signed_and_holds_ids(
    receiver: HttpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
    client: httpx.AsyncClient,
) -> None:
    target = await add_target(receiver.url)
    subject = await announce(NoticeKind.TASK_FAILED)
    assert await dispatcher.once() == 1
    assert await dispatcher.once() == 0
    [received] = receiver.received
    assert is_signed(received, target["signing_secret"])
    assert not is_signed(received, "whsec_" + base64.b64encode(b"x" * 32).decode())
    body = json.loads(received.body)
    row = await only_delivery(session)
    assert body["id"] == received.headers["webhook-id"] == str(row.id)
    assert (body["type"], body["data"]["error_code"]) == ("task_failed", "out_of_memory")
    assert body["data"]["subject"] == {"type": "task", "id": str(subject), "name": "support-bot"}
    assert body["data"]["title"] == "Training failed: support-bot"
    link = f"https://easytune.example/training/{subject}"
    assert body["data"]["text"].split("\n") == [
        "The GPU has too little memory.",
        "Use a smaller model.",
        link,
    ]
    [shown] = (await client.get(TARGETS)).json()
    assert shown["last_delivery"]["ok"] is True
    assert shown["waiting"] == 0


async def test_what_fails_is_tried_again_under_the_same_id(
    receiver: HttpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
    client: httpx.AsyncClient,
) -> None:
    receiver.statuses = [500, 200]
    target = await add_target(receiver.url)
    await announce()
    await dispatcher.once()
    row = await only_delivery(session)
    assert (row.state, row.attempts) == ("waiting", 1)
    assert row.error == {"code": "answered", "params": {"status": 500}}
    await dispatcher.once()
    row = await only_delivery(session)
    assert (row.state, row.attempts, row.error) == ("sent", 2, None)
    assert len({received.headers["webhook-id"] for received in receiver.received}) == 1
    page = (await client.get(f"{TARGETS}/{target['id']}/deliveries")).json()
    assert [(item["state"], item["attempts"]) for item in page["items"]] == [("sent", 2)]


async def test_tries_are_bounded_and_later_each_time(
    receiver: HttpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
    client: httpx.AsyncClient,
) -> None:
    receiver.statuses = [503]
    await add_target(receiver.url)
    await announce()
    for _ in range(5):
        await dispatcher.once()
    row = await only_delivery(session)
    assert (row.state, row.attempts, len(receiver.received)) == ("failed", 3, 3)
    [shown] = (await client.get(TARGETS)).json()
    assert shown["last_delivery"]["error"] == {"code": "answered", "params": {"status": 503}}
    waits = list(delivery.BACKOFF_S)
    assert waits == sorted(waits)
    assert sum(waits) < 12 * 3600


async def test_the_platform_dies_between_sending_and_writing_it_down(
    receiver: HttpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
    sessions: SessionFactory,
    app: FastAPI,
) -> None:
    await add_target(receiver.url)
    await announce()
    # What a process does before it is killed: it takes the message and sends it.
    async with transaction(sessions) as writing:
        [due] = await delivery.take(writing, app.state.seal, None, 3)
    assert due.message is not None
    assert (await sender.send([due.message], [receiver.place]))[f"{due.id}"].ok
    assert await dispatcher.once() == 0  # as long as the lease holds nobody else takes it
    async with transaction(sessions) as writing:
        await writing.execute(update(NoticeDeliveryRow).values(due_at=func.now()))
    assert await dispatcher.once() == 1
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    # The first one comes back from the dead: its word is worth nothing any more.
    async with transaction(sessions) as writing:
        await delivery.settle(writing, due, sender.Outcome("answered"), (0.0,))
    assert (await only_delivery(session)).state == "sent"


async def test_what_ends_every_sender_is_given_up(
    receiver: HttpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
    sessions: SessionFactory,
) -> None:
    await add_target(receiver.url)
    await announce()
    async with transaction(sessions) as writing:
        await writing.execute(update(NoticeDeliveryRow).values(attempts=3))
    await dispatcher.once()
    row = await only_delivery(session)
    assert (row.state, (row.error or {})["code"]) == ("failed", "sender_failed")
    assert receiver.received == []


@pytest.mark.long
async def test_several_dispatchers_send_each_message_once(
    receiver: HttpReceiver, dispatcher: Dispatcher, announce: Announce, add_target: AddTarget
) -> None:
    await add_target(receiver.url)
    for _ in range(12):
        await announce()
    await asyncio.gather(*(dispatcher.once() for _ in range(3)))
    await dispatcher.once()
    ids = [received.headers["webhook-id"] for received in receiver.received]
    assert (len(ids), len(set(ids))) == (12, 12)


async def test_a_redirection_is_not_followed(
    receiver: HttpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
) -> None:
    async with listening(HttpReceiver()) as inner:
        receiver.statuses, receiver.location = [307], inner.url
        await add_target(receiver.url)
        await announce()
        await dispatcher.once()
        assert (await only_delivery(session)).error == {
            "code": "redirected",
            "params": {"status": 307},
        }
        assert inner.received == []


async def test_services_do_not_follow_either(settings: Settings, receiver: HttpReceiver) -> None:
    """Gotify, by the real library: 301 to a place that would take it."""
    async with listening(HttpReceiver()) as inner:
        settings.private_targets.append(inner.place)
        receiver.statuses, receiver.location = [301], inner.url
        token = "Atokenthatissecret"
        message = Message("1", "gotify", f"gotify://{receiver.place}/{token}", "", "title", "body")
        outcome = (await sender.send([message], settings.private_targets))["1"]
        assert outcome.code == "not_accepted"
        assert token not in str(outcome)
        assert (len(receiver.received), inner.received) == (1, [])


async def test_a_private_server_that_nobody_allowed_is_not_reached() -> None:
    async with listening(HttpReceiver()) as receiver:
        place = receiver.place
        messages = [
            Message("hook", "webhook", f"http://{place}/x"),
            Message("named", "webhook", f"http://localhost:{receiver.port}/x"),
            Message("gotify", "gotify", f"gotify://{place}/Atokenthatissecret", "", "t", "b"),
            Message(
                "mail",
                "email",
                f"mailto://u:p@{place}?from=e@a.example&to=a@b.example",
                "",
                "t",
                "b",
            ),
        ]
        # Another port of the same host is allowed, this one is not.
        outcomes = await sender.send(messages, ["127.0.0.1:1"])
        assert {id_: outcome.code for id_, outcome in outcomes.items()} == dict.fromkeys(
            ("hook", "named", "gotify", "mail"), "refused_address"
        )
        assert receiver.received == []


async def test_a_receiver_that_hangs_holds_up_nobody(
    receiver: HttpReceiver, settings: Settings
) -> None:
    receiver.statuses = [0]
    async with listening(HttpReceiver()) as quick:
        messages = [
            Message("slow", "webhook", receiver.url),
            Message("quick", "webhook", quick.url),
        ]
        started = time.monotonic()
        outcomes = await sender.send(messages, [receiver.place, quick.place], limit_s=5)
        assert time.monotonic() - started < 9
    assert outcomes["quick"].ok
    assert outcomes["slow"].code == "no_answer"


async def test_nobody_listens_and_no_such_name(settings: Settings) -> None:
    async with listening(HttpReceiver()) as gone:
        place = gone.place
    messages = [
        Message("gone", "webhook", f"http://{place}/secret-path"),
        Message("unknown", "webhook", "https://nothing.invalid/secret-path"),
    ]
    outcomes = await sender.send(messages, [place])
    assert [outcomes["gone"].code, outcomes["unknown"].code] == ["unreachable", "unknown_host"]
    assert "secret-path" not in str(outcomes)


async def test_a_sender_that_can_not_start_loses_nothing(
    receiver: HttpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await add_target(receiver.url)
    await announce()
    with monkeypatch.context() as broken:
        broken.setattr("sys.executable", "/nowhere/python")
        await dispatcher.once()
    row = await only_delivery(session)
    assert (row.state, (row.error or {})["code"]) == ("waiting", "sender_failed")
    await dispatcher.once()
    assert (await only_delivery(session)).state == "sent"


async def test_another_secret_key(
    receiver: HttpReceiver,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
    sessions: SessionFactory,
    client: httpx.AsyncClient,
    app: FastAPI,
) -> None:
    target = await add_target(receiver.url)
    await announce()
    app.state.seal = Seal("another key of this installation")
    other = Dispatcher(sessions, app.state.seal, public_url=None, private=[receiver.place])
    await other.once()
    row = await only_delivery(session)
    assert (row.state, row.error) == ("failed", {"code": "unreadable_secret", "params": {}})
    answer = await client.post(f"{TARGETS}/{target['id']}/test")
    assert (answer.status_code, answer.json()["code"]) == (409, "AddressUnreadable")


@pytest.mark.long
async def test_switched_off_it_gets_nothing_that_waited(
    receiver: HttpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
    client: httpx.AsyncClient,
) -> None:
    target = await add_target(receiver.url)
    await announce()
    for enabled in (False, True):
        await client.patch(f"{TARGETS}/{target['id']}", json={"enabled": enabled})
    assert await dispatcher.once() == 0
    assert ((await only_delivery(session)).error or {})["code"] == "switched_off"


@pytest.mark.long
async def test_the_test_button(
    receiver: HttpReceiver, add_target: AddTarget, client: httpx.AsyncClient
) -> None:
    target = await add_target(receiver.url, language="zh-CN")
    receiver.statuses = [404, 200]
    path = f"{TARGETS}/{target['id']}/test"
    first = (await client.post(path)).json()
    assert first == {"ok": False, "error": {"code": "answered", "params": {"status": 404}}}
    assert (await client.post(path)).json() == {"ok": True, "error": None}
    body = json.loads(receiver.received[1].body)
    assert (body["type"], body["data"]["title"]) == ("test", "来自 EasyTune 的测试消息")


def mail_of(raw: bytes) -> tuple[str, str]:
    """Subject and text."""
    mail = message_from_bytes(raw)
    parts = [part for part in mail.walk() if part.get_content_type() == "text/plain"]
    payload: Any = parts[0].get_payload(decode=True)
    return str(make_header(decode_header(mail["Subject"]))), payload.decode()


@pytest.mark.long
async def test_mail_in_the_targets_language(
    smtp: SmtpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
) -> None:
    url = f"mailto://bob:hunter2x@127.0.0.1:{smtp.port}?from=easytune@a.example&to=ops@b.example"
    target = await add_target(url, language="zh-CN")
    assert (target["service"], target["url"]) == ("email", "mailto://127.0.0.1/…")
    await announce(subject_name="客服\r\nBcc: all@b.example")
    await dispatcher.once()
    assert (await only_delivery(session)).state == "sent"
    [raw] = smtp.mails
    subject, body = mail_of(raw)
    assert subject == "训练失败：客服 Bcc: all＠b.example"
    assert "内存或显存不足。" in body
    assert "请减小最大长度或微批大小" in body
    assert "https://easytune.example/training/" in body


@pytest.mark.long
async def test_mail_that_is_refused(
    smtp: SmtpReceiver,
    dispatcher: Dispatcher,
    announce: Announce,
    add_target: AddTarget,
    session: AsyncSession,
) -> None:
    smtp.refuses = True
    await add_target(
        f"mailto://bob:hunter2x@127.0.0.1:{smtp.port}?from=e@a.example&to=ops@b.example"
    )
    await announce()
    await dispatcher.once()
    row = await only_delivery(session)
    assert (row.state, (row.error or {})["code"]) == ("waiting", "not_accepted")
    assert "nobody of that name" in str(row.error)
    assert "hunter2x" not in str(row.error)


async def test_old_notices_are_forgotten(
    dispatcher: Dispatcher, announce: Announce, sessions: SessionFactory, session: AsyncSession
) -> None:
    await announce()
    await announce()
    async with transaction(sessions) as writing:
        newest = await writing.scalar(select(func.max(NoticeRow.created_at)))
        await writing.execute(
            update(NoticeRow)
            .where(NoticeRow.created_at < newest)
            .values(created_at=func.now() - delivery.KEPT * 2)
        )
        await delivery.forget_old(writing)
    assert len(list(await session.scalars(select(NoticeRow)))) == 1
