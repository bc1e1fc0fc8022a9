"""Only requests that ask for this host by a known name: a page of another site can otherwise
point its own name at this address (DNS rebinding) and read answers as if they were its own."""

import ipaddress
import socket

import psutil
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from backend import errors
from backend.settings import LOOPBACK_HOSTS, Settings


class UnknownHost(errors.AppError):
    """This server is not asked for by that name; add it to EASYTUNE_ALLOWED_HOSTS."""

    status = 421


def known_hosts(settings: Settings) -> frozenset[str]:
    """Loopback, the configured names, and the address we listen on (all own ones for a wildcard).

    Addresses are safe to allow: rebinding needs a name.
    """
    hosts = {*LOOPBACK_HOSTS, *(h.lower() for h in settings.allowed_hosts), settings.host.lower()}
    try:
        wildcard = ipaddress.ip_address(settings.host).is_unspecified
    except ValueError:
        wildcard = False
    if wildcard:
        for addresses in psutil.net_if_addrs().values():
            families = (socket.AF_INET, socket.AF_INET6)
            hosts |= {a.address.split("%")[0] for a in addresses if a.family in families}
    return frozenset(hosts)


def host_of(header: str) -> str:
    """The name in a Host header, without port and brackets, in lower case."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.rpartition(":")[0].lower() if header.count(":") == 1 else header.lower()


class HostCheck:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 421 for a name that is not ours."""
        if scope["type"] in {"http", "websocket"}:
            request = Request(scope) if scope["type"] == "http" else None
            given = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
            if host_of(given).rstrip(".") not in self.hosts:
                if request is None:
                    await send({"type": "websocket.close", "code": 1008})
                else:
                    await errors.answer(request, UnknownHost())(scope, receive, send)
                return
        await self.app(scope, receive, send)
