"""The `easytune` command. Each sub-command is loaded only when it is called."""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperGroup

from backend.processes import first_process

# Name → (`module:typer app`, a line for --help).
COMMANDS = {
    "up": ("backend.commands.up:app", "Start the platform and print its address."),
    "worker": ("backend.runner.commands:worker", "Run tasks for a platform started elsewhere."),
    "train": ("backend.tasks.train_command:app", "Train from a run file, without server."),
    "predict": ("backend.serving.predict_command:app", "Ask a tuned model, without server."),
    "export": (
        "backend.tasks.export_command:app",
        "Make a plain model or a GGUF file of a run's result.",
    ),
    "datasets": ("backend.datasets.commands:app", "List and add data sets."),
    "models": ("backend.models.commands:app", "List and fetch base models."),
    "tasks": ("backend.tasks.commands:app", "List and stop tasks, read their logs."),
    "user": ("backend.accounts.commands:app", "List and add users, reset passwords."),
    "doctor": (
        "backend.commands.doctor:app",
        "Say what works on this machine and what is missing.",
    ),
    "config": ("backend.commands.config:app", "Show the settings in force."),
}


def _present(module: str) -> bool:
    package = module.rpartition(".")[0]
    return find_spec(package) is not None and find_spec(module) is not None


class LazyGroup(TyperGroup):
    """Lists all commands without importing any."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (target, line) in COMMANDS.items():
            if _present(target.partition(":")[0]):
                self.add_command(TyperGroup(name=name, help=line), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The named command itself, now that it is needed."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            module, _, attribute = COMMANDS[name][0].partition(":")
            command = typer.main.get_command(getattr(import_module(module), attribute))
            command.name = name
        return name, command, rest


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Fine-tune language models on your own hardware.",
)


@app.callback()
def _easytune() -> None:
    """Fine-tune language models on your own hardware."""


def main() -> None:
    """Entry point: what a user can understand is one line on stderr and exit code 1."""
    first_process.step_aside()
    try:
        app()
    except Exception as error:
        from backend.commands.failures import EXPECTED  # late: --help must not pay for it

        if not isinstance(error, EXPECTED):
            raise
        print(f"✖ {error}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


if __name__ == "__main__":
    main()
