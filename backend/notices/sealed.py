"""Secrets that must be read again (addresses of targets, keys of webhooks), unreadable in the
database.

Encrypt-then-MAC with HMAC-SHA-256 for both: in counter mode over a random nonce it is the stream
cipher (NIST SP 800-108 shows the same use), and over nonce, text and owner it is the proof that
nothing was changed or moved to another row. Both keys are derived from the installation's secret
key, which lies outside the database.
"""

import base64
import binascii
import hmac
import secrets

NONCE_BYTES = 24
TAG_BYTES = 32
BLOCK_BYTES = 32
VERSION = "1:"


class Unreadable(Exception):
    """It was sealed with another secret key, for something else, or it was changed."""


class Seal:
    """Seals and opens texts with keys of its own, derived from `secret_key`."""

    def __init__(self, secret_key: str) -> None:
        root = secret_key.encode()
        self._cipher = hmac.digest(root, b"easytune notices: cipher 1", "sha256")
        self._mac = hmac.digest(root, b"easytune notices: mac 1", "sha256")

    def seal(self, text: str, owner: str) -> str:
        """`text` for the row `owner`; another text every time."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        hidden = self._crypt(text.encode(), nonce)
        return VERSION + base64.b64encode(nonce + hidden + self._tag(nonce, hidden, owner)).decode()

    def open(self, sealed: str, owner: str) -> str:
        """The text; raises `Unreadable`."""
        if not sealed.startswith(VERSION):
            raise Unreadable
        try:
            raw = base64.b64decode(sealed[len(VERSION) :], validate=True)
        except binascii.Error as error:
            raise Unreadable from error
        nonce, hidden, tag = raw[:NONCE_BYTES], raw[NONCE_BYTES:-TAG_BYTES], raw[-TAG_BYTES:]
        whole = len(raw) >= NONCE_BYTES + TAG_BYTES
        if not whole or not hmac.compare_digest(tag, self._tag(nonce, hidden, owner)):
            raise Unreadable
        return self._crypt(hidden, nonce).decode()

    def _crypt(self, text: bytes, nonce: bytes) -> bytes:
        """XOR with the key stream: the same way there and back."""
        blocks = range(0, len(text), BLOCK_BYTES)
        stream = b"".join(
            hmac.digest(self._cipher, nonce + number.to_bytes(8), "sha256")
            for number, _ in enumerate(blocks)
        )
        return bytes(a ^ b for a, b in zip(text, stream, strict=False))

    def _tag(self, nonce: bytes, hidden: bytes, owner: str) -> bytes:
        return hmac.digest(self._mac, nonce + owner.encode() + b"\0" + hidden, "sha256")
