"""HTTP of the playground: what can be asked, the worker's state, an answer as a stream."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError

from backend.accounts.dependencies import CurrentUser
from backend.database import SessionDep, transaction
from backend.errors import Conflict, Refused
from backend.serving import targets
from backend.serving.playground import Playground
from backend.serving.schemas import (
    PlaygroundClassifyRequest,
    PlaygroundDone,
    PlaygroundError,
    PlaygroundPredictions,
    PlaygroundRequest,
    PlaygroundStatus,
    PlaygroundTarget,
)
from backend.tasks.sse import HELLO, PING, PING_S, EventStream, answer, frame
from training_engine.contract.predictions import ClassifyRequest
from training_engine.contract.serving import Done, GenerateRequest, Token

Line = Token | Done | PlaygroundError
router = APIRouter(prefix="/playground", tags=["playground"])


class TextsOrConversations(Refused):
    """Give texts or conversations, one of the two."""


class NoPrediction(Conflict):
    """The model gave no answer: {message} {hint}"""


def _playground(request: Request) -> Playground:
    found: Playground = request.app.state.playground
    return found


@router.get("/targets")
async def list_playground_targets(
    request: Request, user: CurrentUser, session: SessionDep
) -> list[PlaygroundTarget]:
    """Base models that are ready, and the models of completed tasks."""
    return await targets.listing(session, user, request.app.state.settings)


@router.get("/status")
async def playground_status(request: Request, _user: CurrentUser) -> PlaygroundStatus:
    """The worker that answers."""
    return await _playground(request).status()


@router.post(
    "/generate",
    response_class=EventStream,
    # The shapes of the events, for whoever generates a client.
    responses={200: {"model": PlaygroundDone | PlaygroundError}},
)
async def playground_generate(
    body: PlaygroundRequest, request: Request, user: CurrentUser
) -> EventStream:
    """Server-sent events: `token` {text}, then `done` or `error`; closing the call cancels it."""
    playground = _playground(request)
    playground.require_room()
    name, values = await _asked(body, request, user)
    asked = GenerateRequest.model_validate(values)
    return answer(_events(playground.generate(asked, name)))


@router.post("/classify")
async def playground_classify(
    body: PlaygroundClassifyRequest, request: Request, user: CurrentUser
) -> PlaygroundPredictions:
    """Classes or scores of texts, by a model that was trained to sort or to score them."""
    playground = _playground(request)
    playground.require_room()
    name, values = await _asked(body, request, user)
    try:
        asked = ClassifyRequest.model_validate(values)
    except ValidationError as error:
        raise TextsOrConversations from error
    told = await playground.classify(asked, name)
    if isinstance(told, PlaygroundError):
        raise NoPrediction(params=told.model_dump())
    return PlaygroundPredictions.model_validate(told.model_dump(exclude={"type"}))


async def _asked(
    body: PlaygroundRequest | PlaygroundClassifyRequest, request: Request, user: CurrentUser
) -> tuple[str, dict[str, Any]]:
    """The model's name, and the worker's request: with files that the caller may use."""
    # A transaction of its own, over before the answer begins.
    async with transaction(request.app.state.sessions) as session:
        model = await targets.resolve(
            session, user, request.app.state.settings, body.model_id, body.task_id
        )
    asked = body.model_dump(exclude={"model_id", "task_id"})
    return model.name, {
        **asked,
        "model_path": model.path,
        "adapter_path": model.adapter_path,
        "trusted_code_sha256": model.trusted_code_sha256,
    }


async def _events(answers: AsyncGenerator[Line, None]) -> AsyncIterator[bytes]:
    lines: asyncio.Queue[Line | None] = asyncio.Queue(maxsize=64)
    # In a task of its own: when the caller leaves, this function is cut off at any point and may
    # await nothing more, while the task can still end the work in order.
    work = asyncio.create_task(_pass_on(answers, lines), name="playground answer")
    try:
        yield HELLO
        while True:
            try:
                line = await asyncio.wait_for(lines.get(), PING_S)
            except TimeoutError:  # loading a model takes a while
                if work.done():
                    break
                yield PING
                continue
            if line is None:
                break
            yield _frame(line)
        await work
    finally:
        work.cancel()


async def _pass_on(answers: AsyncGenerator[Line, None], lines: asyncio.Queue[Line | None]) -> None:
    async with aclosing(answers):
        async for line in answers:
            await lines.put(line)
    await lines.put(None)


def _frame(line: Line) -> bytes:
    if isinstance(line, Token):
        return frame("token", line.model_dump_json(include={"text"}).encode())
    if isinstance(line, Done):
        shown = PlaygroundDone.model_validate(line.model_dump(exclude={"type"}))
        return frame("done", shown.model_dump_json().encode())
    return frame("error", line.model_dump_json().encode())
