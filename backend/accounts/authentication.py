"""Who is asking: an access token as `Authorization: Bearer`, or the browser's session cookie.

Never a token in the address: those end up in logs and histories.
"""

from starlette.requests import Request

from backend.accounts import sign_ins
from backend.accounts.forgery import require_header
from backend.accounts.tables import SignInRow, UserRow
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


def _remember(request: Request, found: tuple[UserRow, SignInRow], by: str) -> None:
    user, sign_in = found
    request.state.user = user
    request.state.sign_in_id = sign_in.id
    request.state.signed_in_by = by


async def authenticate(request: Request) -> None:
    """Find the user in a short transaction of its own; raises `Unauthenticated` or `CrossSite`."""
    sessions = request.app.state.sessions
    bearer = _bearer(request)
    if bearer is not None:
        tokens: Tokens = request.app.state.tokens
        try:
            claims = tokens.read(bearer)
        except BadToken as bad:
            raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"}) from bad
        async with transaction(sessions) as session:
            found = await sign_ins.find_by_id(session, claims.sign_in_id, claims.user_id)
        by = "token"
    else:
        secret = request.cookies.get(cookie_name(request))
        if not secret:
            raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"})
        async with transaction(sessions) as session:
            found = await sign_ins.find_by_secret(session, secret)
        by = "cookie"
    if found is None:
        raise Unauthenticated(headers={"WWW-Authenticate": "Bearer"})
    if by == "cookie":
        require_header(request)
    _remember(request, found, by)
