"""Has messages sent by a process of its own, so that nothing slow or strange holds up the API."""

import asyncio
import os
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
import structlog

from backend.processes.spawn import environment, python_module

MODULE = "backend.notices.send_child"
# Longer than every try of it may take; then it is ended, and what it has not said is undecided.
LIMIT_S = 45.0
# Authorities that the operator trusts; never a proxy, which would hide where messages go.
PASSED_ON = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Message:
    """What is sent where. `url` is secret, and `headers` are as well; `shown` may be told."""

    id: str
    service: str
    url: str = field(repr=False)
    shown: str = ""
    title: str = ""
    body: str = ""
    payload: str = ""
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    only_check: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a message: an empty code, or why it did not arrive."""

    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it was taken."""
        return not self.code

    @property
    def error(self) -> dict[str, Any] | None:
        """{code, params}, or None when it was taken."""
        return None if self.ok else {"code": self.code, "params": self.params}


async def send(
    messages: Sequence[Message], private: Sequence[str], limit_s: float = LIMIT_S
) -> dict[str, Outcome]:
    """The outcome of each message by its id; none is missing.

    `private`: servers, `host:port`, that may be reached beside those of the public internet.
    """
    asked = {"private": list(private), "messages": [asdict(message) for message in messages]}
    found: dict[str, Outcome] = {}
    undecided = Outcome("sender_failed")
    with tempfile.TemporaryDirectory(prefix="easytune-notices-") as home:
        try:
            process = await _start(home)
        except OSError as error:
            log.warning("notice_sender_not_started", error=error.strerror)
            return {message.id: undecided for message in messages}
        try:
            async with asyncio.timeout(limit_s):
                await _converse(process, orjson.dumps(asked), found)
        except TimeoutError:
            undecided = Outcome("no_answer", {"seconds": int(limit_s)})
        except ConnectionError:
            pass  # it is gone; what it has said holds
        finally:
            await _end(process)
    if len(found) < len(messages):
        log.warning("notices_undecided", count=len(messages) - len(found), code=undecided.code)
    return {message.id: found.get(message.id, undecided) for message in messages}


async def _start(home: str) -> Process:
    trusted = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return await asyncio.create_subprocess_exec(
        *python_module(MODULE),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,  # it may hold addresses
        cwd=home,
        # A home of its own: no passwords of a .netrc, nothing that libraries keep.
        env={**environment(), **trusted, "HOME": home},
        start_new_session=True,
    )


async def _converse(process: Process, asked: bytes, found: dict[str, Outcome]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(asked)
    await process.stdin.drain()
    process.stdin.close()
    async for line in process.stdout:
        with suppress(orjson.JSONDecodeError):  # cut off in the middle of a line
            told = orjson.loads(line)
            found[told["id"]] = Outcome(told["code"], told["params"])


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()  # it writes nothing but to us
    await process.wait()
