"""Who is asking: an access token as `Authorization: Bearer`, or the browser's session cookie.

Never a token in the address: those end up in logs and histories.
"""

from starlette.requests import Request

from backend.accounts import sign_ins
from backend.accounts.forgery import require_header
from backend.accounts.tokens import BadToken, Tokens
from backend.database import transaction
from backend.errors import Unauthenticated

COOKIE = "easytune"
SECURE_COOKIE = "__Host-easytune"


def cookie_name(request: Request) -> str:
    """`__Host-` demands TLS; plain HTTP on this machine has the bare name."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


def _bearer(request: Request) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


def credential(request: Request) -> tuple[str | None, str | None]:
    """What a request shows to prove who sent it: its access token, its cookie."""
    return _bearer(request), request.cookies.get(cookie_name(request))


async def authenticate(request: Request) -> None:
    """Find the user, with one question; raises `Unauthenticated` or `CrossSite`."""
    engine = request.app.state.engine
    bearer = _bearer(request)
    if bearer is not None:
        tokens: Tokens = request.app.state.tokens
        try:
            claims = tokens.read(bearer)
        except BadToken as bad:
            raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"}) from bad
        found = await sign_ins.find_by_id(engine, claims.sign_in_id, claims.user_id)
        by = "token"
    else:
        secret = request.cookies.get(cookie_name(request))
        if not secret:
            raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"})
        found = await sign_ins.find_by_secret(engine, secret)
        by = "cookie"
    if found is None:
        raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"})
    if found.stale:
        async with transaction(request.app.state.sessions) as session:
            await sign_ins.touch(session, found.sign_in_id)
    if by == "cookie":
        require_header(request)
    request.state.user = found.user
    request.state.sign_in_id = found.sign_in_id
    request.state.signed_in_by = by
