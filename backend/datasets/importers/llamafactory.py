"""LLaMA-Factory's `dataset_info.json`: which file, which format, which column is what.

Each entry becomes a mapping for `mapped.importer`, with warnings for every key that means nothing
here: LLaMA-Factory itself drops what it does not know in silence (its issue 7577). As there, giving
`columns` or `tags` at all forgets the defaults of those that are not listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from backend.datasets.importers.mapped import wrong_mapping
from training_engine.contract.names import RecordType

_COLUMNS = {"prompt": "instruction", "query": "input", "response": "output"}
_ALL_COLUMNS = (
    *("prompt", "query", "response", "history", "messages", "system", "tools"),
    *("images", "videos", "audios", "chosen", "rejected", "kto_tag"),
)
_MEDIA = ("images", "videos", "audios")
_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
_SOURCES = ("hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name", "file_name")
_TEXTS = (*_SOURCES, "subset", "split", "folder", "formatting")
_KNOWN = frozenset((*_TEXTS, "ranking", "num_samples", "columns", "tags"))
_TURNS = ("sharegpt", "openai")
_FORMATTINGS = ("alpaca", *_TURNS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One data set of the file.

    `mapping` in the shape of the API's `Mapping`, or None where the rows must say what they are.
    `refusal` is a sentence that says why the entry can not be imported, None when it can. Of the
    sources a hub's wins over `file_name`, which is relative to the folder of `dataset_info.json`.
    `num_samples` rows are wanted, all of them when it is None.
    """

    name: str
    mapping: dict[str, Any] | None = None
    refusal: str | None = None
    warnings: list[str] = field(default_factory=list)
    file_name: str | None = None
    hf_hub_url: str | None = None
    ms_hub_url: str | None = None
    subset: str | None = None
    split: str = "train"
    folder: str | None = None
    num_samples: int | None = None


class _Refused(Exception):
    """The entry can not be imported; the text says why."""


def entries_of(content: Mapping[str, Any]) -> list[Entry]:
    """The entries of a `dataset_info.json` in their order; never raises for what is in it."""
    return [_entry(str(name), given) for name, given in content.items()]


def looks_like_one(content: Any) -> bool:
    """Whether a JSON value is a `dataset_info.json`: objects of which each names a source."""
    return (
        isinstance(content, dict)
        and bool(content)
        and all(
            isinstance(entry, dict) and any(isinstance(entry.get(key), str) for key in _SOURCES)
            for entry in content.values()
        )
    )


def _entry(name: str, given: Any) -> Entry:
    warnings: list[str] = []
    where: dict[str, Any] = {}
    try:
        if not isinstance(given, dict):
            raise _Refused(f"The entry “{name}” must be an object.")
        texts = {key: _text(given, key) for key in _TEXTS}
        where = _where(name, texts, warnings)
        number = _number(given)
        warnings += [f"“{key}” is not known and is not used." for key in given if key not in _KNOWN]
        mapping = _mapping(given, texts["formatting"] or "alpaca", warnings)
        if mapping is not None and (reason := wrong_mapping(mapping)):
            raise _Refused(f"The columns do not fit together: {reason}")
    except _Refused as refused:
        return Entry(name, refusal=str(refused), warnings=warnings, **where)
    return Entry(name, mapping, warnings=warnings, num_samples=number, **where)


def _text(given: dict[str, Any], key: str) -> str | None:
    value = given.get(key)
    if value is not None and not isinstance(value, str):
        raise _Refused(f"“{key}” must be a text.")
    return value or None


