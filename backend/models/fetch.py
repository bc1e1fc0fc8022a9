"""Fetches the files of a model at one commit from the hub into a folder."""

import json
from pathlib import Path
from typing import Any

from backend.hubs import huggingface
from backend.hubs.download import Tick, Wanted, fetch_all
from backend.models.folder import ORIGIN_FILE


def fetch(spec: dict[str, Any], folder: Path, tick: Tick) -> None:
    """All files of `spec` into `folder`; raises what the hub's library raises, or `DamagedFile`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fetch_all([_wanted(spec, file, folder) for file in spec["files"]], tick)
    # The folder is called after a row of the database: without one it says itself what it is.
    origin = {"reference": spec["repo"], "revision": spec["revision"]}
    (folder / ORIGIN_FILE).write_text(json.dumps(origin))


def _wanted(spec: dict[str, Any], file: dict[str, Any], folder: Path) -> Wanted:
    url = huggingface.file_url(
        spec["endpoint"], "models", spec["repo"], spec["revision"], file["path"]
    )
    return Wanted(
        name=file["path"],
        urls=[url],
        target=folder / Path(file["path"]).name,
        size_bytes=file["size_bytes"],
        sha256=file["sha256"],
        git_sha1=file["git_sha1"],
    )
