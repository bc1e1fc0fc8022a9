"""What a repository of data offers: subset → split → files.

By the conventions of the hubs: `configs` in the card; else shards in `data/`, names of folders,
names of files (the patterns of the `datasets` library); else everything is the training split.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import orjson

from backend.datasets.hubs.patterns import is_hidden, matching

DEFAULT_SUBSET = "default"
DEFAULT_SPLIT = "train"
# Suffix → kind; one split is read from files of one kind.
_KINDS = {
    ".parquet": "parquet",
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), "json"),
    **dict.fromkeys((".csv", ".tsv"), "table"),
    ".txt": "text",
}
_PACKED = (".gz", ".zip")
# Which of two kinds is meant when there is as much of both.
_PREFERRED = ("parquet", "json", "table", "zip", "text")
_NO_DATA = frozenset(
    {
        *("readme.md", "config.json", "dataset_info.json", "dataset_infos.json"),
        *("dataset_dict.json", "dummy_data.zip", "state.json", "configuration.json"),
        *("license.txt", "licence.txt", "requirements.txt", "readme.txt", "notice.txt"),
    }
)
_KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_APART = "[-._ 0-9]"
_SHARD = re.compile(r"data/(\w+(?:\.\w+)*)-\d{5}-of-\d{5}[^/]*\.[^/]*")
_CONVERTED = re.compile(r"([^/]+)/(partial-)?([^/]+)/[^/]+\.parquet")

Splits = dict[str, list[str]]


@dataclass
class Offers:
    """What can be chosen, and the data files that no choice would read."""

    subsets: dict[str, Splits]
    left_out: list[str] = field(default_factory=list)
    partial: set[tuple[str, str]] = field(default_factory=set)


def kind_of(path: str) -> str | None:
    """What kind of data a file holds, by its name; None for what can not be read."""
    pure = PurePosixPath(path.lower())
    if pure.name in _NO_DATA:
        return None
    if pure.suffix in _PACKED:
        inner = _KINDS.get(PurePosixPath(pure.stem).suffix)
        return inner or ("zip" if pure.suffix == ".zip" else None)
    return _KINDS.get(pure.suffix)


def offers(paths: Sequence[str], card: dict[str, Any]) -> Offers:
    """What the files are, by the card or by their names; no subset when there is nothing."""
    configs = card.get("configs")
    if isinstance(configs, list) and (subsets := _configured(paths, configs)):
        return Offers(subsets)
    return by_names(paths)


def _configured(paths: Sequence[str], configs: list[Any]) -> dict[str, Splits]:
    subsets: dict[str, Splits] = {}
    first = [each for each in configs if isinstance(each, dict)]
    for config in sorted(first, key=lambda each: each.get("default") is not True):
        base = str(config.get("data_dir") or "").strip("/")
        wanted = config.get("data_files")
        if wanted is None:
            below = matching(paths, f"{base}/**") if base else list(paths)
            splits = by_names(below).subsets.get(DEFAULT_SUBSET, {})
        else:
            splits = {
                split: files
                for split, patterns in _patterns(wanted)
                if (files := _named(paths, base, patterns))
            }
        if splits:
            subsets[str(config.get("config_name") or DEFAULT_SUBSET)] = splits
    return subsets


def _patterns(wanted: Any) -> Iterable[tuple[str, list[str]]]:
    """The spellings of `data_files`: one pattern, several, or several for each split."""
    if isinstance(wanted, dict):
        wanted = [{"split": split, "path": path} for split, path in wanted.items()]
    entries = wanted if isinstance(wanted, list) else [wanted]
    plain = [each for each in entries if isinstance(each, str)]
    if plain:
        yield DEFAULT_SPLIT, plain
        return
    for each in entries:
        if isinstance(each, dict) and "path" in each:
            path = each["path"]
            several = path if isinstance(path, list) else [path]
            yield str(each.get("split") or DEFAULT_SPLIT), [str(one) for one in several]


def _named(paths: Sequence[str], base: str, patterns: list[str]) -> list[str]:
    found = [
        path
        for pattern in patterns
        for path in matching(paths, f"{base}/{pattern}" if base else pattern)
        if kind_of(path) is not None
    ]
    return list(dict.fromkeys(found))


def by_names(paths: Sequence[str]) -> Offers:
    """The splits that names of files and folders speak of."""
    kinds = {path: kind for path in sorted(paths) if (kind := kind_of(path)) is not None}
    kinds = {path: kind for path, kind in kinds.items() if not is_hidden(path)}
    if not kinds:
        return Offers({})
    counts = Counter(kinds.values())
    best = max(counts, key=lambda kind: (counts[kind], -_PREFERRED.index(kind)))
    chosen = [path for path, kind in kinds.items() if kind == best]
    splits = _sharded(chosen) or _keyed(chosen, _in_folder) or _keyed(chosen, _in_name)
    splits = splits or {DEFAULT_SPLIT: chosen}
    read = {path for files in splits.values() for path in files}
    return Offers({DEFAULT_SUBSET: splits}, [path for path in kinds if path not in read])


def _sharded(paths: list[str]) -> Splits:
    found: Splits = {}
    for path in paths:
        if match := _SHARD.fullmatch(path):
            found.setdefault(match[1], []).append(path)
    usual = [split for split in _KEYWORDS if split in found]
    return {split: found[split] for split in (*usual, *sorted(set(found) - set(usual)))}


def _keyed(paths: list[str], speaks: Any) -> Splits:
    found = {
        split: [path for path in paths if any(speaks(path, word) for word in words)]
        for split, words in _KEYWORDS.items()
    }
    return {split: files for split, files in found.items() if files}


def _in_folder(path: str, word: str) -> bool:
    folders = PurePosixPath(path).parts[:-1]
    return any(re.search(f"(?:^|{_APART}){word}(?:$|{_APART})", each) for each in folders)


def _in_name(path: str, word: str) -> bool:
    return bool(re.search(f"(?:^|{_APART}){word}{_APART}", PurePosixPath(path).name))


def converted(paths: Iterable[str]) -> Offers:
    """The branch of Parquet files that the Hugging Face hub makes: `SUBSET/SPLIT/NNNN.parquet`."""
    found = Offers({})
    for path in sorted(paths):
        if match := _CONVERTED.fullmatch(path):
            subset, partial, split = match.groups()
            found.subsets.setdefault(subset, {}).setdefault(split, []).append(path)
            if partial:
                found.partial.add((subset, split))
    return found


def formation(content: bytes, paths: Sequence[str]) -> Offers:
    """ModelScope's own description `NAME.json`: subset → split → `{"meta": FILE}`."""
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError:
        return Offers({})
    there = set(paths)
    found = Offers({})
    for subset, splits in told.items() if isinstance(told, dict) else ():
        for split, files in splits.items() if isinstance(splits, dict) else ():
            meta = files.get("meta") if isinstance(files, dict) else None
            if isinstance(meta, str) and meta in there and kind_of(meta) is not None:
                found.subsets.setdefault(subset, {})[split] = [meta]
    return found
