"""A `dataset_info.json` among the files: which data sets it makes of them, one for each entry."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

import orjson

from backend.datasets.archives import members
from backend.datasets.archives.limits import LeftOut, Unpacked
from backend.datasets.importers.llamafactory import Entry, entries_of
from backend.datasets.rows import UnreadableFile

MAX_INFO_BYTES = 4 * 1024 * 1024
_HINT = "Correct it and upload the files again, or upload the data files without it."


@dataclass(frozen=True)
class Chosen:
    """What one entry imports, and all entries as the summary names them."""

    files: list[Unpacked]
    left_out: list[LeftOut]
    mapping: dict[str, Any] | None
    entry: str
    entries: list[dict[str, Any]]


def choose(files: Sequence[Unpacked], wanted: str | None) -> Chosen | None:
    """The entry that is wanted, or the first that can be imported; None without such a file.

    Raises `UnreadableFile` when there is none.
    """
    info = next((file for file in files if members.is_info(file.name)), None)
    if info is None:
        return None
    data = [file for file in files if not members.is_info(file.name)]
    folder = PurePosixPath(info.name.replace("\\", "/")).parent
    described = []
    for entry in entries_of(_content(info)):
        found = _files_of(entry.file_name, folder, data)
        names, warnings = [file.name for file in found], list(entry.warnings)
        if entry.num_samples:
            warnings.append(
                f"“num_samples” is {entry.num_samples}: all rows are imported; take a sample of "
                "them with Prepare."
            )
        told = {"refusal": _refusal(entry, names), "warnings": warnings, "files": names}
        described.append({**asdict(entry), **told})
    usable = [each for each in described if each["refusal"] is None]
    chosen = next((each for each in usable if wanted in (None, each["name"])), None)
    if chosen is None:
        raise _nothing(info, described, wanted)
    named = {name for each in described for name in each["files"]}
    return Chosen(
        [file for file in data if file.name in chosen["files"]],
        [
            LeftOut(file.name, f"{members.INFO_FILE} does not name it")
            for file in data
            if file.name not in named
        ],
        chosen["mapping"],
        chosen["name"],
        described,
    )


def _refusal(entry: Entry, files: Sequence[str]) -> str | None:
    """Why the entry can not be imported from what was uploaded."""
    if entry.refusal is not None or files:
        return entry.refusal
    if entry.file_name:
        return f"The file “{entry.file_name}” is not among those that were uploaded."
    return f"Its rows are on a hub: add “{entry.hf_hub_url or entry.ms_hub_url}” from there."


def _content(info: Unpacked) -> dict[str, Any]:
    raw = info.path.read_bytes() if info.path.stat().st_size <= MAX_INFO_BYTES else b""
    try:
        content = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise _broken(info, f"it is not valid JSON ({error.msg}, line {error.lineno})") from None
    if not isinstance(content, dict) or not content:
        raise _broken(info, "it must be an object that names data sets")
    return content


def _broken(info: Unpacked, reason: str) -> UnreadableFile:
    error = UnreadableFile(
        "broken_dataset_info",
        f"“{members.INFO_FILE}” can not be used: {reason}.",
        _HINT,
        params={"reason": reason},
    )
    error.file = info.name
    return error


def _files_of(name: str | None, folder: PurePosixPath, data: Sequence[Unpacked]) -> list[Unpacked]:
    """The file or folder that an entry names, beside `dataset_info.json` or by its bare name."""
    if not name:
        return []
    wanted = str(folder / name.replace("\\", "/"))
    found = [
        file
        for file in data
        if file.name == wanted or file.name.startswith(f"{wanted.rstrip('/')}/")
    ]
    bare = PurePosixPath(wanted).name
    return found or [file for file in data if PurePosixPath(file.name).name == bare][:1]


def _nothing(
    info: Unpacked, described: Sequence[dict[str, Any]], wanted: str | None
) -> UnreadableFile:
    reasons = "; ".join(
        f"{each['name']}: {each['refusal']}" for each in described if each["refusal"]
    )
    what = f"has no entry “{wanted[:100]}” that" if wanted else "has no entry that"
    error = UnreadableFile(
        "no_usable_entry",
        f"“{members.INFO_FILE}” {what} can be imported{f' ({reasons[:1000]})' if reasons else ''}.",
        "Upload the data files that it names together with it.",
        params={"reasons": reasons[:1000]},
    )
    error.file = info.name
    return error
