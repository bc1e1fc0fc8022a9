"""Settings: read in one place, all errors at once, and every one in `.env.example`."""

from pathlib import Path

import pytest

from backend.settings import PREFIX, PROJECT_ROOT, SETUP_ONLY, BadSettings, Settings, load

EXAMPLE = PROJECT_ROOT / ".env.example"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setenv("EASYTUNE_DATA_DIR", str(tmp_path))


def names_in_example() -> set[str]:
    lines = (line.lstrip("#") for line in EXAMPLE.read_text().splitlines())
    names = {line.partition("=")[0] for line in lines if line.startswith(PREFIX)}
    return {name.removesuffix("_FILE") for name in names}


def test_the_example_names_every_setting_and_no_other() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | SETUP_ONLY
    assert names_in_example() == known


def test_the_example_itself_is_a_valid_file() -> None:
    assert load(env_file=EXAMPLE).port == 8000


def test_all_errors_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASYTUNE_PORT", "eighty")
    monkeypatch.setenv("EASYTUNE_LOG_LEVEL", "loud")
    monkeypatch.setenv("EASYTUNE_PRT", "1")
    with pytest.raises(BadSettings) as bad:
        load()
    for name in ("EASYTUNE_PORT", "EASYTUNE_LOG_LEVEL", "EASYTUNE_PRT"):
        assert name in str(bad.value)
    assert len(str(bad.value).splitlines()) == 3


def test_secrets_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("k" * 40 + "\n")
    monkeypatch.setenv("EASYTUNE_SECRET_KEY_FILE", str(file))
    key = load().secret_key
    assert key is not None
    assert key.get_secret_value() == "k" * 40
    monkeypatch.setenv("EASYTUNE_SECRET_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(BadSettings, match="EASYTUNE_SECRET_KEY_FILE"):
        load()


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASYTUNE_MODEL_ROOTS", "/srv/a, /srv/b")
    monkeypatch.setenv("EASYTUNE_ALLOWED_HOSTS", "a.example,b.example")
    settings = load()
    assert settings.model_roots == [Path("/srv/a"), Path("/srv/b")]
    assert settings.allowed_hosts == ["a.example", "b.example"]
    assert settings.host == "127.0.0.1", "nobody else can reach a fresh installation"
