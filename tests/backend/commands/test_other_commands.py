"""Help, configuration, doctor, users: what a person types."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from backend.accounts import commands as user_commands
from backend.cli import COMMANDS, app
from backend.settings import PROJECT_ROOT, Settings
from tests.backend.commands.test_up import environment, run


def test_help_is_quick_and_complete() -> None:
    seen = "import sys; from backend.cli import app; app(['--help'], standalone_mode=False); "
    heavy = "{'fastapi', 'sqlalchemy', 'torch', 'pydantic_settings'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"{seen} print('HEAVY', sorted({heavy}))"],
        capture_output=True,
        text=True,
        cwd=PROJECT_ROOT,
        check=True,
    )
    assert done.stdout.rstrip().endswith("HEAVY []")
    for name in ("up", "doctor", "user", "config"):
        assert name in done.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str) -> None:
    answer = CliRunner().invoke(app, [name, "--help"])
    assert answer.exit_code == 0, answer.output
    assert name in answer.output
    assert "--install-completion" not in answer.output


def test_an_unknown_command_is_refused() -> None:
    answer = CliRunner().invoke(app, ["fly"])
    assert answer.exit_code == 2
    assert "No such command" in answer.output


def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    secrets = {
        "EASYTUNE_DATABASE_URL": "postgresql://ada:hunter2@db/easytune",
        "EASYTUNE_SECRET_KEY": "0123456789abcdef" * 4,
        "EASYTUNE_HF_ENDPOINT": "https://ada:hunter2@mirror.example",
    }
    shown = run("config", "print", "--redacted", data_dir=tmp_path, **secrets)
    assert "hunter2" not in shown.stdout
    assert "0123456789abcdef" not in shown.stdout
    values = json.loads(shown.stdout)
    assert values.keys() == Settings.model_fields.keys()
    assert values["data_dir"] == str(tmp_path)


@pytest.mark.long
def test_doctor_computes(tmp_path: Path) -> None:
    done = run("doctor", "--json", data_dir=tmp_path / "data")
    found = json.loads(done.stdout)
    by_name = {check["name"]: check for check in found["checks"]}
    cpu = next(check for name, check in by_name.items() if name.startswith("device cpu"))
    assert cpu["level"] == "ok"
    assert "GFLOP/s" in cpu["detail"]
    assert {"settings", "host", "disk", "port", "database", "isolation"} <= by_name.keys()
    assert not (tmp_path / "data").exists(), "looking changes nothing"
    assert done.returncode == (0 if found["ok"] else 1)


def test_doctor_names_what_is_wrong(tmp_path: Path) -> None:
    done = run("doctor", data_dir=tmp_path, EASYTUNE_DATABASE_URL="postgresql://x:y@127.0.0.1:1/z")
    assert done.returncode == 1
    assert "✖ database: does not answer" in done.stdout
    assert "correct EASYTUNE_DATABASE_URL" in done.stdout


def test_users(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr(fresh_database))
    monkeypatch.setattr(user_commands, "load", lambda: settings)
    runner = CliRunner()
    password = "four unrelated words\n" * 2
    assert "no user yet" in runner.invoke(app, ["user", "list"]).output
    added = runner.invoke(app, ["user", "add", "Bob", "--role", "viewer"], input=password)
    assert added.exit_code == 0, added.output
    assert "four unrelated" not in added.output
    assert runner.invoke(app, ["user", "list"]).output == "bob\tviewer\tactive\n"
    again = runner.invoke(app, ["user", "add", "bob"], input=password)
    assert "There is a user named bob already" in str(again.exception)
    weak = runner.invoke(app, ["user", "add", "eve"], input="password1234\n" * 2)
    assert "common" in str(weak.exception)
    reset = runner.invoke(
        app, ["user", "reset-password", "bob"], input="other four words then\n" * 2
    )
    assert reset.exit_code == 0, reset.output
    nobody = runner.invoke(app, ["user", "reset-password", "eve"], input=password)
    assert "no user named eve" in str(nobody.exception)
    odd = runner.invoke(app, ["user", "add", "a b"], input=password)
    assert "is not a user name" in str(odd.exception)


def test_the_environment_of_these_tests_is_minimal(tmp_path: Path) -> None:
    assert set(environment(tmp_path)) == {
        "PATH",
        "PYTHONPATH",
        "EASYTUNE_DATA_DIR",
        "EASYTUNE_PORT",
    }
