"""One quick look at a model on the Hugging Face hub, before anything is stored or started.

Everything that would make the download pointless is found here and said in a sentence: a wrong
id, no network, a closed repository, weights that are not safetensors, code of its own.
"""

import asyncio
import re
from dataclasses import dataclass

import httpx

from backend.errors import Refused, Unavailable
from backend.hubs import huggingface, web
from backend.hubs.ids import clean_id
from backend.hubs.repository import HubFile, is_revision
from backend.hubs.web import HubRefusal
from backend.models.folder import CODE_FILES, CONFIG_FILE
from backend.settings import Settings
from training_engine.contract.model_folder import names_code

# What a download takes; everything else of a repository stays there.
_WANTED = re.compile(
    r"(?!consolidated)[\w.-]+\.safetensors|model\.safetensors\.index\.json|config\.json"
    r"|generation_config\.json|tokenizer\.json|tokenizer_config\.json|tokenizer\.model"
    r"|special_tokens_map\.json|added_tokens\.json|vocab\.json|vocab\.txt|merges\.txt"
    r"|chat_template\.(jinja|json)|README\.md|LICENSE[\w.-]*|NOTICE[\w.-]*"
)


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


async def look_up(settings: Settings, reference: str, revision: str | None) -> HubModel:
    """What would be downloaded; raises an `AppError` that says why nothing can be."""
    model_id = clean_id(reference)
    endpoint = settings.hf_endpoint.rstrip("/")
    if revision is not None and not is_revision(revision):
        raise HubModelNotFound(
            params={"reference": f"{model_id}@{revision[:50]}", "endpoint": endpoint}
        )
    if settings.offline:
        raise HubOffline
    asked = {"reference": model_id, "endpoint": endpoint}
    try:
        async with asyncio.timeout(web.TIMEOUT_S), web.client() as client:
            return await _look(client, asked, revision)
    except HubRefusal as refusal:
        raise _explained(refusal.reason, asked) from refusal
    except (httpx.HTTPError, TimeoutError) as error:
        raise HubUnreachable(params={"endpoint": endpoint}) from error


def _explained(reason: str, asked: dict[str, str]) -> Refused | Unavailable:
    """What a refusal of the hub means for somebody who wants a model."""
    if reason == "not_found":
        return HubModelNotFound(params=asked)
    if reason == "gated":
        return HubModelGated(params=asked)
    sentences = {
        "no_commit": "the hub names no commit.",
        "too_long": "its description is too long.",
        "damaged": "its description is damaged.",
    }
    if reason in sentences:
        return HubModelUnusable(params={**asked, "reason": sentences[reason]})
    return HubUnreachable(params={"endpoint": asked["endpoint"]})


async def _look(client: httpx.AsyncClient, asked: dict[str, str], revision: str | None) -> HubModel:
    endpoint, model_id = asked["endpoint"], asked["reference"]
    found = await huggingface.listing(client, endpoint, "models", model_id, revision)
    names = {file.path for file in found.files}
    _require_files(names, asked)
    for name in CODE_FILES:
        if name in names:
            url = huggingface.file_url(endpoint, "models", model_id, found.commit, name)
            if names_code(await web.read_object(client, url)):
                reason = "it needs code of its own to be loaded, and such code is not run."
                raise HubModelUnusable(params={**asked, "reason": reason, "code": "needs_code"})
    files = [file for file in found.files if _WANTED.fullmatch(file.path)]
    card = found.info.get("cardData")
    licence = card.get("license") if isinstance(card, dict) else None
    return HubModel(model_id, found.commit, files, str(licence) if licence else None)


def _require_files(names: set[str], asked: dict[str, str]) -> None:
    if CONFIG_FILE not in names:
        adapter = "adapter_config.json" in names
        reason = "it is an adapter, not a whole model." if adapter else "it has no config.json."
        raise HubModelUnusable(params={**asked, "reason": reason, "code": "no_config"})
    if not any(name.endswith(".safetensors") and _WANTED.fullmatch(name) for name in names):
        reason = (
            "it has no safetensors weights. Choose a repository that has them; others can hold "
            "harmful code."
        )
        raise HubModelUnusable(params={**asked, "reason": reason, "code": "no_safetensors"})
