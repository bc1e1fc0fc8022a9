"""One quick look at a model on the Hugging Face hub, before anything is stored or started.

Everything that would make the download pointless is found here and said in a sentence: a wrong
id, no network, a closed repository, weights that are not safetensors, code of its own.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import orjson

from backend.errors import Refused, Unavailable
from backend.models.folder import CODE_FILES, CONFIG_FILE
from backend.settings import Settings
from training_engine.contract.model_folder import names_code

TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 32 * 1024 * 1024
MAX_REDIRECTS = 5
_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_REVISION = re.compile(r"[\w][\w./-]{0,99}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# What a download takes; everything else of a repository stays there.
_WANTED = re.compile(
    r"(?!consolidated)[\w.-]+\.safetensors|model\.safetensors\.index\.json|config\.json"
    r"|generation_config\.json|tokenizer\.json|tokenizer_config\.json|tokenizer\.model"
    r"|special_tokens_map\.json|added_tokens\.json|vocab\.json|vocab\.txt|merges\.txt"
    r"|chat_template\.(jinja|json)|README\.md|LICENSE[\w.-]*|NOTICE[\w.-]*"
)


class BadHubId(Refused):
    """“{reference}” is not the id of a model; it has the form owner/name, as on its page."""


class HubOffline(Refused):
    """This installation works without a network; add the starter model or a local folder."""


class HubUnreachable(Unavailable):
    """The model hub {endpoint} can not be reached; check the network, or add the starter model or
    a local folder."""


class HubModelNotFound(Refused):
    """There is no open model “{reference}” at {endpoint}; check how it is written."""


class HubModelGated(Refused):
    """“{reference}” is only given to those who accepted its terms; download it yourself and add
    it as a local folder."""


class HubModelUnusable(Refused):
    """“{reference}” can not be used: {reason}"""


@dataclass(frozen=True)
class HubFile:
    """A file to fetch; `sha256` for large files, else git's hash of the content."""

    path: str
    size_bytes: int
    sha256: str | None
    git_sha1: str | None


@dataclass(frozen=True)
class HubModel:
    """A model that can be fetched, pinned to a commit."""

    reference: str
    revision: str
    files: list[HubFile]
    licence: str | None

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)


def clean_id(reference: str) -> str:
    """The id in what a user typed, an address of its page too; raises `BadHubId`."""
    text = reference.strip().strip("/")
    if "://" in text:
        text = "/".join(urlsplit(text).path.strip("/").split("/")[:2])
    if not _ID.fullmatch(text) or ".." in text or text.endswith(".git"):
        raise BadHubId(params={"reference": reference[:200]})
    return text


async def look_up(settings: Settings, reference: str, revision: str | None) -> HubModel:
    """What would be downloaded; raises an `AppError` that says why nothing can be."""
    model_id = clean_id(reference)
    if revision is not None and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise HubModelNotFound(
            params={"reference": f"{model_id}@{revision[:50]}", "endpoint": settings.hf_endpoint}
        )
    if settings.offline:
        raise HubOffline
    try:
        async with asyncio.timeout(TIMEOUT_S), _client(settings) as client:
            return await _look(client, settings.hf_endpoint.rstrip("/"), model_id, revision)
    except (httpx.HTTPError, TimeoutError) as error:
        raise HubUnreachable(params={"endpoint": settings.hf_endpoint}) from error


def _client(settings: Settings) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=httpx.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        headers={"User-Agent": "easytune"},
    )


async def _look(
    client: httpx.AsyncClient, endpoint: str, model_id: str, revision: str | None
) -> HubModel:
    asked = {"reference": model_id, "endpoint": endpoint}
    url = f"{endpoint}/api/models/{model_id}"
    if revision is not None:
        url += f"/revision/{quote(revision, safe='')}"
    info = await _json(client, f"{url}?blobs=true", asked)
    commit = info.get("sha")
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise HubModelUnusable(params={**asked, "reason": "the hub names no commit."})
    if info.get("gated"):
        raise HubModelGated(params=asked)
    if info.get("private") or info.get("disabled"):
        raise HubModelNotFound(params=asked)
    names = {s.get("rfilename") for s in info.get("siblings") or [] if isinstance(s, dict)}
    _require_files(names, asked)
    for name in CODE_FILES:
        if name in names:
            config = await _json(client, f"{endpoint}/{model_id}/resolve/{commit}/{name}", asked)
            if names_code(config):
                reason = "it needs code of its own to be loaded, and such code is not run."
                raise HubModelUnusable(params={**asked, "reason": reason, "code": "needs_code"})
    files = [_file(s) for s in info["siblings"] if _WANTED.fullmatch(s.get("rfilename") or "")]
    card = info.get("cardData")
    licence = card.get("license") if isinstance(card, dict) else None
    return HubModel(model_id, commit, files, str(licence) if licence else None)


def _require_files(names: set[Any], asked: dict[str, str]) -> None:
    if CONFIG_FILE not in names:
        adapter = "adapter_config.json" in names
        reason = "it is an adapter, not a whole model." if adapter else "it has no config.json."
        raise HubModelUnusable(params={**asked, "reason": reason, "code": "no_config"})
    if not any(
        isinstance(n, str) and n.endswith(".safetensors") and _WANTED.fullmatch(n) for n in names
    ):
        reason = (
            "it has no safetensors weights. Choose a repository that has them; others can hold "
            "harmful code."
        )
        raise HubModelUnusable(params={**asked, "reason": reason, "code": "no_safetensors"})


def _file(sibling: dict[str, Any]) -> HubFile:
    lfs = sibling.get("lfs")
    sha256 = lfs.get("sha256") if isinstance(lfs, dict) else None
    size = lfs.get("size") if isinstance(lfs, dict) else sibling.get("size")
    return HubFile(
        path=str(sibling["rfilename"]),
        size_bytes=int(size or 0),
        sha256=str(sha256) if sha256 else None,
        git_sha1=None if sha256 else _text(sibling.get("blobId")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


async def _json(client: httpx.AsyncClient, url: str, asked: dict[str, str]) -> dict[str, Any]:
    """The object at `url`; what the hub's refusals mean is said as what to do."""
    async with client.stream("GET", url) as answer:
        if answer.status_code in {400, 401, 403, 404}:
            gated = answer.headers.get("X-Error-Code") == "GatedRepo"
            raise HubModelGated(params=asked) if gated else HubModelNotFound(params=asked)
        answer.raise_for_status()
        content = b""
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > MAX_ANSWER_BYTES:
                raise HubModelUnusable(params={**asked, "reason": "its description is too long."})
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise HubUnreachable(params={"endpoint": asked["endpoint"]}) from None
    if not isinstance(value, dict):
        raise HubModelUnusable(params={**asked, "reason": "its description is damaged."})
    return value
