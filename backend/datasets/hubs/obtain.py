"""From a hub to a version: look, choose, fetch, import. Used by the job and the command line."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from backend.datasets.archives.limits import Unpacked
from backend.datasets.hubs import choice, look
from backend.datasets.hubs.layout import kind_of
from backend.datasets.hubs.names import SOURCE_FILE
from backend.datasets.hubs.reading import read
from backend.datasets.hubs.trouble import HubTrouble
from backend.hubs.download import NETWORK_ERRORS, DamagedFile, Wanted, fetch_all, status_of
from backend.hubs.repository import HubFile

MAX_LEFT_OUT = 20
MB = 1_000_000

# Told how many bytes are done of how many, and what comes; may raise to end it.
Progress = Callable[[int, int, str], None]


class NoSpace(OSError):
    """The disk can not hold the files."""


def obtain(spec: dict[str, Any], staged: Path, progress: Progress) -> dict[str, Any]:
    """Fetch and import into the empty `staged`; returns the summary of the import.

    The facts of the source go into `source.json`. Raises `HubTrouble`, `NoSpace`, `OSError`.
    """
    asked = look.Asked(spec["source"], spec["endpoint"], spec["reference"], spec["revision"])
    found = look.look(asked)
    chosen = choice.choose(found.offers, spec["subset"], spec["split"])
    files = [found.files[path] for path in chosen.paths]
    total = sum(file.size_bytes for file in files)
    folder = Path(spec["fetched"])
    _require_room(spec, folder, files, total)
    wanted = [_wanted(file, found, folder) for file in files]
    # Half of the way is the network, half of it the import.
    _fetch(asked, wanted, lambda done, name: progress(done, 2 * total, name))
    arrived = [Unpacked(each.target, each.name) for each in wanted]
    summary = read(
        arrived, staged, spec, lambda done: progress(total + min(done, total), 2 * total, "")
    )
    facts = {
        "commit": found.commit,
        "subset": chosen.subset,
        "split": chosen.split,
        "converted": found.converted,
        "partial": chosen.partial,
        "left_out": found.offers.left_out[:MAX_LEFT_OUT],
        "choices": [{"name": n, "splits": list(s)} for n, s in found.offers.subsets.items()],
        "files": [_stored(each, folder) for each in wanted],
    }
    (staged / SOURCE_FILE).write_bytes(orjson.dumps(facts))
    return summary


def _require_room(spec: dict[str, Any], folder: Path, files: list[HubFile], total: int) -> None:
    if total > spec["max_bytes"]:
        megabytes, allowed = -(-total // MB), spec["max_bytes"] // MB
        raise HubTrouble(
            "hub_too_large",
            f"The files have {megabytes} MB; {allowed} MB are allowed here.",
            "Choose a smaller subset or split, or have the limit of uploads raised.",
            params={"megabytes": megabytes, "allowed": allowed},
        )
    if kind_of(files[0].path) is None:
        raise HubTrouble(
            "hub_no_data_files",
            f"“{spec['reference']}” has no file that can be read here.",
            "Choose another data set, or upload a file.",
            params={"reference": spec["reference"]},
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(folder).free < total + spec["reserve_bytes"]:
        raise NoSpace("there is not enough space for the files")


def _wanted(file: HubFile, found: look.Found, folder: Path) -> Wanted:
    # Named by us: what stands in a listing never becomes a path of this disk.
    name = hashlib.sha256(file.path.encode()).hexdigest()[:32]
    place = folder / found.commit
    place.mkdir(exist_ok=True, mode=0o700)
    return Wanted(
        name=file.path,
        urls=found.urls(file),
        target=place / name,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        git_sha1=file.git_sha1,
    )


def _fetch(asked: look.Asked, wanted: list[Wanted], tick: Callable[[int, str], None]) -> None:
    try:
        fetch_all(wanted, tick)
    except DamagedFile as error:
        raise HubTrouble(
            "hub_damaged_file",
            f"{error.name} arrived with another content than the hub promised, twice.",
            "It may be changing at this moment, or the network is at fault. Try it again later.",
            params={"file": error.name},
        ) from error
    except NETWORK_ERRORS as error:
        status = status_of(error)
        reasons = {400: "not_found", 401: "gated", 403: "gated", 404: "not_found", 429: "busy"}
        if status in reasons:
            raise look.explained(reasons[status], asked) from error
        raise look.unreachable(asked.endpoint) from error


def _stored(wanted: Wanted, folder: Path) -> dict[str, Any]:
    with wanted.target.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {
        "path": wanted.name,
        "stored": wanted.target.relative_to(folder).as_posix(),
        "size_bytes": wanted.size_bytes,
        "sha256": digest,
    }
