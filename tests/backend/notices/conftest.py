"""Receivers that live, a dispatcher that does not wait, and what is needed to announce."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.ids import new_id
from backend.notices import service
from backend.notices.dispatcher import Dispatcher
from backend.notices.kinds import NoticeKind, SubjectType
from backend.settings import Settings
from tests.backend.notices.receivers import HttpReceiver, SmtpReceiver, listening

Announce = Callable[..., Awaitable[UUID]]
AddTarget = Callable[..., Awaitable[dict[str, Any]]]
ERROR = {
    "code": "out_of_memory",
    "message": "The GPU has too little memory.",
    "hint": "Use a smaller model.",
    "params": {},
}


@pytest.fixture
async def receiver(settings: Settings) -> AsyncIterator[HttpReceiver]:
    """A webhook's receiver that the operator has allowed."""
    async with listening(HttpReceiver()) as receiver:
        settings.private_targets.append(receiver.place)
        yield receiver


@pytest.fixture
async def smtp(settings: Settings) -> AsyncIterator[SmtpReceiver]:
    """A mail server that the operator has allowed."""
    async with listening(SmtpReceiver()) as receiver:
        settings.private_targets.append(f"127.0.0.1:{receiver.port}")
        yield receiver


@pytest.fixture
def announce(sessions: SessionFactory, administrator: UserRow) -> Announce:
    """Announces, committed; returns the subject's id."""

    async def make(kind: NoticeKind = NoticeKind.TASK_FAILED, **given: Any) -> UUID:
        subject_id = new_id()
        values: dict[str, Any] = {
            "owner_id": administrator.id,
            "subject_type": SubjectType.TASK,
            "subject_id": subject_id,
            "subject_name": "support-bot",
            "params": {"error": ERROR} if kind == NoticeKind.TASK_FAILED else {},
        }
        async with transaction(sessions) as session:
            await service.announce(session, kind=kind, **{**values, **given})
        return subject_id

    return make


@pytest.fixture
def add_target(client: httpx.AsyncClient) -> AddTarget:
    """Adds a target as an administrator does."""

    async def add(url: str, **given: Any) -> dict[str, Any]:
        body = {"name": "ops", "url": url, **given}
        answer = await client.post("/api/v1/notices/targets", json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    return add


@pytest.fixture
def dispatcher(app: FastAPI, settings: Settings, sessions: SessionFactory) -> Dispatcher:
    """Three tries, without pauses between them."""
    return Dispatcher(
        sessions,
        app.state.seal,
        public_url="https://easytune.example",
        private=settings.private_targets,
        backoff_s=(0.0, 0.0),
    )
