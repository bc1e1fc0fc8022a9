"""What a search looks at: the texts of a record, folded so that the case does not matter."""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType


class _Message(msgspec.Struct, gc=False):
    content: str
    tool_calls: Raw | UnsetType = UNSET


class _Record(msgspec.Struct, gc=False):
    messages: list[_Message] | None = None
    chosen: list[_Message] | None = None
    rejected: list[_Message] | None = None
    text: str | None = None
    label: Any = None
    tools: Raw | UnsetType = UNSET


_decode = msgspec.json.Decoder(_Record).decode


def text_of(record: bytes, extra: bytes | None) -> str:
    """The texts of a canonical record (JSON) below each other, in lower case.

    Tools, calls, labels and what the file had beside the record are searched as JSON; a row that
    nobody has understood yet is, too.
    """
    try:
        found = _decode(record)
    except msgspec.ValidationError:
        return record.decode().casefold()
    parts: list[str] = []
    for messages in (found.messages, found.chosen, found.rejected):
        for message in messages or ():
            parts.append(message.content)
            if message.tool_calls is not UNSET:
                parts.append(bytes(message.tool_calls).decode())
    if found.text is not None:
        parts.append(found.text)
    if found.label is not None:
        parts.append(str(found.label))
    if found.tools is not UNSET:
        parts.append(bytes(found.tools).decode())
    if extra is not None:
        parts.append(extra.decode())
    return "\n".join(parts or [record.decode()]).casefold()
