"""Hubs of data sets in a thread: what of the protocols of Hugging Face and ModelScope a fetch
speaks.

A repository is a list of commits, the newest last; files that are stored large are answered by a
redirect, all of them with ranges. It can break off, damage a file, lie about sizes, be closed.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.hub import FakeHub, Handler

CONVERT = "refs/convert/parquet"
Files = dict[str, bytes]


@dataclass
class DataRepository:
    """Commits of one data set, and how its hub misbehaves."""

    commits: list[Files]
    converted: Files | None = None
    gated: bool = False
    closed: int | None = None  # the status that every request gets
    closed_files: int | None = None  # the same for files only
    says: bytes | None = None  # what every question about the repository is answered with
    lie_bytes: int = 0
    damaged: int = 0
    cut_after: list[int] = field(default_factory=list)
    page_size: int | None = None

    def commit_of(self, number: int) -> str:
        return hashlib.sha1(f"commit {number}".encode(), usedforsecurity=False).hexdigest()

    @property
    def head(self) -> str:
        return self.commit_of(len(self.commits) - 1)

    def at(self, revision: str) -> tuple[str, Files] | None:
        """Commit and files of a branch or a commit."""
        if revision == CONVERT or revision == "c" * 40:
            return ("c" * 40, self.converted) if self.converted is not None else None
        for number, files in enumerate(self.commits):
            if revision == self.commit_of(number):
                return revision, files
        return (self.head, self.commits[-1]) if revision in {"main", "master"} else None


class DataHub(FakeHub):
    """`hub.add_data("owner/name", {"train.jsonl": b"…"})` for both hubs at the same address."""

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, DataRepository] = {}
        self.queries: list[str] = []

    def handler(self) -> type[Handler]:
        return DataHandler

    def add_data(self, name: str, *commits: Files, **options: Any) -> DataRepository:
        self.data[name] = DataRepository(list(commits), **options)
        return self.data[name]

    def asked(self, part: str) -> list[str]:
        """Addresses that were asked for and contain `part`."""
        return [each for each in self.queries if part in each]


class DataHandler(Handler):
    """One request."""

    @property
    def data_hub(self) -> DataHub:
        hub = self.server.hub
        assert isinstance(hub, DataHub)
        return hub

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.data_hub.queries.append(unquote(self.path))
        self.data_hub.requests.append((unquote(url.path), self.headers.get("Range")))
        if parts[:2] == ["api", "datasets"]:
            self._hugging_face("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
        elif parts[0] == "datasets" and parts[3] == "resolve":
            self._file("/".join(parts[1:3]), parts[4], "/".join(parts[5:]))
        elif parts[:3] == ["api", "v1", "datasets"]:
            self._modelscope("/".join(parts[3:5]), parts[6:], query)
        elif parts[0] == "large":
            repository = self.data_hub.data["/".join(parts[1:3])]
            found = repository.at(parts[3])
            assert found is not None
            self._content(repository, found[1]["/".join(parts[4:])])
        else:
            self._refuse(404)

    do_HEAD = do_GET

    def _open(self, name: str) -> DataRepository | None:
        """The repository, unless the answer is a refusal, which is then given."""
        repository = self.data_hub.data.get(name)
        if repository is None or repository.closed:
            self._refuse(404 if repository is None else repository.closed or 404)
            return None
        return repository

    def _open_told(self, name: str) -> DataRepository | None:
        """The same for a question about it, which may be answered with rubbish."""
        repository = self._open(name)
        if repository is not None and repository.says is not None:
            self._answer(200, repository.says)
            return None
        return repository

    def _hugging_face(self, name: str, revision: str) -> None:
        if (repository := self._open_told(name)) is None:
            return
        found = repository.at(revision)
        if found is None:
            self._refuse(404)
            return
        commit, files = found
        siblings = [_sibling(path, content, repository) for path, content in files.items()]
        told = {"id": name, "sha": commit, "gated": repository.gated, "siblings": siblings}
        self._answer(200, json.dumps(told).encode())

    def _modelscope(self, name: str, rest: list[str], query: dict[str, str]) -> None:
        if (repository := self._open_told(name)) is None:
            return
        if not rest:
            self._file(name, query["Revision"], query["FilePath"])
            return
        found = repository.at(query["Revision"])
        entries = [] if found is None else [_entry(repository, *each) for each in found[1].items()]
        folder = {"Type": "tree", "Path": "data", "Size": 0, "Sha256": ""}
        entries = [folder, *entries]
        size, page = int(query["PageSize"]), int(query["PageNumber"])
        data = {
            # An unknown revision is answered like this.
            "Files": entries[(page - 1) * size : page * size] if found else None,
            "LatestCommitter": {"ShortId": repository.head[:8], "Id": ""},
        }
        self._answer(200, json.dumps({"Code": 200, "Data": data, "Success": True}).encode())

    def _file(self, name: str, revision: str, path: str) -> None:
        if (repository := self._open(name)) is None:
            return
        found = repository.at(revision)
        if repository.closed_files:
            self._refuse(repository.closed_files)
        elif found is None or path not in found[1]:
            self._refuse(404)
        elif _is_large(path):
            self._answer(302, b"", {"Location": f"/large/{name}/{found[0]}/{path}"})
        else:
            self._content(repository, found[1][path])

    def _content(self, repository: DataRepository, content: bytes) -> None:
        if repository.damaged > 0:
            repository.damaged -= 1
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = 0
        if asked := self.headers.get("Range"):
            start = int(asked.removeprefix("bytes=").split("-")[0])
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "Accept-Ranges": "bytes"}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        cut = repository.cut_after.pop(0) if repository.cut_after else None
        self._answer(206 if asked else 200, content[start:], headers, cut)


def _is_large(path: str) -> bool:
    return path.endswith((".parquet", ".gz", ".jsonl"))


def _sibling(path: str, content: bytes, repository: DataRepository) -> dict[str, Any]:
    size = len(content) + repository.lie_bytes
    if _is_large(path):
        digest = hashlib.sha256(content).hexdigest()
        return {"rfilename": path, "size": size, "lfs": {"sha256": digest, "size": size}}
    blob = b"blob %d\0" % len(content) + content
    return {
        "rfilename": path,
        "size": size,
        "blobId": hashlib.sha1(blob, usedforsecurity=False).hexdigest(),
    }


def _entry(repository: DataRepository, path: str, content: bytes) -> dict[str, Any]:
    wrote = [n for n, files in enumerate(repository.commits) if files.get(path) == content]
    return {
        "Path": path,
        "Name": path.rsplit("/", 1)[-1],
        "Type": "blob",
        "Size": len(content) + repository.lie_bytes,
        "Sha256": hashlib.sha256(content).hexdigest(),
        "IsLFS": _is_large(path),
        "Revision": repository.commit_of(wrote[0]),
        "CommittedDate": 1_700_000_000 + wrote[0],
    }
