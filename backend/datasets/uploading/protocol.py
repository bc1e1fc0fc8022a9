"""The tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload): its headers, read strictly.

Core, creation, checksum, expiration and termination. A file's length is said at the beginning.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from typing import Any

from starlette.datastructures import Headers

from backend.datasets.uploading.quarantine import safe_name
from backend.errors import AppError, Conflict, Refused

VERSION = "1.0.0"
EXTENSIONS = "creation,checksum,expiration,termination"
PART_TYPE = "application/offset+octet-stream"
MAX_METADATA_CHARACTERS = 4096
HASHES: dict[str, Any] = {
    "sha256": hashlib.sha256,
    # They find what a line garbled; nobody relies on them against an attacker.
    "sha1": partial(hashlib.sha1, usedforsecurity=False),
    "md5": partial(hashlib.md5, usedforsecurity=False),
}
_NUMBER = re.compile(r"[0-9]{1,18}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class WrongTusVersion(AppError):
    """This server speaks tus 1.0.0: send the header Tus-Resumable: 1.0.0."""

    status = 412


class BadUploadHeader(Refused):
    """The header {header} is missing or wrong: {reason}."""


class WrongPartType(AppError):
    """Send a part of a file as application/offset+octet-stream."""

    status = 415


class WrongOffset(Conflict):
    """This upload stands at byte {offset}; go on from there."""


class ChecksumMismatch(AppError):
    """What arrived is not what was sent: its checksum differs. Send this part again."""

    status = 460


@dataclass(frozen=True)
class Creation:
    """What a new upload says about itself."""

    size_bytes: int
    filename: str
    metadata: str
    sha256: str | None


@dataclass(frozen=True)
class Checksum:
    """What a part must hash to."""

    algorithm: str
    digest: bytes

    def start(self) -> Any:
        """A hash object for the part."""
        return HASHES[self.algorithm]()

    def require(self, found: Any) -> None:
        """Raise `ChecksumMismatch` unless `found`, which has seen the whole part, is right."""
        if not hmac.compare_digest(found.digest(), self.digest):
            raise ChecksumMismatch


@dataclass(frozen=True)
class Part:
    """What a part says about itself."""

    offset: int
    checksum: Checksum | None


def creation_of(headers: Headers) -> Creation:
    """What `POST` asks for; raises `BadUploadHeader`."""
    if "Upload-Defer-Length" in headers:
        raise _bad("Upload-Defer-Length", "the length must be known at the beginning")
    metadata = headers.get("Upload-Metadata", "")
    values = _metadata(metadata)
    sha256 = values.get("sha256", "").lower() or None
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise _bad("Upload-Metadata", "sha256 has 64 hexadecimal digits")
    name = safe_name(values.get("filename", "") or values.get("name", ""))
    return Creation(_number(headers, "Upload-Length"), name, metadata, sha256)


def metadata_of(text: str) -> dict[str, str]:
    """The values in metadata that was accepted before."""
    return _metadata(text)


def part_of(headers: Headers) -> Part:
    """What `PATCH` brings; raises `WrongPartType`, `BadUploadHeader`."""
    kind = headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind != PART_TYPE:
        raise WrongPartType
    return Part(_number(headers, "Upload-Offset"), _checksum(headers.get("Upload-Checksum")))


def http_date(moment: datetime) -> str:
    """As the header Upload-Expires has it (RFC 9110 §5.6.7)."""
    return format_datetime(moment, usegmt=True)


def _bad(header: str, reason: str) -> BadUploadHeader:
    return BadUploadHeader(params={"header": header, "reason": reason})


def _number(headers: Headers, name: str) -> int:
    text = headers.get(name, "")
    if not _NUMBER.fullmatch(text):
        raise _bad(name, "a whole number from 0 is expected")
    return int(text)


def _checksum(text: str | None) -> Checksum | None:
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    if algorithm not in HASHES:
        raise _bad("Upload-Checksum", f"known algorithms are {', '.join(HASHES)}")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != HASHES[algorithm]().digest_size:
        raise _bad("Upload-Checksum", f"a {algorithm} digest in Base64 must follow")
    return Checksum(algorithm, digest)


def _metadata(text: str) -> dict[str, str]:
    """Pairs of key and Base64 value, comma separated; raises `BadUploadHeader`."""
    if not (text.isascii() and text.isprintable()) or len(text) > MAX_METADATA_CHARACTERS:
        raise _bad("Upload-Metadata", f"up to {MAX_METADATA_CHARACTERS} ASCII characters")
    values: dict[str, str] = {}
    for pair in text.split(",") if text.strip() else ():
        key, _, encoded = pair.strip().partition(" ")
        if not key or key in values:
            raise _bad("Upload-Metadata", "each key has a name and comes once")
        try:
            values[key] = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            raise _bad("Upload-Metadata", f"“{key}” is not UTF-8 in Base64") from None
    return values
