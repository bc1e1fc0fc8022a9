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
from typing import Any
from urllib.parse import unquote

import certifi
import httpx
import orjson
import requests

from backend.notices import guard

TIMEOUT_S = 10.0
AT_ONCE = 8
WEBHOOK = "webhook"
MIN_SECRET = 4
MAX_REASON = 200

Message = dict[str, Any]
Outcome = tuple[str, dict[str, str | int]]
SENT: Outcome = ("", {})


def main() -> int:
    """Send what stands in the standard input; the exit code says nothing about success."""
    # Nothing that a library prints may stand between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asked = orjson.loads(sys.stdin.buffer.read())
    guard.install({_host_and_port(entry) for entry in asked["private"]})
    requests.Session.get_redirect_target = lambda self, resp: None  # type: ignore[method-assign]
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
    guard.last_refusal()
    if message["service"] == WEBHOOK:
        return SENT if message.get("only_check") else _post(message)
    return _tell_service(message)


def _post(message: Message) -> Outcome:
    """To a webhook. Of the answer only the status is read; a redirection is not followed."""
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
        return guard.last_refusal() or ("unreachable", {"reason": _plain(str(error), message)})
    if 200 <= status < 300:
        return SENT
    return ("redirected" if 300 <= status < 400 else "answered"), {"status": status}


def _tell_service(message: Message) -> Outcome:
    """To a service that Apprise knows; what it says about a failure goes into its log."""
    import apprise  # here, because webhooks do without it

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
    heard = _Heard()
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.INFO)
    logger.addHandler(heard)
    try:
        sender = apprise.Apprise(asset=asset)
        sender.add(target)
        done = sender.notify(
            title=message["title"], body=message["body"], body_format=apprise.NotifyFormat.TEXT
        )
    finally:
        logger.removeHandler(heard)
    if done:
        return SENT
    refused = guard.last_refusal()
    return refused or ("not_accepted", {"reason": _plain(heard.last, message)})


class _Heard(logging.Handler):
    """The last warning of this thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread, self.last = threading.get_ident(), ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, when it is ours."""
        if record.thread == self._thread:
            with suppress(TypeError, ValueError):  # a wrong format of another's log
                self.last = record.getMessage()


def _plain(said: str, message: Message) -> str:
    """A library's words on one line, without any part of the address."""
    text = " ".join(said.split())
    parts = [message["url"]]
    for separator in "/:@?&=#":
        parts = [piece for part in parts for piece in part.split(separator)]
    for part in sorted({p for raw in parts for p in (raw, unquote(raw))}, key=len, reverse=True):
        if len(part) >= MIN_SECRET and part not in message.get("shown", ""):
            text = text.replace(part, "…")
    return text[:MAX_REASON]


if __name__ == "__main__":
    sys.exit(main())
