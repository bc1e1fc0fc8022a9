"""How large a body may be, and how slowly it may come; known before anything reads it."""

import asyncio
import contextlib
import re
import time

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend import errors

MB = 1_000_000
DEFAULT_BYTES = MB
FORM_OVERHEAD_BYTES = MB  # names and other fields beside the file
SLOWEST_GAP_S = 60.0
LONGEST_S = 120.0  # for a whole body that is not an upload, however steadily it drips
UPLOADS = (
    (re.compile(r"/api/v1/datasets/?"), "POST", "multipart/form-data"),
    (re.compile(r"/api/v1/uploads/[^/]+"), "PATCH", "application/offset+octet-stream"),
    # A client whose network lets no PATCH through says it in a header.
    (re.compile(r"/api/v1/uploads/[^/]+"), "POST", "application/offset+octet-stream"),
)


class BodyTooLarge(errors.TooLarge):
    """This request is larger than the {megabytes} MB that are allowed here."""


class BodyTooSlow(errors.AppError):
    """The rest of this request did not arrive in time."""

    status = 408


class _Stop(Exception):
    """Leaves the application; the answer is known."""


class BodyLimits:
    """ASGI middleware: JSON up to 1 MB, uploads up to the configured size."""

    def __init__(self, app: ASGIApp, max_upload_mb: int) -> None:
        self.app, self.max_upload_mb = app, max_upload_mb

    def _limit(self, scope: Scope) -> int:
        said = Headers(scope=scope).get("Content-Type", "").split(";")[0].strip().lower()
        for path, method, kind in UPLOADS:
            if scope["method"] == method and said == kind and path.fullmatch(scope["path"]):
                return self.max_upload_mb * MB + FORM_OVERHEAD_BYTES
        return DEFAULT_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with a counted `receive`; answer 413 or 408 instead of the application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, limit = Request(scope), self._limit(scope)
        too_large = BodyTooLarge(params={"megabytes": limit // MB})
        said = request.headers.get("Content-Length", "")
        # Longer than any size that is allowed: not even worth reading as a number.
        if said.isdecimal() and (len(said) > 18 or int(said) > limit):
            await errors.answer(request, too_large)(scope, receive, send)
            return
        received, complete, started = 0, False, False
        ends_at = None if limit > DEFAULT_BYTES else time.monotonic() + LONGEST_S
        verdict: errors.AppError | None = None

        async def counted() -> Message:
            nonlocal received, complete, verdict
            if complete:  # what follows is only the news that the client went away
                return await receive()
            try:
                patience = SLOWEST_GAP_S
                if ends_at is not None:
                    patience = min(patience, max(0.0, ends_at - time.monotonic()))
                message = await asyncio.wait_for(receive(), patience)
            except TimeoutError:
                verdict = BodyTooSlow()
                raise _Stop from None
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if received > limit:
                verdict = too_large
                raise _Stop
            return message

        async def guarded(message: Message) -> None:
            nonlocal started
            if verdict is None:  # else: what the application makes of the break is not wanted
                started = True
                await send(message)

        with contextlib.suppress(_Stop):
            await self.app(scope, counted, guarded)
        if verdict is not None and not started:
            verdict.headers["Connection"] = "close"
            await errors.answer(request, verdict)(scope, receive, send)
