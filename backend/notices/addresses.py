"""Addresses of targets: which services may be used, what may be shown of an address.

Nothing is looked up and nothing is sent here; whether an address leads into the private network
is decided where the connection is made (`guard`).
"""

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from backend.errors import Refused

WEBHOOK = "webhook"


@dataclass(frozen=True)
class Scheme:
    """One spelling of a service. `safer` is the one to use instead of an unencrypted one.

    `host_shown`: the host is a server's name; elsewhere a token stands in its place.
    """

    service: str
    safer: str | None = None
    host_shown: bool = False


SCHEMES: Mapping[str, Scheme] = {
    "https": Scheme(WEBHOOK, host_shown=True),
    "http": Scheme(WEBHOOK, "https", host_shown=True),
    "mailtos": Scheme("email", host_shown=True),
    "mailto": Scheme("email", "mailtos", host_shown=True),
    "slack": Scheme("slack"),
    "discord": Scheme("discord"),
    "tgram": Scheme("telegram"),
    "workflow": Scheme("teams", host_shown=True),
    "workflows": Scheme("teams", host_shown=True),
    "ntfys": Scheme("ntfy", host_shown=True),
    "ntfy": Scheme("ntfy", "ntfys", host_shown=True),
    "gotifys": Scheme("gotify", host_shown=True),
    "gotify": Scheme("gotify", "gotifys", host_shown=True),
    "matrixs": Scheme("matrix", host_shown=True),
    "matrix": Scheme("matrix", "matrixs", host_shown=True),
    "mmosts": Scheme("mattermost", host_shown=True),
    "mmost": Scheme("mattermost", "mmosts", host_shown=True),
    "rockets": Scheme("rocketchat", host_shown=True),
    "rocket": Scheme("rocketchat", "rockets", host_shown=True),
    "feishu": Scheme("feishu"),
    "lark": Scheme("lark"),
    "dingtalk": Scheme("dingtalk"),
    "wecombot": Scheme("wecom"),
    "gchat": Scheme("googlechat"),
    "pover": Scheme("pushover"),
}
# Addresses as the services themselves give them out: the sender knows what to do with these.
KNOWN_PLACES = (
    ("slack", re.compile(r"https://hooks\.slack\.com/services/.+", re.I)),
    ("discord", re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/.+", re.I)),
    ("teams", re.compile(r"https://[\w.-]+\.logic\.azure\.com(?::443)?/workflows/.+", re.I)),
    ("teams", re.compile(r"https://[\w.-]+\.powerplatform\.com(?::443)?/.+/workflows/.+", re.I)),
    ("lark", re.compile(r"https://open\.larksuite\.com/open-apis/bot/v2/hook/.+", re.I)),
    ("wecom", re.compile(r"https://qyapi\.weixin\.qq\.com/cgi-bin/webhook/send\?key=.+", re.I)),
    ("googlechat", re.compile(r"https://chat\.googleapis\.com/v1/spaces/.+", re.I)),
)
# The same for two that the sender only knows under another spelling.
SPELT_OTHERWISE = (
    (re.compile(r"https://open\.feishu\.cn/open-apis/bot/v2/hook/([\w-]+)/?", re.I), "feishu://"),
    (
        re.compile(r"https://oapi\.dingtalk\.com/robot/send\?access_token=(\w+)", re.I),
        "dingtalk://",
    ),
)
# Of these a topic or a token may stand alone, where else the server does.
TOKEN_ALONE = frozenset({"ntfy", "matrix"})
# What may follow the `?` of a service's address. Others name files of this machine, switch
# certificates off, or make the sender wait.
OPTIONS = frozenset(
    {
        *("to", "from", "name", "smtp", "mode", "reply", "cc", "bcc", "user", "pass", "port"),
        *("priority", "format", "thread", "topic", "channel", "avatar", "botname", "sound"),
        *("tags", "auth", "token", "secret", "msgtype", "tts", "silent", "image", "footer"),
        *("id", "signature", "sig", "sp", "sv", "api-version", "workflow", "key", "blocks"),
        *("device", "threadid", "version"),
    }
)


class UnreadableAddress(Refused):
    """This is no address that messages can be sent to. Give an https address, or choose a service
    and fill in what it asks for."""


class ServiceNotAllowed(Refused):
    """Messages can not be sent with {scheme}://. Choose one of the services that are listed, or a
    webhook with https://."""


class AddressOptionNotAllowed(Refused):
    """The option “{option}” can not be used in an address here; leave it out."""


class InsecureAddress(Refused):
    """With {scheme}:// messages and passwords can be read on the way. Use {safer}://, or have the
    operator name the server in EASYTUNE_PRIVATE_TARGETS."""


class PrivateAddress(Refused):
    """{host} lies in the private network of this server. The operator can allow it by naming it
    with its port in EASYTUNE_PRIVATE_TARGETS."""


@dataclass(frozen=True)
class Address:
    """Where messages go. `url` is secret; `shown` is not."""

    url: str
    service: str
    shown: str


def read(given: str, private: Collection[str]) -> Address:
    """The address as it is used; raises the refusals above.

    `private`: servers, `host:port`, that may be reached although they are private or unencrypted.
    """
    url = given.strip()
    if not url.isprintable() or any(c in url for c in ' \\<>"`'):
        raise UnreadableAddress
    for pattern, scheme in SPELT_OTHERWISE:
        if found := pattern.fullmatch(url):
            url = scheme + found[1]
    name, _, rest = url.partition("://")
    known = SCHEMES.get(name.lower())
    if not rest:
        raise UnreadableAddress
    if known is None:
        raise ServiceNotAllowed(params={"scheme": name[:40]})
    # Elsewhere a token stands where a server would.
    host = _host(url) if known.host_shown else ""
    for service, place in KNOWN_PLACES:
        if place.fullmatch(url):
            _options(url)  # the sender reads them of such an address as well
            return Address(url, service, f"https://{host}/…")
    allowed = _allowed_hosts(private)
    servers = {host, *_servers_named(url)} if host else set()
    _refuse_private(servers, allowed)
    if known.safer and not servers & allowed:
        raise InsecureAddress(params={"scheme": name.lower(), "safer": known.safer})
    if known.service == WEBHOOK:
        _require_plain(url)
    elif _options(url).get("mode") == "insecure" and not servers & allowed:
        raise InsecureAddress(params={"scheme": name.lower(), "safer": known.safer or name})
    told = "" if known.service in TOKEN_ALONE and not urlsplit(url).path.strip("/") else host
    return Address(url, known.service, _shown(name.lower(), told))


def _host(url: str) -> str:
    """The host, in lower case and without a dot at its end; the port must be one."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UnreadableAddress from None
    if not host:
        raise UnreadableAddress
    return unquote(host).rstrip(".").lower()


def _servers_named(url: str) -> set[str]:
    """Further servers that options of the address name."""
    return {value.rstrip(".") for option, value in _pairs(url) if option == "smtp"}


def _allowed_hosts(private: Collection[str]) -> set[str]:
    return {entry.rpartition(":")[0].strip("[]").lower() for entry in private}


def _refuse_private(hosts: set[str], allowed: set[str]) -> None:
    """Say early what would be refused at every message; names are looked up only then."""
    for host in hosts - allowed:
        try:
            private = not ipaddress.ip_address(host).is_global
        except ValueError:
            private = host == "localhost" or host.endswith((".localhost", ".local"))
        if private:
            raise PrivateAddress(params={"host": host[:100]})


def _require_plain(url: str) -> None:
    """A webhook's address is a server and a path: passwords belong into neither."""
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or "#" in url:
        raise UnreadableAddress


def _options(url: str) -> dict[str, str]:
    """Options of a service's address, in lower case; raises `AddressOptionNotAllowed`."""
    found: dict[str, str] = {}
    for option, value in _pairs(url):
        if option not in OPTIONS:
            raise AddressOptionNotAllowed(params={"option": option[:40]})
        found[option] = value
    return found


def _pairs(url: str) -> Iterator[tuple[str, str]]:
    """Options and values, in lower case, as the sender reads them: everything behind the first
    question mark, parted by semicolons as well, without spaces around, and unquoted twice where
    a plug-in does it once more."""
    for piece in re.split("[&;]", url.partition("?")[2]):
        option, _, value = piece.partition("=")
        if piece:
            plain = unquote(unquote(value.replace("+", " ")))
            yield unquote(option).strip().lower(), plain.strip().lower()


def _shown(scheme: str, host: str) -> str:
    return f"{scheme}://{host[:200]}/…" if host else f"{scheme}://…"
