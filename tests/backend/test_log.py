"""Server logs: one JSON object per line, without secrets, whatever people write into names."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from backend import log


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, structured = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**structured)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_secrets_are_removed_by_key_and_by_look(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info")
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    structlog.get_logger("t").info(
        "signed in",
        password="hunter2",
        setup_token="hunter2",
        header=f"Authorization: Bearer {token}",
        url="postgresql://ada:hunter2@db/easytune",
        hub="uses hf_abcdefghijklmnop and sk-abcdefghijklmnop",
    )
    logging.getLogger("library").warning("connecting with %s", "Bearer abcdef.ghijkl")
    first, second = lines(capsys)
    for secret in ("hunter2", token, "hf_abc", "sk-abc", "abcdef.ghijkl"):
        assert secret not in json.dumps([first, second])
    assert first["event"] == "signed in"


def test_a_line_stays_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info")
    forged = 'x"}\n{"event": "admin signed in", "level": "info"}'
    structlog.get_logger("t").info("request", path=forged)
    found = lines(capsys)
    assert len(found) == 1
    assert found[0]["path"] == forged


def test_exceptions_are_kept_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("info")
    try:
        raise ValueError("could not reach postgresql://ada:hunter2@db/x")
    except ValueError:
        structlog.get_logger("t").exception("bug")
    found = lines(capsys)[0]
    assert "ValueError" in str(found["exception"])
    assert "hunter2" not in str(found)


def test_the_level_counts(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("warning")
    structlog.get_logger("t").info("quiet")
    structlog.get_logger("t").warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]
