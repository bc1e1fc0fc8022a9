"""Looks at a data set on its hub: the commit, its files, what they offer, where each is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from backend.datasets.hubs import layout
from backend.datasets.hubs.layout import Offers
from backend.datasets.hubs.schemas import HubSource
from backend.datasets.hubs.trouble import HubTrouble
from backend.hubs import huggingface, modelscope, web
from backend.hubs.repository import HubFile, Listing, card_header, is_plain_path
from backend.hubs.web import HubRefusal

TIMEOUT_S = 120.0
MAX_CARD_BYTES = 1024 * 1024
CARD = "README.md"
CONVERTED_BRANCH = "refs/convert/parquet"


@dataclass(frozen=True)
class Found:
    """A data set at one commit; `urls` tells where a file of it is."""

    commit: str
    offers: Offers
    files: dict[str, HubFile]
    urls: Callable[[HubFile], list[str]]
    converted: bool = False


@dataclass(frozen=True)
class Asked:
    """Which data set of which hub."""

    kind: str
    endpoint: str
    repo: str
    revision: str | None


def look(asked: Asked) -> Found:
    """What the hub offers; raises `HubTrouble` that says why there is nothing to fetch."""
    try:
        return asyncio.run(_look(asked))
    except HubRefusal as refusal:
        raise explained(refusal.reason, asked) from refusal
    except (httpx.HTTPError, TimeoutError) as error:
        raise unreachable(asked.endpoint) from error


async def _look(asked: Asked) -> Found:
    async with asyncio.timeout(TIMEOUT_S), web.client() as client:
        listing = await _listing(client, asked)
        files = {each.path: each for each in listing.files if is_plain_path(each.path)}
        urls = _urls(asked, listing.commit)
        header = await _header(client, files, urls)
        script = f"{asked.repo.split('/')[1]}.py"
        scripted = script in files and not header.get("configs")
        offers = layout.offers(list(files), header)
        if asked.kind == HubSource.MODELSCOPE and not header.get("configs"):
            offers = await _formation(client, asked, files, urls) or offers
        if offers.subsets and not scripted:
            return Found(listing.commit, offers, files, urls)
        if found := await _converted(client, asked):
            return found
    if scripted:
        raise HubTrouble(
            "hub_script_only",
            f"“{asked.repo}” is loaded by a program of its own ({script}); none is run here.",
            "Export its rows elsewhere, as JSON lines for example, and upload that file.",
            params={"reference": asked.repo, "script": script},
        )
    raise HubTrouble(
        "hub_no_data_files",
        f"“{asked.repo}” has no file that can be read here.",
        "JSON, JSON lines, CSV, TSV, text and Parquet are read, also as .gz or .zip. "
        "Choose another data set, or upload a file.",
        params={"reference": asked.repo},
    )


async def _listing(client: httpx.AsyncClient, asked: Asked) -> Listing:
    if asked.kind == HubSource.MODELSCOPE:
        return await modelscope.listing(client, asked.endpoint, asked.repo, asked.revision)
    return await huggingface.listing(client, asked.endpoint, "datasets", asked.repo, asked.revision)


def _urls(asked: Asked, commit: str) -> Callable[[HubFile], list[str]]:
    if asked.kind == HubSource.MODELSCOPE:
        return lambda file: modelscope.file_urls(asked.endpoint, asked.repo, asked.revision, file)
    return lambda file: [
        huggingface.file_url(asked.endpoint, "datasets", asked.repo, commit, file.path)
    ]


async def _content(client: httpx.AsyncClient, urls: list[str]) -> bytes | None:
    """A small file; None when the hub does not give it, or too much of it."""
    for url in urls:
        try:
            return await web.read(client, url, MAX_CARD_BYTES)
        except HubRefusal as refusal:
            if refusal.reason == "busy":
                raise
    return None


async def _header(
    client: httpx.AsyncClient, files: dict[str, HubFile], urls: Any
) -> dict[str, Any]:
    if CARD not in files:
        return {}
    content = await _content(client, urls(files[CARD]))
    return card_header(content.decode("utf-8", "replace")) if content else {}


async def _formation(
    client: httpx.AsyncClient, asked: Asked, files: dict[str, HubFile], urls: Any
) -> Offers | None:
    file = files.get(f"{asked.repo.split('/')[1]}.json")
    content = await _content(client, urls(file)) if file is not None else None
    offers = layout.formation(content, list(files)) if content else None
    return offers if offers and offers.subsets else None


async def _converted(client: httpx.AsyncClient, asked: Asked) -> Found | None:
    """The Parquet files that the hub made of the newest state, where it did."""
    if asked.kind != HubSource.HUGGINGFACE or asked.revision not in {None, "main"}:
        return None
    try:
        listing = await huggingface.listing(
            client, asked.endpoint, "datasets", asked.repo, CONVERTED_BRANCH
        )
    except HubRefusal as refusal:
        if refusal.reason == "busy":
            raise
        return None
    files = {each.path: each for each in listing.files if is_plain_path(each.path)}
    offers = layout.converted(files)
    if not offers.subsets:
        return None
    return Found(listing.commit, offers, files, _urls(asked, listing.commit), converted=True)


def unreachable(endpoint: str) -> HubTrouble:
    """The network, or the hub, does not do its part."""
    return HubTrouble(
        "hub_unreachable",
        f"The hub {endpoint} can not be reached, or broke off.",
        "Check the network, then try it again: what has arrived is kept.",
        params={"endpoint": endpoint},
    )


def explained(reason: str, asked: Asked) -> HubTrouble:
    """What a refusal of the hub means for somebody who wants a data set."""
    name = asked.repo if asked.revision is None else f"{asked.repo}@{asked.revision}"
    params = {"reference": name, "endpoint": asked.endpoint}
    if reason == "not_found":
        return HubTrouble(
            "hub_not_found",
            f"There is no open data set “{name}” at {asked.endpoint}.",
            "Check how it and its revision are written. A private one has to be downloaded by "
            "its owner and uploaded here.",
            params=params,
        )
    if reason == "gated":
        return HubTrouble(
            "hub_gated",
            f"“{name}” is only given to those who accepted its terms.",
            "Accept them on its page, download it yourself and upload the files here.",
            params=params,
        )
    if reason == "busy":
        return HubTrouble(
            "hub_busy",
            f"The hub {asked.endpoint} gets too many requests from here.",
            "Wait some minutes, then try it again: what has arrived is kept.",
            params=params,
        )
    return HubTrouble(
        "hub_answer",
        f"What the hub {asked.endpoint} says about “{name}” can not be understood.",
        "Check the address of the hub in the settings, or choose another data set.",
        params=params,
    )
