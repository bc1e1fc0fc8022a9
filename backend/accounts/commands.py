"""`easytune user`: accounts without the browser, straight in the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import service
from backend.accounts.schemas import Role, Username
from backend.database import transaction
from backend.own_database import database_of, sessions_of
from backend.settings import BadSettings, load

T = TypeVar("T")
app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="List and add users, reset passwords."
)
Name = Annotated[str, typer.Argument(metavar="NAME")]


def _in_database(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    with database_of(load()) as settings:

        async def run() -> T:
            async with sessions_of(settings) as sessions, transaction(sessions) as session:
                return await work(session)

        return asyncio.run(run())


def _ask_password() -> str:
    # Asked for, never an argument: arguments are seen by everybody who lists processes.
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _name(text: str) -> str:
    try:
        return TypeAdapter[str](Username).validate_python(text)
    except ValidationError as error:
        raise BadSettings(
            f"{text!r} is not a user name: 2 to 64 letters, digits and . _ @ -"
        ) from error


@app.command("list")
def list_users() -> None:
    """Name, role and state of every user."""

    async def work(session: AsyncSession) -> list[str]:
        return [
            f"{user.username}\t{user.role}\t{'disabled' if user.disabled_at else 'active'}"
            for user in await service.list_users(session)
        ]

    for line in _in_database(work) or ["There is no user yet."]:
        typer.echo(line)


@app.command()
def add(name: Name, role: Annotated[Role, typer.Option()] = Role.MEMBER) -> None:
    """Add a user; asks for the password."""
    username, password = _name(name), _ask_password()
    _in_database(lambda session: service.add_user(session, username, password, role))
    typer.echo(f"Added {username} ({role}).")


@app.command("reset-password")
def reset_password(name: Name) -> None:
    """Set a new password and sign the user out everywhere."""
    username, password = _name(name), _ask_password()
    _in_database(lambda session: service.reset_password(session, username, password))
    typer.echo(f"Set a new password for {username}; all their sessions have ended.")
