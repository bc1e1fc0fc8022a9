"""What routes ask for: the signed-in user.

`gate.py` has already turned away whoever is not signed in, before any body was read; the
dependency is the second lock on the same door.
"""

from typing import Annotated

from fastapi import Depends, Request

from backend.accounts.gate import is_public
from backend.accounts.tables import UserRow
from backend.errors import Unauthenticated


# Coroutines although they wait for nothing: a plain function would be sent to another thread.
async def current_user(request: Request) -> UserRow:
    """The signed-in user, read-only and without a session; raises `Unauthenticated`."""
    user = getattr(request.state, "user", None)
    if not isinstance(user, UserRow):
        raise Unauthenticated
    return user


async def require_sign_in(request: Request) -> None:
    """For every route of the application: signed in, or on the public list."""
    if not is_public(request.method, request.url.path):
        await current_user(request)


CurrentUser = Annotated[UserRow, Depends(current_user)]