def _where(name: str, texts: dict[str, str | None], warnings: list[str]) -> dict[str, Any]:
    """Where the rows are; raises `_Refused` for what can not be reached from here."""
    hubs = {key: texts[key] for key in ("hf_hub_url", "ms_hub_url")}
    if not any(hubs.values()):
        for key, why in (
            ("om_hub_url", "the Modelers hub can not be read here"),
            ("script_url", "it names a program that loads the rows, and none is run here"),
            ("cloud_file_name", "it names a file in a cloud store, which can not be read here"),
        ):
            if texts[key] and not (key == "om_hub_url" and texts["file_name"]):
                raise _Refused(
                    f"“{name}” can not be imported: {why} (“{key}”). Upload its files instead."
                )
        if not texts["file_name"]:
            raise _Refused(f"“{name}” names no file and no data set of a hub.")
    for key in ("om_hub_url", "script_url", "cloud_file_name"):
        if texts[key]:
            warnings.append(f"“{key}” is not used: another source of the entry is.")
    for key in ("file_name", "folder"):
        path = PurePosixPath((texts[key] or "").replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or path.as_posix()[1:2] == ":":
            raise _Refused(f"“{key}” must lie below the folder of dataset_info.json.")
    return {
        **hubs,
        "file_name": texts["file_name"],
        "subset": texts["subset"],
        "split": texts["split"] or "train",
        "folder": texts["folder"],
    }


def _number(given: dict[str, Any]) -> int | None:
    number = given.get("num_samples")
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise _Refused("“num_samples” must be a whole number above 0.")
    return number


def _mapping(given: dict[str, Any], formatting: str, warnings: list[str]) -> dict[str, Any] | None:
    if formatting not in _FORMATTINGS:
        raise _Refused(
            f"The formatting “{formatting[:40]}” is not known: {', '.join(_FORMATTINGS)}."
        )
    ranking = given.get("ranking", False)
    if not isinstance(ranking, bool):
        raise _Refused("“ranking” must be true or false.")
    columns = _named(given, "columns", _ALL_COLUMNS, warnings)
    tags = _named(given, "tags", tuple(_TAGS), warnings)
    if columns is None and ranking:
        warnings.append("“ranking” is true without “columns”: the rows are taken as they look.")
        return None
    if columns is None:
        columns = {"messages": "conversations"} if formatting in _TURNS else dict(_COLUMNS)
    media = [name for name in _MEDIA if name in columns]
    if media:
        raise _Refused(
            f"Its rows have {' and '.join(media)}, and nothing here trains on those yet."
        )
    if formatting not in _TURNS and tags:
        warnings.append("“tags” are not used: the formatting alpaca has no turns.")
        tags = None
    parts = _turn_parts if formatting in _TURNS else _alpaca_parts
    kind, found = parts(columns, ranking, warnings)
    return {
        "record_type": kind.value,
        "columns": found,
        "tags": {_TAGS[name]: tag for name, tag in tags.items()} if tags else None,
        "system_text": None,
        "label_true": None,
    }


def _named(
    given: dict[str, Any], key: str, known: tuple[str, ...], warnings: list[str]
) -> dict[str, str] | None:
    """The names under `columns` or `tags`, without those that are null; None without the key."""
    if given.get(key) is None:
        return None
    value = given[key]
    if not isinstance(value, dict):
        raise _Refused(f"“{key}” must be an object.")
    found: dict[str, str] = {}
    for name, what in value.items():
        if name not in known:
            warnings.append(f"“{name}” of “{key}” is not known and is not used.")
        elif isinstance(what, str) and what:
            found[name] = what
        elif what is not None:
            raise _Refused(f"“{name}” of “{key}” must be a text.")
    return found


Parts = tuple[RecordType, dict[str, str]]


def _alpaca_parts(columns: dict[str, str], ranking: bool, warnings: list[str]) -> Parts:
    """What a row of `formatting: alpaca` is: columns with a question and its answer."""
    if "prompt" not in columns:
        raise _Refused("“columns” names none for “prompt”, which is where the question is.")
    names = {"prompt": "prompt", "query": "input", "history": "history", "system": "system"}
    names["tools"] = "tools"
    if ranking:
        kind = RecordType.PREFERENCE
        names |= _answers(columns)
    elif "response" not in columns:
        if "query" in columns or "kto_tag" in columns:
            raise _Refused("“columns” names none for “response”, which is where the answer is.")
        # A prompt and nothing else is how LLaMA-Factory is given plain text.
        kind, names = RecordType.LANGUAGE_MODELING, {"prompt": "text"}
    elif "kto_tag" in columns:
        kind = RecordType.UNPAIRED_PREFERENCE
        names |= {"response": "completion", "kto_tag": "label"}
    else:
        kind = RecordType.PROMPT_COMPLETION
        names["response"] = "completion"
    return kind, _used(columns, names, kind, warnings)


def _turn_parts(columns: dict[str, str], ranking: bool, warnings: list[str]) -> Parts:
    """What a row of `formatting: sharegpt` or `openai` is: a column with turns."""
    if "messages" not in columns:
        raise _Refused("“columns” names none for “messages”, which is where the turns are.")
    names = {"messages": "messages", "system": "system", "tools": "tools"}
    if ranking:
        kind = RecordType.PREFERENCE
        names |= _answers(columns)
    elif "kto_tag" in columns:
        kind = RecordType.UNPAIRED_PREFERENCE
        names["kto_tag"] = "label"
    else:
        kind = RecordType.CONVERSATIONAL
    return kind, _used(columns, names, kind, warnings)


def _answers(columns: dict[str, str]) -> dict[str, str]:
    if "chosen" not in columns or "rejected" not in columns:
        raise _Refused("“ranking” is true, and “columns” does not name “chosen” and “rejected”.")
    return {"chosen": "chosen", "rejected": "rejected"}


def _used(
    columns: dict[str, str], names: dict[str, str], kind: RecordType, warnings: list[str]
) -> dict[str, str]:
    for name in columns:
        if name not in names:
            warnings.append(f"The column for “{name}” is no part of {kind.value} and not used.")
    return {part: columns[name] for name, part in names.items() if name in columns}
