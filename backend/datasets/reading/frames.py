"""How the API and the reading process talk: JSON objects, each with its length in four bytes."""

import asyncio
from typing import Any, BinaryIO

import orjson

LENGTH_BYTES = 4


def pack(message: dict[str, Any]) -> bytes:
    """A message with its length before it."""
    content = orjson.dumps(message)
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def read(file: BinaryIO) -> dict[str, Any] | None:
    """The next message; None when the other side is gone."""
    length = file.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    message: dict[str, Any] = orjson.loads(file.read(int.from_bytes(length, "big")))
    return message


async def receive(stream: asyncio.StreamReader) -> dict[str, Any]:
    """The next message; raises `asyncio.IncompleteReadError` when the other side is gone."""
    length = await stream.readexactly(LENGTH_BYTES)
    content = await stream.readexactly(int.from_bytes(length, "big"))
    message: dict[str, Any] = orjson.loads(content)
    return message
