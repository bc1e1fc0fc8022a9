"""API shapes of accounts."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

Username = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=2, max_length=64, pattern=r"^[\w.@-]+$", to_lower=True
    ),
]
# Rules beyond the length (common passwords, the user's own name) are checked by the service.
Password = Annotated[str, StringConstraints(min_length=12, max_length=128)]


class Role(StrEnum):
    """What a user may do."""

    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    VIEWER = "viewer"


class SetupStatus(BaseModel):
    """Public: what the sign-in page must know before anybody is signed in."""

    needs_setup: bool
    insecure_http: bool
    version: str


class Setup(BaseModel):
    """Create the first administrator with the token that the server printed."""

    model_config = ConfigDict(extra="forbid")

    setup_token: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
    username: Username
    password: Password


class Login(BaseModel):
    """Sign in; also sets the browser's session cookie."""

    model_config = ConfigDict(extra="forbid")

    username: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64, to_lower=True)]
    password: Annotated[str, StringConstraints(max_length=128)]


class AccessToken(BaseModel):
    """Send as `Authorization: Bearer`; ends after `expires_in_s` seconds."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105
    expires_in_s: int


class Me(BaseModel):
    """The signed-in user."""

    id: UUID
    username: str
    role: Role
    created_at: datetime
