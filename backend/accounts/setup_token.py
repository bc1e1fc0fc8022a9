"""The first administrator is made with a token that only the server's owner can see.

Printed, and kept in the data folder for its owner; fresh at every start and every hour; gone after
use. Only while there is no user at all.
"""

import hmac
import os
import secrets
import time
from pathlib import Path

from backend.errors import Forbidden

FILE = "setup_token"
LIFETIME_S = 3600.0


class BadSetupToken(Forbidden):
    """This is not the set-up token that the server printed last; it changes every hour."""


class SetupToken:
    """The token in force; `path` holds it as text, mode 0600."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / FILE
        self._token: str | None = None
        self._made_at = 0.0

    def renew(self) -> str:
        """A fresh token; the one before stops working."""
        self._token = secrets.token_urlsafe(24)
        self._made_at = time.monotonic()
        new = self.path.with_name(f".{FILE}.{os.getpid()}")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self._token + "\n")
        new.replace(self.path)
        return self._token

    def check(self, given: str) -> None:
        """Raise `BadSetupToken` unless `given` is the token in force."""
        expired = time.monotonic() - self._made_at > LIFETIME_S
        right = hmac.compare_digest(given.encode(), (self._token or "").encode())
        if self._token is None or expired or not right:
            raise BadSetupToken

    def drop(self) -> None:
        """It was used, or is not needed."""
        self._token = None
        self.path.unlink(missing_ok=True)
