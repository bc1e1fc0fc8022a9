"""What names of files and cards mean; compared with the library whose conventions these are."""

import json
from pathlib import PurePosixPath
from typing import ClassVar

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.datasets.hubs import layout
from backend.datasets.hubs.patterns import matching
from backend.hubs.repository import card_header, is_plain_path

NAMES = st.sampled_from(
    [
        *("train", "test", "dev", "data", "a", "train_x", "x-test", "validation2", "trainer"),
        *("eval", "2train", "my.valid", "train-00000-of-00002", "new-00001-of-00001", "testing"),
    ]
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "/".join(parts) + ".csv")


def splits_of(*paths: str) -> dict[str, list[str]]:
    return layout.offers(paths, {}).subsets.get("default", {})


@settings(deadline=None)  # the first call imports the library
@given(st.lists(PATHS, min_size=1, max_size=6, unique=True))
def test_names_mean_what_they_mean_to_the_library(paths: list[str]) -> None:
    data_files = pytest.importorskip("datasets.data_files")
    from fsspec.implementations.memory import MemoryFileSystem

    class Listed(MemoryFileSystem):  # type: ignore[misc]
        store: ClassVar[dict[str, object]] = {}
        pseudo_dirs: ClassVar[list[str]] = [""]
        cachable = False

    system = Listed()
    system.store.clear()
    for path in paths:
        system.pipe_file(f"/r/{path}", b"x")

    def resolve(pattern: str) -> list[str]:
        found = [p.removeprefix("/r/") for p in system.glob(f"/r/{pattern}")]
        found = sorted(p for p in found if p in paths)
        if not found:
            raise FileNotFoundError(pattern)
        return found

    theirs = {
        str(split): sorted({p for pattern in patterns for p in _or_none(resolve, pattern)})
        for split, patterns in data_files._get_data_files_patterns(resolve).items()
    }
    assert splits_of(*paths) == theirs


def _or_none(resolve: object, pattern: str) -> list[str]:
    try:
        return resolve(pattern)  # type: ignore[operator, no-any-return]
    except FileNotFoundError:
        return []


@example("train.csv", ["*", "**"])
@given(PATHS, st.lists(st.sampled_from(["*", "**", "t*", "[a-t]*", "data", "*.csv"]), max_size=4))
def test_patterns_match_what_the_library_matches(path: str, parts: list[str]) -> None:
    import re

    from fsspec.utils import glob_translate

    pattern = "/".join(parts)
    if not pattern or "**/**" in pattern:
        return
    theirs = bool(re.match(glob_translate(f"/{pattern}"), f"/{path}"))
    assert (matching([path], pattern) == [path]) == theirs


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a.jsonl"], {"train": ["a.jsonl"]}),
        (["a.jsonl.gz", "b.json.gz"], {"train": ["a.jsonl.gz", "b.json.gz"]}),
        (["all.zip"], {"train": ["all.zip"]}),
        (
            ["data/test-00000-of-00001.parquet", "data/train-00001-of-00002-ab.parquet"],
            {
                "train": ["data/train-00001-of-00002-ab.parquet"],
                "test": ["data/test-00000-of-00001.parquet"],
            },
        ),
        (
            ["train.csv", "dev.csv", "LICENSE.txt"],
            {"train": ["train.csv"], "validation": ["dev.csv"]},
        ),
        (["config.json", "README.md", ".hidden/x.csv", "model.bin"], {}),
        ([], {}),
    ],
)
def test_splits(paths: list[str], expected: dict[str, list[str]]) -> None:
    assert splits_of(*paths) == expected


def test_files_of_another_kind_are_named_not_mixed_in() -> None:
    found = layout.offers(["train.parquet", "train.csv", "x.jsonl"], {})
    assert found.subsets == {"default": {"train": ["train.parquet"]}}
    assert found.left_out == ["train.csv", "x.jsonl"]


CARDS = [
    ("data_files: a/*.csv", {"train": ["a/1.csv", "a/2.csv"]}),
    ("data_files: [a/1.csv, b/3.csv]", {"train": ["a/1.csv", "b/3.csv"]}),
    ("data_files: {dev: b/*.csv}", {"dev": ["b/3.csv"]}),
    ("data_dir: b", {"train": ["b/3.csv"]}),
    ("data_dir: b\n  data_files: '*.csv'", {"train": ["b/3.csv"]}),
    ("data_files: [{split: t, path: [a/1.csv, a/1.csv]}]", {"t": ["a/1.csv"]}),
    ("data_files: '**'", {"train": ["a/1.csv", "a/2.csv", "b/3.csv"]}),
]


@pytest.mark.parametrize(("config", "expected"), CARDS)
def test_spellings_of_a_card(config: str, expected: dict[str, list[str]]) -> None:
    header = card_header(f"---\nconfigs:\n- config_name: one\n  {config}\n---\n# x")
    found = layout.offers(["a/1.csv", "a/2.csv", "b/3.csv", "README.md"], header)
    assert found.subsets == {"one": expected}


@pytest.mark.parametrize(
    "path", ["../x.csv", "https://elsewhere.example/x.csv", "/etc/passwd", "", "*" * 500 + "b"]
)
def test_card_that_names_other_places_falls_back_to_names(path: str) -> None:
    header = {"configs": [{"config_name": "one", "data_files": path}]}
    assert layout.offers(["a.csv"], header).subsets == {"default": {"train": ["a.csv"]}}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("*.csv"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["config_name", "data_files", "data_dir", "split", "path", "default"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(ANYTHING)
def test_rubbish_in_a_card_never_breaks(configs: object) -> None:
    header = card_header("---\n" + yaml.safe_dump({"configs": configs}) + "\n---\n")
    found = layout.offers(["a.csv", "b/c.csv"], header)
    assert found.subsets
    assert all(files for splits in found.subsets.values() for files in splits.values())
    assert all(isinstance(name, str) for name in found.subsets)
    layout.formation(json.dumps(configs).encode(), ["a.csv"])


@given(st.text(max_size=200))
def test_rubbish_for_a_card_never_breaks(text: str) -> None:
    assert isinstance(card_header(f"---\n{text}\n---\n"), dict)


@given(st.text(max_size=50) | st.lists(st.sampled_from(["..", ".", "a", ""])).map("/".join))
def test_plain_paths_stay_inside(path: str) -> None:
    if is_plain_path(path):
        assert not PurePosixPath(path).is_absolute()
        assert not {"..", "."} & set(path.split("/"))


def test_pattern_that_would_search_for_hours_ends() -> None:
    assert matching(["a" * 900 + ".csv"], "*a" * 400 + "b") == []
    assert matching(["/".join("a" * 30)], "**/a/" * 14 + "b") == []


def test_description_of_modelscope() -> None:
    told = {"default": {"train": {"meta": "t.csv", "file": ""}, "x": {"meta": "../t.csv"}}, "y": 1}
    found = layout.formation(json.dumps(told).encode(), ["t.csv"])
    assert found.subsets == {"default": {"train": ["t.csv"]}}
