"""Who may do what: the one place that decides.

Administrators see and change everything. Members see and change what they own. Viewers change
nothing. A thing without owner (`owner_id=None`) belongs to the installation: everybody may see
it, only administrators may change it. What a user may not see is answered like what does not
exist.
"""

from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, or_
from sqlalchemy.orm import InstrumentedAttribute

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.errors import Forbidden, NotFound

AnySelect = TypeVar("AnySelect", bound=Select[*tuple[Any, ...]])


class Action(StrEnum):
    """What can be asked for."""

    READ = "read"  # see, list, search, download, stream
    CREATE = "create"  # make a new thing of one's own
    CHANGE = "change"
    DELETE = "delete"
    RUN = "run"  # cost the host something: train, stop, generate
    ADMINISTER = "administer"  # the installation itself: users, settings


def may_see(user: UserRow, owner_id: UUID | None) -> bool:
    """Whether a thing with this owner exists for `user`."""
    return user.role == Role.ADMINISTRATOR or owner_id is None or owner_id == user.id


def may(user: UserRow, action: Action, owner_id: UUID | None) -> bool:
    """Whether `user` may do `action` to a thing that they can see."""
    if user.role == Role.ADMINISTRATOR:
        return True
    if action == Action.ADMINISTER:
        return False
    if action == Action.READ:
        return may_see(user, owner_id)
    if user.role != Role.MEMBER:
        return False
    if action == Action.RUN and owner_id is None:
        return True
    return owner_id == user.id


def require(user: UserRow, action: Action, owner_id: UUID | None) -> None:
    """Raise `NotFound` for what `user` can not see, `Forbidden` for what they may only see.

    For `CREATE` the owner is the user themself: `require(user, Action.CREATE, user.id)`.
    """
    if action != Action.ADMINISTER and not may_see(user, owner_id):
        raise NotFound
    if not may(user, action, owner_id):
        raise Forbidden


def visible(
    query: AnySelect,
    user: UserRow,
    owner_column: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None],
) -> AnySelect:
    """`query` with the rows that `user` may see; the same rule as `may_see`."""
    if user.role == Role.ADMINISTRATOR:
        return query
    return query.where(or_(owner_column == user.id, owner_column.is_(None)))
