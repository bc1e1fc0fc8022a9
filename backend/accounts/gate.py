"""The door: every request is refused unless it is signed in or on the public list.

It stands before routing and before any body is read, so that neither a forgotten dependency nor a
mounted application opens anything, and nobody unknown can make the server read an upload.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from backend import errors
from backend.accounts.authentication import authenticate
from backend.accounts.forgery import require_own_page

# What answers without sign-in. A test walks over all routes and fails for any other.
PUBLIC_CALLS = frozenset(
    {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/api/v1/auth/setup"),
        ("POST", "/api/v1/auth/setup"),
        ("POST", "/api/v1/auth/login"),
    }
)
# Everything else below these is closed; other paths are the browser app's files and pages.
CLOSED = frozenset({"api", "v1", "docs", "redoc", "openapi.json", "metrics"})


def is_public(method: str, path: str) -> bool:
    """Whether this call is on the public list."""
    return (method, path) in PUBLIC_CALLS


def _is_browser_app(method: str, path: str) -> bool:
    return method in {"GET", "HEAD"} and path.lstrip("/").split("/", 1)[0] not in CLOSED


class Gate:
    """ASGI middleware: puts `user`, `sign_in_id` and `signed_in_by` into the request's state."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 401 / 403 at once."""
        if scope["type"] == "websocket":  # there are none
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            request = Request(scope)
            try:
                await self._check(request)
            except errors.AppError as error:
                await errors.answer(request, error)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _check(self, request: Request) -> None:
        method, path = request.method, request.url.path
        if is_public(method, path):
            require_own_page(request)
        elif not _is_browser_app(method, path):
            await authenticate(request)
