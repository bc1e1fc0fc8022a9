"""The Hugging Face hub's way to describe a repository and to name its files."""

from typing import Any
from urllib.parse import quote

import httpx

from backend.hubs.repository import COMMIT, HubFile, Listing
from backend.hubs.web import HubRefusal, read_object

# First part of the path below the endpoint, where its files are.
_PREFIX = {"models": "", "datasets": "datasets/"}


async def listing(
    connection: httpx.AsyncClient, endpoint: str, kind: str, repo: str, revision: str | None
) -> Listing:
    """A repository at a branch, tag or commit; `kind` is models or datasets.

    Raises `HubRefusal` (`no_commit` when the hub does not pin it) and `httpx.HTTPError`.
    """
    url = f"{endpoint}/api/{kind}/{repo}"
    if revision is not None:
        url += f"/revision/{quote(revision, safe='')}"
    info = await read_object(connection, f"{url}?blobs=true")
    commit = info.get("sha")
    if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
        raise HubRefusal("no_commit")
    if info.get("gated"):
        raise HubRefusal("gated")
    if info.get("private") or info.get("disabled"):
        raise HubRefusal("not_found")
    siblings = info.get("siblings")
    found = siblings if isinstance(siblings, list) else []
    files = [_file(each) for each in found if isinstance(each, dict) and each.get("rfilename")]
    return Listing(commit, files, info)


def file_url(endpoint: str, kind: str, repo: str, commit: str, path: str) -> str:
    """Where a file of a commit is."""
    return f"{endpoint}/{_PREFIX[kind]}{repo}/resolve/{commit}/{quote(path)}"


def _file(sibling: dict[str, Any]) -> HubFile:
    lfs = sibling.get("lfs")
    sha256 = lfs.get("sha256") if isinstance(lfs, dict) else None
    size = lfs.get("size") if isinstance(lfs, dict) else sibling.get("size")
    return HubFile(
        path=str(sibling["rfilename"]),
        size_bytes=size if isinstance(size, int) and 0 <= size < 2**62 else 0,
        sha256=str(sha256) if sha256 else None,
        git_sha1=None if sha256 else _text(sibling.get("blobId")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
