"""`easytune config print`: the settings in force and where they come from."""

from typing import Annotated, Any

import orjson
import typer
from pydantic import SecretStr

from backend.log import HIDDEN, redact
from backend.settings import load

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Show the settings in force.")


@app.callback()
def _config() -> None:
    """Show the settings in force."""


def _shown(value: Any, hide: bool) -> Any:
    if isinstance(value, SecretStr):
        return HIDDEN if hide else value.get_secret_value()
    if isinstance(value, list):
        return [_shown(item, hide) for item in value]
    return redact(value) if hide and isinstance(value, str) else value


@app.command("print")
def print_settings(
    redacted: Annotated[
        bool, typer.Option("--redacted/--with-secrets", help="Hide secrets.")
    ] = True,
) -> None:
    """All settings as JSON; secrets are hidden unless asked for."""
    settings = load()
    values = {
        name: _shown(getattr(settings, name), redacted) for name in type(settings).model_fields
    }
    typer.echo(orjson.dumps(values, option=orjson.OPT_INDENT_2, default=str).decode())
