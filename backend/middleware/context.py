"""The outermost layer: request id, access log, and the answer to bugs and a missing database."""

import re
import time

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend import errors
from backend.database import DatabaseUnavailable
from backend.ids import new_id

HEADER = "X-Request-ID"
GIVEN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
QUIET = frozenset({"/healthz", "/readyz"})
log = structlog.get_logger("backend.access")


class InternalError(errors.AppError):
    """Something went wrong inside; the server's log has the details under this request's id."""


def _as_answer(error: Exception) -> errors.AppError | None:
    """What a failure of the database is to the caller; None for bugs."""
    lost = isinstance(error, DBAPIError) and (
        error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    )
    return DatabaseUnavailable() if lost or isinstance(error, PoolTimeout) else None


class Context:
    """ASGI middleware: everything inside can rely on `request.state.request_id`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; whatever happens it gets an answer with an id and one log line."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get(HEADER, "")
        request_id = given if GIVEN_ID.fullmatch(given) else str(new_id())
        request.state.request_id = request_id
        status, began = 0, time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            # The one place where a bug in a request ends: logged whole, told as an id.
            except Exception as error:
                answer = _as_answer(error)
                if answer is None:
                    log.exception("bug", path=request.url.path)
                else:
                    log.warning("database is away", error=type(error).__name__)
                if status:  # too late for another answer; cutting the connection shows the break
                    raise
                final = answer or InternalError()
                await errors.answer(request, final)(scope, receive, send_with_id)
            finally:
                self._note(request, status, time.perf_counter() - began)

    @staticmethod
    def _note(request: Request, status: int, took_s: float) -> None:
        path = request.url.path  # never the query: it may hold what the user searched for
        if path in QUIET and status < 400:
            return
        user = getattr(request.state, "user", None)
        log.info(
            "request",
            method=request.method,
            path=path,
            status=status,
            took_ms=round(took_s * 1000, 1),
            client=request.client.host if request.client else None,
            user=str(user.id) if user else None,
        )
