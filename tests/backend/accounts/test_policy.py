"""Who may do what."""

from uuid import UUID

import pytest

from backend.accounts.policy import Action, may, require
from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.errors import Forbidden, NotFound
from backend.ids import new_id

ME, OTHER = new_id(), new_id()
WRITES = {Action.CREATE, Action.CHANGE, Action.DELETE, Action.RUN}


def user(role: Role) -> UserRow:
    return UserRow(id=ME, username="me", role=role, password_hash="")


def outcome(role: Role, action: Action, owner: UUID | None) -> str:
    try:
        require(user(role), action, owner)
    except NotFound:
        return "404"
    except Forbidden:
        return "403"
    return "ok"


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("owner", [ME, OTHER, None])
def test_administrators_may_everything(action: Action, owner: UUID | None) -> None:
    assert outcome(Role.ADMINISTRATOR, action, owner) == "ok"


@pytest.mark.parametrize("action", sorted(WRITES | {Action.READ}))
def test_members_have_their_own_and_see_no_others(action: Action) -> None:
    assert outcome(Role.MEMBER, action, ME) == "ok"
    assert outcome(Role.MEMBER, action, OTHER) == "404"


def test_what_belongs_to_all_is_used_by_members_and_changed_by_administrators() -> None:
    assert outcome(Role.MEMBER, Action.READ, None) == "ok"
    assert outcome(Role.MEMBER, Action.RUN, None) == "ok"
    assert outcome(Role.MEMBER, Action.DELETE, None) == "403"
    assert outcome(Role.MEMBER, Action.CHANGE, None) == "403"


@pytest.mark.parametrize("action", sorted(WRITES))
def test_viewers_change_nothing(action: Action) -> None:
    assert outcome(Role.VIEWER, Action.READ, ME) == "ok"
    assert outcome(Role.VIEWER, action, ME) == "403"
    assert outcome(Role.VIEWER, action, None) == "403"
    assert outcome(Role.VIEWER, action, OTHER) == "404"


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_only_administrators_administer(role: Role) -> None:
    assert outcome(role, Action.ADMINISTER, None) == "403"
    assert not may(user(role), Action.ADMINISTER, ME)
