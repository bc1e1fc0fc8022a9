"""ModelScope's way to describe a data set and to name its files.

As its public client asks: `/api/v1/datasets/OWNER/NAME/repo/tree`, page by page, and
`/repo?Revision=…&FilePath=…` for a file.
"""

from typing import Any
from urllib.parse import urlencode

import httpx

from backend.hubs.repository import COMMIT, HubFile, Listing
from backend.hubs.web import HubRefusal, read_object

DEFAULT_REVISION = "master"
PAGE_SIZE = 200
MAX_PAGES = 500


async def listing(
    connection: httpx.AsyncClient, endpoint: str, repo: str, revision: str | None
) -> Listing:
    """A data set at a branch, tag or commit; raises `HubRefusal` and `httpx.HTTPError`."""
    entries: list[dict[str, Any]] = []
    first: dict[str, Any] = {}
    for page in range(1, MAX_PAGES + 1):
        data = await _page(connection, endpoint, repo, revision or DEFAULT_REVISION, page)
        first = first or data
        found = data["Files"]
        # A hub that does not know pages answers all of them with everything.
        new = found if page == 1 else [each for each in found if each not in entries[:PAGE_SIZE]]
        entries += [each for each in new if isinstance(each, dict)]
        if len(found) < PAGE_SIZE or not new:
            break
    else:
        raise HubRefusal("too_long")
    blobs = [each for each in entries if each.get("Type") != "tree"]
    return Listing(_commit(first, blobs, revision), [_file(each) for each in blobs], first)


async def _page(
    connection: httpx.AsyncClient, endpoint: str, repo: str, revision: str, page: int
) -> dict[str, Any]:
    asked = {
        "Revision": revision,
        "Recursive": "True",
        "PageNumber": page,
        "PageSize": PAGE_SIZE,
    }
    url = f"{endpoint}/api/v1/datasets/{repo}/repo/tree?{urlencode(asked)}"
    answer = await read_object(connection, url)
    data = answer.get("Data")
    if answer.get("Code") not in {200, None} or not isinstance(data, dict):
        raise HubRefusal("not_found")
    # An unknown revision is no error there: its list of files is null.
    if not isinstance(data.get("Files"), list):
        raise HubRefusal("not_found")
    return data


def file_urls(endpoint: str, repo: str, revision: str | None, file: HubFile) -> list[str]:
    """Where a file is: at the commit that wrote it last, then at the revision that was asked for.

    Whatever the second one has become since, the file's hash decides.
    """
    asked = [file.revision, revision or DEFAULT_REVISION]
    return [
        f"{endpoint}/api/v1/datasets/{repo}/repo?"
        + urlencode({"Source": "SDK", "Revision": each, "FilePath": file.path})
        for each in dict.fromkeys(asked)
        if each
    ]


def _commit(data: dict[str, Any], blobs: list[dict[str, Any]], revision: str | None) -> str:
    """The commit of a listing: the hub often tells its first digits only, and files tell theirs.

    Failing that, the newest commit that wrote one of the files: the same content.
    """
    latest = data.get("LatestCommitter")
    latest = latest if isinstance(latest, dict) else {}
    own = [str(each.get("Revision") or "") for each in blobs]
    short = str(latest.get("ShortId") or "")
    matching = [each for each in own if short and each.startswith(short)]
    for candidate in (str(latest.get("Id") or ""), *matching, revision or ""):
        if COMMIT.fullmatch(candidate):
            return candidate
    dated = [
        (float(each["CommittedDate"]), str(each.get("Revision") or ""))
        for each in blobs
        if isinstance(each.get("CommittedDate"), int | float)
    ]
    newest = max(dated, default=(0.0, ""))[1]
    if not COMMIT.fullmatch(newest):
        raise HubRefusal("no_commit")
    return newest


def _file(entry: dict[str, Any]) -> HubFile:
    size, sha256 = entry.get("Size"), entry.get("Sha256")
    revision = str(entry.get("Revision") or "")
    return HubFile(
        path=str(entry.get("Path") or ""),
        size_bytes=size if isinstance(size, int) and 0 <= size < 2**62 else 0,
        sha256=sha256 if isinstance(sha256, str) and sha256 else None,
        git_sha1=None,
        revision=revision if COMMIT.fullmatch(revision) else None,
    )
