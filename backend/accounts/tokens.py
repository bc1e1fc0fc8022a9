"""Access tokens: JSON Web Tokens (RFC 7519), HS256 only, ten minutes, bound to a session.

The checks follow RFC 8725: one algorithm, every claim required, no header that could name a key.
"""

import time
from dataclasses import dataclass
from uuid import UUID

import jwt

from backend.ids import new_id

ALGORITHM = "HS256"
LIFETIME_S = 600
LEEWAY_S = 30
ISSUER = "easytune"
AUDIENCE = "easytune-api"
TYPE = "access"
REQUIRED = ["exp", "iat", "sub", "aud", "iss", "jti", "typ", "sid"]
ALLOWED_HEADERS = frozenset({"alg", "typ"})


class BadToken(Exception):
    """Not a token of ours, or no longer valid."""


@dataclass(frozen=True)
class Claims:
    """What a valid token says."""

    user_id: UUID
    sign_in_id: UUID


class Tokens:
    """Makes and reads access tokens with the installation's key (at least 256 bit)."""

    def __init__(self, key: str) -> None:
        if len(key.encode()) < 32:
            raise ValueError("the signing key must have at least 32 bytes")
        self._key = key

    def make(self, user_id: UUID, sign_in_id: UUID) -> str:
        """A token that lives `LIFETIME_S` seconds, or until the session ends."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(sign_in_id),
            "iat": now,
            "exp": now + LIFETIME_S,
            "jti": str(new_id()),
            "typ": TYPE,
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)

    def read(self, token: str) -> Claims:
        """The claims of a valid token; raises `BadToken` for anything else."""
        try:
            header = jwt.get_unverified_header(token)
            if not ALLOWED_HEADERS.issuperset(header) or header.get("typ") != "JWT":
                raise BadToken("unexpected header")
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY_S,
                options={"require": REQUIRED},
            )
            if claims["typ"] != TYPE:
                raise BadToken("not an access token")
            return Claims(UUID(claims["sub"]), UUID(claims["sid"]))
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
            raise BadToken(str(error)) from error
