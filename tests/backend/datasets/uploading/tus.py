"""A client of the tus protocol, written out by hand: every header is in sight."""

import base64
import hashlib
from typing import Any

import httpx

UPLOADS = "/api/v1/uploads"
DATASETS = "/api/v1/datasets"
TUS = {"Tus-Resumable": "1.0.0"}
PART = "application/offset+octet-stream"


def metadata(**values: str) -> str:
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in values.items())


def checksum(content: bytes, algorithm: str = "sha256") -> str:
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm} {base64.b64encode(digest).decode()}"


async def begin(client: httpx.AsyncClient, size: int, name: str = "a.jsonl", **more: str) -> str:
    """Announce a file; gives the address of its upload."""
    headers = {**TUS, "Upload-Length": str(size)}
    headers["Upload-Metadata"] = metadata(filename=name, **more)
    answer = await client.post(UPLOADS, headers=headers)
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["Location"]
    return location


async def send(
    client: httpx.AsyncClient, url: str, offset: int, content: Any, **headers: str
) -> httpx.Response:
    """One part."""
    said = {**TUS, "Content-Type": PART, "Upload-Offset": str(offset)}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.patch(url, content=content, headers=said)


async def offset_of(client: httpx.AsyncClient, url: str) -> int:
    answer = await client.head(url, headers=TUS)
    assert answer.status_code == 200
    return int(answer.headers["Upload-Offset"])


async def whole(client: httpx.AsyncClient, content: bytes, name: str = "a.jsonl") -> str:
    """Upload all of a file; gives its id."""
    url = await begin(client, len(content), name)
    if content:
        answer = await send(client, url, 0, content)
        assert answer.status_code == 204, answer.text
    return url.rsplit("/", 1)[1]
