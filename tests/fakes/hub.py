"""A model hub in a thread: as much of the Hugging Face protocol as a download speaks.

Small files are answered directly, weights by a redirect to another path, both with ranges; it can
break off, damage a file, be slow, or keep a model behind terms.
"""

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = ".safetensors"


@dataclass
class HubRepository:
    """A folder offered under an id, and how the hub misbehaves."""

    folder: Path
    commit: str = "0123456789abcdef0123456789abcdef01234567"
    gated: str | bool = False
    private: bool = False
    licence: str = "apache-2.0"
    cut_after: list[int] = field(default_factory=list)
    damaged: int = 0
    delay_s: float = 0.0


class FakeHub:
    """`with FakeHub() as hub: hub.add("owner/name", folder)`; `hub.url` is the endpoint."""

    def __init__(self) -> None:
        self.repositories: dict[str, HubRepository] = {}
        self.requests: list[tuple[str, str | None]] = []
        self._server = _Server(("127.0.0.1", 0), self.handler())
        self._server.hub = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def handler(self) -> type["Handler"]:
        """What answers a request."""
        return Handler

    def add(self, name: str, folder: Path, **options: Any) -> HubRepository:
        self.repositories[name] = HubRepository(folder, **options)
        return self.repositories[name]

    def __enter__(self) -> "FakeHub":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def description(name: str, repository: HubRepository) -> dict[str, Any]:
    siblings = []
    for file in sorted(repository.folder.iterdir()):
        content = file.read_bytes()
        entry: dict[str, Any] = {"rfilename": file.name, "size": len(content)}
        if file.name.endswith(LARGE):
            digest = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 134}
        else:
            blob = b"blob %d\0" % len(content) + content
            entry["blobId"] = hashlib.sha1(blob, usedforsecurity=False).hexdigest()
        siblings.append(entry)
    return {
        "id": name,
        "sha": repository.commit,
        "gated": repository.gated,
        "private": repository.private,
        "siblings": siblings,
        "cardData": {"license": repository.licence},
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: FakeHub


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    @property
    def hub(self) -> FakeHub:
        return self.server.hub

    def log_message(self, *_arguments: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((path, self.headers.get("Range")))
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self._describe("/".join(parts[2:4]), parts[5] if len(parts) > 5 else None)
        elif len(parts) == 5 and parts[2] == "resolve":
            self._resolve("/".join(parts[:2]), parts[3], parts[4])
        elif parts[0] == "cdn":
            self._send_file(self.hub.repositories["/".join(parts[1:3])], parts[3])
        else:
            self._refuse(404)

    do_HEAD = do_GET

    def _describe(self, name: str, revision: str | None) -> None:
        found = self.hub.repositories.get(name)
        if found is None or revision not in {None, "main", found.commit}:
            self._refuse(401 if found is None else 404)
            return
        self._answer(200, json.dumps(description(name, found)).encode())

    def _resolve(self, name: str, revision: str, file: str) -> None:
        found = self.hub.repositories.get(name)
        if found is None or revision != found.commit or not (found.folder / file).is_file():
            self._refuse(404)
        elif file.endswith(LARGE):
            self._answer(302, b"", {"Location": f"/cdn/{name}/{file}"})
        else:
            self._send_file(found, file)

    def _send_file(self, repository: HubRepository, name: str) -> None:
        content = (repository.folder / name).read_bytes()
        if name.endswith(LARGE) and repository.damaged > 0:
            repository.damaged -= 1
            content = content[:-1] + bytes([content[-1] ^ 1])
        etag = hashlib.sha256(content).hexdigest()
        start = 0
        if asked := self.headers.get("Range"):
            start = int(asked.removeprefix("bytes=").split("-")[0])
        part = content[start:]
        headers = {"ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        cut = None
        if name.endswith(LARGE) and repository.cut_after:
            cut = repository.cut_after.pop(0)
        self._answer(206 if asked else 200, part, headers, cut, repository.delay_s)

    def _refuse(self, status: int) -> None:
        self._answer(status, b'{"error": "Repository not found"}')

    def _answer(
        self,
        status: int,
        content: bytes,
        headers: dict[str, str] | None = None,
        cut: int | None = None,
        delay_s: float = 0.0,
    ) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        for at in range(0, len(content), 8192):
            if cut is not None and at >= cut:
                self.close_connection = True
                return
            try:
                self.wfile.write(content[at : at + 8192])
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
                return
            time.sleep(delay_s)
