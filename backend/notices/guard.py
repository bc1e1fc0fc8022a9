"""The fence around the sender: connections go to public addresses and known ports only.

Installed once, in the process that sends and nowhere else. Every library of it resolves names
through `socket.getaddrinfo` and connects to what that returned; both are replaced here. A name is
thus looked up once, every address of it is judged, and the connection goes to the judged address:
neither a redirection nor a name that changes its address leads into the private network.
"""

import ipaddress
import socket
from collections.abc import Collection
from contextvars import ContextVar
from typing import Any

# https; mail: submission and relay; two that home servers of ntfy, Gotify and Matrix use.
PORTS = frozenset({443, 25, 465, 587, 2525, 8443, 8448})
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Allowed = Collection[tuple[str, int]]
# A code and its values.
Refusal = tuple[str, dict[str, str | int]]
# What is refused to one message: libraries turn it into errors of their own. Threads that they
# start take the context along.
_said: ContextVar[list[Refusal] | None] = ContextVar("refusals", default=None)


class RefusedAddress(OSError):
    """The connection would leave the public internet."""


def is_public(address: str) -> bool:
    """Whether an IP address, as text, is one of the public internet; also where one hides another.

    Raises `ValueError` for what is no IP address.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified


def listen() -> list[Refusal]:
    """What is refused in this context from now on; the list grows."""
    said: list[Refusal] = []
    _said.set(said)
    return said


def _tell(code: str, **params: str | int) -> None:
    said = _said.get()
    if said is not None:
        said.append((code, params))


def install(allowed: Allowed) -> None:
    """Fence this process in. `allowed`: (host, port) that may be reached although they are not
    public or have another port; without encryption as well."""
    look_up, connect, connect_ex = (
        socket.getaddrinfo,
        socket.socket.connect,
        socket.socket.connect_ex,
    )
    # What was judged and found good, (address, port); connections go nowhere else.
    good: set[tuple[str, int]] = set()

    def guarded(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = (host.decode() if isinstance(host, bytes) else str(host or "")).rstrip(".").lower()
        number = int(port) if str(port).isdigit() else -1
        try:
            found = look_up(host, port, *args, **kwargs)
        except socket.gaierror:
            _tell("unknown_host", host=name[:200])
            raise
        addresses = {str(entry[4][0]) for entry in found}
        named = (name, number) in allowed
        if not named and (number not in PORTS or not all(map(is_public, addresses))):
            _refuse(name, number)
        good.update((address.partition("%")[0], number) for address in addresses)
        return found

    def require_good(address: Any) -> None:
        plain = address if isinstance(address, tuple) and len(address) >= 2 else ("", -1)
        host, number = str(plain[0]).partition("%")[0], plain[1]
        if (host, number) not in good:
            _refuse(host, number)

    def guarded_connect(self: socket.socket, address: Any) -> None:
        require_good(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        require_good(address)
        return connect_ex(self, address)

    socket.getaddrinfo = guarded
    socket.socket.connect = guarded_connect  # type: ignore[method-assign,assignment]
    socket.socket.connect_ex = guarded_connect_ex  # type: ignore[method-assign,assignment]


def _refuse(host: str, port: int) -> None:
    _tell("refused_address", host=host[:200], port=port)
    raise RefusedAddress(f"{host[:200]}:{port} is not reachable from here by rule")
