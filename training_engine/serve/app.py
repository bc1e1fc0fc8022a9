"""The routes: HTTP in, work for the computing thread out, answers streamed as JSON lines."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from training_engine.contract.predictions import CLASSIFY_PATH, ClassifyRequest
from training_engine.contract.serving import (
    MAX_BODY_BYTES,
    Failure,
    GenerateRequest,
    LoadRequest,
    UnloadRequest,
)
from training_engine.contract.tokens import (
    COUNT_PATH,
    RENDER_PATH,
    CountLengthsRequest,
    CountLine,
    RenderTokensRequest,
    TokenLengthsRequest,
)
from training_engine.failures import explain
from training_engine.serve.failures import ServeError, from_engine
from training_engine.serve.scheduler import Scheduler

if TYPE_CHECKING:
    from training_engine.serve.model_store import ModelStore
    from training_engine.serve.work import Told

M = TypeVar("M", bound=BaseModel)
_STATUS = {
    "bad_request": 422,
    "model_not_found": 404,
    "out_of_memory": 507,
    "cancelled": 503,
    "internal": 500,
}


def create_app(scheduler: Scheduler) -> Starlette:
    """The worker's application; `scheduler` is started and closed by the caller."""
    routes = Routes(scheduler)
    return Starlette(
        routes=[
            Route("/health", routes.health),
            Route("/generate", routes.generate, methods=["POST"]),
            Route(CLASSIFY_PATH, routes.classify, methods=["POST"]),
            Route("/load", routes.load, methods=["POST"]),
            Route("/unload", routes.unload, methods=["POST"]),
            Route(RENDER_PATH, routes.render_tokens, methods=["POST"]),
            Route(COUNT_PATH, routes.count_lengths, methods=["POST"]),
            Route("/token_lengths", routes.token_lengths, methods=["POST"]),
        ],
        exception_handlers={ServeError: _refused, Exception: _broken},
    )


class Routes:
    """One method per route."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    async def health(self, _: Request) -> Response:
        """What is loaded, where it computes, whether anything is under way."""
        return _json(self._scheduler.health())

    async def generate(self, request: Request) -> Response:
        """An answer as lines of JSON: tokens, then `done` or `error`."""
        wanted = await _body(request, GenerateRequest)
        lines = self._stream(wanted)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def _stream(self, wanted: GenerateRequest) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[Told] = asyncio.Queue()

        def tell(item: "Told") -> None:
            loop.call_soon_threadsafe(items.put_nowait, item)

        job = self._scheduler.submit(wanted, tell)
        try:
            while True:
                item = await items.get()
                yield item.model_dump_json().encode() + b"\n"
                if item.type != "token":
                    return
        finally:
            # Reached early when the client goes away: the thread stops before its next token.
            job.cancelled.set()

    async def classify(self, request: Request) -> Response:
        """Classes or scores of many texts, all at once."""
        wanted = await _body(request, ClassifyRequest)
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Told] = loop.create_future()

        def tell(item: "Told") -> None:
            loop.call_soon_threadsafe(_settle, told, item)

        job = self._scheduler.submit(wanted, tell)
        # The body is read: what comes next is that they hang up.
        left = asyncio.ensure_future(_left(request))
        try:
            pending: set[asyncio.Future[Any]] = {told, left}
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
            job.cancelled.set()
        if not told.done() or told.result().type == "done":
            return _refusal(ServeError("cancelled", "It was cancelled.", "Ask again.").failure())
        item = told.result()
        return _refusal(item) if isinstance(item, Failure) else _json(item)

    async def load(self, request: Request) -> Response:
        """Load a model and an adapter before they are needed."""
        wanted = await _body(request, LoadRequest)

        def load(store: "ModelStore") -> None:
            from training_engine.serve.loaded_model import LoadedModel

            loaded = store.get(wanted.model_path, wanted.adapter_path, wanted.trusted_code_sha256)
            if isinstance(loaded, LoadedModel):
                loaded.use(wanted.adapter_path)

        await asyncio.wrap_future(self._scheduler.call(load))
        return _json(self._scheduler.health())

    async def unload(self, request: Request) -> Response:
        """Give memory back."""
        wanted = await _body(request, UnloadRequest)
        gone = await asyncio.wrap_future(
            self._scheduler.call(lambda store: store.unload(wanted.model_path))
        )
        return JSONResponse({"unloaded": gone})

    async def render_tokens(self, request: Request) -> Response:
        """Records as the trainer sees them."""
        wanted = await _body(request, RenderTokensRequest)
        await self._libraries()
        from training_engine.serve.token_view import render_tokens

        return _json(await asyncio.to_thread(render_tokens, wanted))

    async def count_lengths(self, request: Request) -> Response:
        """The lengths of a data set as lines of JSON; leaving ends the count."""
        wanted = await _body(request, CountLengthsRequest)
        await self._libraries()
        from training_engine.serve.length_count import count_lengths

        counting = count_lengths(wanted)
        # The first step reads the model: what is wrong with it is an answer of its own.
        first = await asyncio.to_thread(next, counting)
        return StreamingResponse(_lines(first, counting), media_type="application/x-ndjson")

    async def token_lengths(self, request: Request) -> Response:
        """How many tokens each record or text has."""
        wanted = await _body(request, TokenLengthsRequest)
        await self._libraries()
        from training_engine.serve.token_view import token_lengths

        return JSONResponse({"lengths": await asyncio.to_thread(token_lengths, wanted)})

    async def _libraries(self) -> None:
        """Until they are loaded: threads that import them at once trip over each other.

        Raises `ServeError` when they can not be loaded.
        """
        if self._scheduler.health().status != "ready":
            await asyncio.wrap_future(self._scheduler.call(lambda store: None))


async def _body(request: Request, model: type[M]) -> M:
    """The request's body as `model`; raises `ServeError` naming the field that is wrong."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise ServeError("bad_request", "The request is too large.", "Send less at once.")
    try:
        return model.model_validate_json(bytes(body))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise ServeError(
            "bad_request", f"The request is not valid at {place}: {first['msg']}.", "Correct it."
        ) from error


async def _lines(first: CountLine, others: Iterator[CountLine]) -> AsyncIterator[bytes]:
    """Each item as a line; computed in a thread, one after the other."""
    item: CountLine | None = first
    while item is not None:
        yield item.model_dump_json().encode() + b"\n"
        item = await asyncio.to_thread(next, others, None)


def _json(value: BaseModel) -> Response:
    return Response(value.model_dump_json(), media_type="application/json")


async def _left(request: Request) -> None:
    """Until the caller has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _settle(told: "asyncio.Future[Told]", item: "Told") -> None:
    if not told.done():
        told.set_result(item)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServeError)
    return _refusal(error.failure())


async def _broken(_: Request, error: Exception) -> Response:
    """A bug, or a machine in need: a sentence for who asked, the whole story for the log."""
    traceback.print_exception(error)
    return _refusal(from_engine(explain(error)).failure())


def _refusal(failure: Failure) -> Response:
    status = _STATUS.get(failure.code, 400)
    return Response(failure.model_dump_json(), status, media_type="application/json")
