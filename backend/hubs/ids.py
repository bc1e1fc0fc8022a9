"""How the id of a repository is written, and what people type for it."""

import re
from urllib.parse import urlsplit

from backend.errors import Refused

_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


class BadHubId(Refused):
    """“{reference}” is not an id of a hub; it has the form owner/name, as on its page."""


def clean_id(reference: str) -> str:
    """The id in what a user typed, an address of its page too; raises `BadHubId`."""
    text = reference.strip().strip("/")
    if "://" in text:
        try:
            parts = urlsplit(text).path.strip("/").split("/")
        except ValueError:
            raise BadHubId(params={"reference": reference[:200]}) from None
        text = "/".join(parts[1:3] if parts[0] in {"datasets", "models"} else parts[:2])
    if not _ID.fullmatch(text) or ".." in text or text.endswith(".git"):
        raise BadHubId(params={"reference": reference[:200]})
    return text
