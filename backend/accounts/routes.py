"""HTTP of accounts: set-up, sign-in, sign-out, who am I."""

import ipaddress

from fastapi import APIRouter, Request, Response

from backend.accounts import schemas, service, sign_ins, tokens
from backend.accounts.authentication import cookie_name
from backend.accounts.dependencies import CurrentUser
from backend.accounts.setup_token import SetupToken
from backend.database import SessionDep
from backend.errors import Forbidden
from backend.version import VERSION

router = APIRouter(prefix="/auth", tags=["auth"])


class InsecureConnection(Forbidden):
    """Sign-in over plain HTTP is only allowed on this machine; use HTTPS or a tunnel."""


class UnknownProxy(Forbidden):
    """This request came through a proxy; name its address in EASYTUNE_TRUSTED_PROXIES."""


FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP")


def _require_safe_connection(request: Request) -> None:
    settings = request.app.state.settings
    if request.url.scheme == "https" or settings.insecure_http:
        return
    if not _is_loopback(_address(request)):
        raise InsecureConnection
    # A proxy on this machine makes everybody look local; it says so in these headers.
    if not settings.trusted_proxies and any(name in request.headers for name in FORWARDED):
        raise UnknownProxy


def _address(request: Request) -> str:
    # Of the connection, or what a trusted proxy says: X-Forwarded-For alone anybody can write.
    return request.client.host if request.client else ""


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _grant(
    request: Request, response: Response, signed_in: service.SignedIn
) -> schemas.AccessToken:
    response.set_cookie(
        cookie_name(request),
        signed_in.secret,
        max_age=int(sign_ins.LIFETIME.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    token = request.app.state.tokens.make(signed_in.user.id, signed_in.sign_in.id)
    return schemas.AccessToken(access_token=token, expires_in_s=tokens.LIFETIME_S)


@router.get("/setup")
async def setup_status(request: Request, session: SessionDep) -> schemas.SetupStatus:
    """Whether the first administrator is still to be made."""
    return schemas.SetupStatus(
        needs_setup=await service.needs_setup(session),
        insecure_http=request.app.state.settings.insecure_http,
        version=VERSION,
    )


@router.post("/setup", status_code=201)
async def setup(body: schemas.Setup, request: Request, response: Response) -> schemas.AccessToken:
    """Make the first administrator with the token that the server printed; signs in."""
    _require_safe_connection(request)
    setup_token: SetupToken = request.app.state.setup_token
    signed_in = await service.set_up_with_token(
        request.app.state.sessions,
        setup_token,
        body,
        _address(request),
        request.headers.get("User-Agent", ""),
    )
    return _grant(request, response, signed_in)


@router.post("/login")
async def login(body: schemas.Login, request: Request, response: Response) -> schemas.AccessToken:
    """Sign in: an access token for programs, a cookie for the browser."""
    _require_safe_connection(request)
    signed_in = await service.sign_in(
        request.app.state.sessions,
        body.username,
        body.password,
        _address(request),
        request.headers.get("User-Agent", ""),
    )
    return _grant(request, response, signed_in)


@router.post("/refresh")
async def refresh(request: Request, user: CurrentUser) -> schemas.AccessToken:
    """A new access token, from the cookie or a token that is still valid."""
    token = request.app.state.tokens.make(user.id, request.state.sign_in_id)
    return schemas.AccessToken(access_token=token, expires_in_s=tokens.LIFETIME_S)


@router.post("/logout", status_code=204)
async def logout(
    request: Request, response: Response, _user: CurrentUser, session: SessionDep
) -> None:
    """End this session: its cookie and all its access tokens."""
    await sign_ins.end(session, request.state.sign_in_id)
    secure = request.url.scheme == "https"
    response.delete_cookie(
        cookie_name(request), path="/", secure=secure, httponly=True, samesite="strict"
    )


@router.get("/me")
async def me(user: CurrentUser) -> schemas.Me:
    """The signed-in user."""
    return schemas.Me.model_validate(user, from_attributes=True)
