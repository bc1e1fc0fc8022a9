"""Sends a handful of messages: a process of its own, fenced in, that ends when it has.

Reads one JSON document from its standard input: {private: ["host:port"], messages: [{id, service,
url, title, body, payload, headers, only_check}]}. Writes one line per message as soon as it is
decided: {id, ok, code, params}. Addresses are never written anywhere.
"""

import logging
import os
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from typing import Any
from urllib.parse import unquote

import orjson

from backend.notices import guard

TIMEOUT_S = 10.0
AT_ONCE = 8
WEBHOOK = "webhook"
MIN_SECRET = 4
MAX_REASON = 200
EXCEPTION = "Exception: "

Message = dict[str, Any]
Outcome = guard.Refusal
SENT: Outcome = ("", {})
_warnings: ContextVar[list[str] | None] = ContextVar("warnings", default=None)


def main() -> int:
    """Send what stands in the standard input; the exit code says nothing about success."""
    # Nothing that a library prints may stand between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asked = orjson.loads(sys.stdin.buffer.read())
    guard.install({_host_and_port(entry) for entry in asked["private"]})
    logging.getLogger("apprise").addHandler(_Hear())
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    lock = threading.Lock()

    def work(message: Message) -> None:
        code, params = _outcome(message)
        line = orjson.dumps({"id": message["id"], "ok": not code, "code": code, "params": params})
        with lock:
            answers.write(line + b"\n")
            answers.flush()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, asked["messages"]))
    return 0


def _host_and_port(entry: str) -> tuple[str, int]:
    host, _, port = entry.rpartition(":")
    return host.strip("[]").lower(), int(port)


def _outcome(message: Message) -> Outcome:
    """An empty code when it was sent, else why not."""
    if message["service"] == WEBHOOK:
        return SENT if message.get("only_check") else _post(message, guard.listen())
    return _tell_service(message, guard.listen())


def _post(message: Message, refusals: list[Outcome]) -> Outcome:
    """To a webhook. Of the answer only the status is read; a redirection is not followed."""
    import certifi  # here and below, because most batches need one of both libraries only
    import httpx

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()  # the operator's own authorities
    try:
        with (
            httpx.Client(trust_env=False, verify=context, timeout=TIMEOUT_S) as client,
            client.stream(
                "POST",
                message["url"],
                content=message["payload"].encode(),
                headers=message["headers"],
            ) as answer,
        ):
            status = answer.status_code
    except httpx.TimeoutException:
        return "no_answer", {"seconds": int(TIMEOUT_S)}
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        reason = _plain(str(error), message)
        return refusals[-1] if refusals else ("unreachable", {"reason": reason})
    if 200 <= status < 300:
        return SENT
    return ("redirected" if 300 <= status < 400 else "answered"), {"status": status}


def _tell_service(message: Message, refusals: list[Outcome]) -> Outcome:
    """To a service that Apprise knows; what it says about a failure goes into its log."""
    import apprise
    import requests

    # No redirection is followed, whatever a plug-in asks for.
    requests.Session.get_redirect_target = lambda self, resp: None  # type: ignore[method-assign]
    asset = apprise.AppriseAsset(
        app_id="EasyTune",
        app_desc="EasyTune",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
        async_mode=False,
        secure_logging=True,
    )
    target = apprise.Apprise.instantiate(message["url"], asset=asset, suppress_exceptions=True)
    if target is None:
        return "bad_address", {}
    if message.get("only_check"):
        return SENT
    heard: list[str] = []
    _warnings.set(heard)
    sender = apprise.Apprise(asset=asset)
    sender.add(target)
    if sender.notify(
        title=message["title"], body=message["body"], body_format=apprise.NotifyFormat.TEXT
    ):
        return SENT
    if refusals:
        return refusals[-1]
    return "not_accepted", {"reason": _plain(" ".join(heard[-2:]), message)}


class _Hear(logging.Handler):
    """Keeps warnings for the message that they are about, in whichever thread they are written.

    What a server said stands in lines for debugging, as an exception.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        heard = _warnings.get()
        if heard is None:
            return
        with suppress(TypeError, ValueError):  # a wrong format of another's log
            said = record.getMessage()
            if record.levelno >= logging.WARNING or EXCEPTION in said:
                heard.append(said)


def _plain(said: str, message: Message) -> str:
    """A library's words on one line, without any part of the address; a server's may stand in them,
    with characters that no database keeps."""
    text = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    parts = [message["url"]]
    for separator in "/:@?&=#":
        parts = [piece for part in parts for piece in part.split(separator)]
    for part in sorted({p for raw in parts for p in (raw, unquote(raw))}, key=len, reverse=True):
        if len(part) >= MIN_SECRET and part not in message.get("shown", ""):
            text = text.replace(part, "…")
    return text[:MAX_REASON]


if __name__ == "__main__":
    sys.exit(main())
