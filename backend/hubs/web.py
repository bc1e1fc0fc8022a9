"""Asking a hub: short answers, bounded in size and time; what its refusals mean."""

from typing import Any

import httpx
import orjson

TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 32 * 1024 * 1024
MAX_REDIRECTS = 5


class HubRefusal(Exception):
    """The hub does not give it: `reason` says why.

    not_found, gated, busy (too many requests), too_long, no_json, damaged, no_commit.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def client() -> httpx.AsyncClient:
    """Connections to a hub, without any token."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        headers={"User-Agent": "easytune"},
    )


async def read_object(connection: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """The JSON object at `url`; raises `HubRefusal` and `httpx.HTTPError`."""
    content = await read(connection, url)
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise HubRefusal("no_json") from None
    if not isinstance(value, dict):
        raise HubRefusal("damaged")
    return value


async def read(connection: httpx.AsyncClient, url: str, max_bytes: int = MAX_ANSWER_BYTES) -> bytes:
    """What is at `url`; raises `HubRefusal` and `httpx.HTTPError`."""
    async with connection.stream("GET", url) as answer:
        if answer.status_code in {400, 401, 403, 404}:
            raise HubRefusal(_refusal(answer))
        if answer.status_code == 429:
            raise HubRefusal("busy")
        answer.raise_for_status()
        content = b""
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > max_bytes:
                raise HubRefusal("too_long")
    return content


def _refusal(answer: httpx.Response) -> str:
    """Hubs say “no” to strangers in the same way for what is closed and for what is not there."""
    if answer.headers.get("X-Error-Code") == "GatedRepo":
        return "gated"
    return "not_found"
