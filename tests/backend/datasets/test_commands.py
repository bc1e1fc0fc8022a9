"""`easytune datasets` on the database itself."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from typer.testing import CliRunner

from backend.accounts.schemas import Role
from backend.database import make_engine, make_sessions, transaction
from backend.datasets import commands, files
from backend.datasets.tables import DatasetRow
from backend.settings import Settings
from tests.conftest import make_user


@pytest.fixture
async def own(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a database of this test's own, with an administrator in it."""
    settings = Settings(
        _env_file=None, data_dir=tmp_path / "data", database_url=SecretStr(fresh_database)
    )
    engine = make_engine(fresh_database)
    await make_user(make_sessions(engine), "admin", Role.ADMINISTRATOR)
    await engine.dispose()
    monkeypatch.setattr(commands, "load", lambda: settings)
    return settings


async def invoke(*arguments: str) -> tuple[int, str]:
    """The command in a thread: it has an event loop of its own."""
    import asyncio

    done = await asyncio.to_thread(CliRunner().invoke, commands.app, list(arguments))
    return done.exit_code, done.output


async def test_add_then_list(own: Settings, tmp_path: Path) -> None:
    file = tmp_path / "chats.jsonl"
    file.write_text('{"prompt": "a", "completion": "b"}\n' * 3)
    code, output = await invoke("add", str(file), "--name", "Chats")
    assert code == 0, output
    assert "Chats: ready" in output
    assert "3 rows kept" in output
    assert "Chats" in (await invoke("list"))[1]
    engine = make_engine(own.database_url.get_secret_value())  # type: ignore[union-attr]
    async with transaction(make_sessions(engine)) as session:
        row = (await session.scalars(select(DatasetRow))).one()
    await engine.dispose()
    assert files.records_file(own, row.id, row.version).is_file()
    assert files.upload_file(own, row.id).read_bytes() == file.read_bytes()
    assert list((own.datasets_dir / "incoming").iterdir()) == []


async def test_add_what_needs_a_mapping_or_is_broken(own: Settings, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("frage,antwort\na,b\n")
    code, output = await invoke("add", str(table))
    assert code == 1
    assert "frage, antwort" in output
    mapping = (
        '{"record_type": "prompt_completion", '
        '"columns": {"prompt": "frage", "completion": "antwort"}}'
    )
    assert (await invoke("add", str(table), "--mapping", mapping))[0] == 0
    broken = tmp_path / "b.jsonl"
    broken.write_text('{"text": "a"}\n{bad\n')
    code, output = await invoke("add", str(broken))
    assert code == 1
    assert f"{broken}:2: dropped" in output
