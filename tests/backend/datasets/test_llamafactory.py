"""Entries of LLaMA-Factory's `dataset_info.json` become mappings, warnings and refusals."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.datasets.importers.llamafactory import Entry, entries_of, looks_like_one
from backend.datasets.importers.mapped import wrong_mapping
from backend.datasets.schemas import Mapping
from tests.backend.datasets.test_formats import ASSISTANT, CHAT, USER, run

GO = {"role": "assistant", "content": "Go"}
FILE = {"file_name": "a.json"}


def entry(**given: Any) -> Entry:
    [found] = entries_of({"a": {**FILE, **given}})
    return found


@pytest.mark.parametrize(
    ("given", "row", "record_type", "record"),
    [
        ({}, {"instruction": "Hi", "output": "Hello"}, "prompt_completion", {"messages": CHAT}),
        (
            {"columns": {"prompt": "q", "response": "a", "query": "i", "history": "h"}},
            {"q": "Say", "i": "Hi", "a": "Hello", "h": [["Hi", "Hello"]]},
            "prompt_completion",
            {"messages": [*CHAT, {"role": "user", "content": "Say\nHi"}, ASSISTANT]},
        ),
        (
            {"columns": {"prompt": "body"}},
            {"body": "Once"},
            "language_modeling",
            {"text": "Once"},
        ),
        (
            {"ranking": True, "columns": {"prompt": "q", "chosen": "c", "rejected": "r"}},
            {"q": "Hi", "c": "Hello", "r": "Go"},
            "preference",
            {"messages": [USER], "chosen": [ASSISTANT], "rejected": [GO]},
        ),
        (
            {
                "formatting": "sharegpt",
                "ranking": True,
                "columns": {"messages": "conversations", "chosen": "c", "rejected": "r"},
            },
            {
                "conversations": [{"from": "human", "value": "Hi"}],
                "c": {"from": "gpt", "value": "Hello"},
                "r": {"from": "gpt", "value": "Go"},
            },
            "preference",
            {"messages": [USER], "chosen": [ASSISTANT], "rejected": [GO]},
        ),
        (
            {"formatting": "sharegpt", "columns": {"messages": "m", "kto_tag": "ok"}},
            {"m": CHAT, "ok": False},
            "unpaired_preference",
            {"messages": CHAT, "label": False},
        ),
        (
            {"columns": {"prompt": "q", "response": "a", "kto_tag": "ok"}},
            {"q": "Hi", "a": "Hello", "ok": True},
            "unpaired_preference",
            {"messages": CHAT, "label": True},
        ),
        (
            {"formatting": "sharegpt"},
            {
                "conversations": [
                    {"from": "human", "value": "Hi"},
                    {"from": "gpt", "value": "Hello"},
                ]
            },
            "conversational",
            {"messages": CHAT},
        ),
        (
            {
                "formatting": "openai",
                "columns": {"messages": "m", "system": "s", "tools": "t"},
                "tags": {
                    "role_tag": "who",
                    "content_tag": "said",
                    "user_tag": "Q",
                    "assistant_tag": "A",
                },
            },
            {
                "m": [{"who": "Q", "said": "Hi"}, {"who": "A", "said": "Hello"}],
                "s": "Be kind",
                "t": '[{"name": "now"}]',
            },
            "conversational",
            {
                "messages": [{"role": "system", "content": "Be kind"}, *CHAT],
                "tools": [{"name": "now"}],
            },
        ),
    ],
)
def test_entry_imports_its_rows(
    tmp_path: Path, given: Any, row: Any, record_type: str, record: Any
) -> None:
    found = entry(**given)
    assert (found.refusal, found.warnings) == (None, [])
    assert found.mapping is not None
    Mapping.model_validate(found.mapping)
    summary, records = run(tmp_path, [row], mapping=found.mapping)
    assert (summary["status"], summary["record_type"]) == ("ready", record_type)
    assert summary["counts"]["kept"] == 1
    assert records == [record]


def test_where_the_rows_are_is_handed_on() -> None:
    found = entry(
        hf_hub_url="a/b", ms_hub_url="c/d", subset="en", split="test", folder="data", num_samples=7
    )
    assert (found.file_name, found.hf_hub_url, found.ms_hub_url) == ("a.json", "a/b", "c/d")
    assert (found.subset, found.split, found.folder, found.num_samples) == ("en", "test", "data", 7)
    assert entry().split == "train"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"file": "x"}, "“file” is not known"),
        ({"columns": {"prompt": "q", "response": "a", "answer": "b"}}, "“answer” of “columns”"),
        (
            {"formatting": "sharegpt", "tags": {"user_tag": "human", "bot_tag": "gpt"}},
            "“bot_tag” of “tags”",
        ),
        ({"om_hub_url": "a/b"}, "“om_hub_url” is not used"),
        ({"tags": {"user_tag": "human"}}, "alpaca has no turns"),
        (
            {"columns": {"prompt": "q", "response": "a", "chosen": "b"}},
            "“chosen” is no part of prompt_completion",
        ),
        ({"ranking": True}, "taken as they look"),
    ],
)
def test_what_is_not_used_is_told(given: Any, word: str) -> None:
    found = entry(**given)
    assert found.refusal is None
    [warning] = found.warnings
    assert word in warning


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"file_name": None}, "names no file"),
        ({"file_name": None, "script_url": "load.py"}, "names a program"),
        ({"script_url": "load.py"}, "names a program"),
        ({"file_name": None, "cloud_file_name": "s3://x"}, "cloud store"),
        ({"file_name": None, "om_hub_url": "a/b"}, "Modelers"),
        ({"columns": {"prompt": "q", "response": "a", "images": "p"}}, "images"),
        ({"columns": {"response": "a"}}, "“prompt”"),
        ({"columns": {"prompt": "q", "query": "i"}}, "“response”"),
        ({"formatting": "sharegpt", "columns": {"system": "s"}}, "“messages”"),
        ({"ranking": True, "columns": {"prompt": "q", "chosen": "c"}}, "“chosen” and “rejected”"),
        ({"formatting": "vicuna"}, "“vicuna” is not known"),
        ({"num_samples": 0}, "num_samples"),
        ({"num_samples": "many"}, "num_samples"),
        ({"ranking": "yes"}, "ranking"),
        ({"columns": ["a"]}, "columns"),
        ({"columns": {"prompt": 1}}, "prompt"),
        ({"file_name": "../a.json"}, "file_name"),
        ({"file_name": "/etc/passwd"}, "file_name"),
        ({"folder": "C:\\x"}, "folder"),
        ({"columns": {"prompt": "q", "response": "q"}}, "two parts"),
        ({"subset": 3}, "subset"),
    ],
)
def test_what_can_not_be_done_is_refused(given: Any, word: str) -> None:
    found = entry(**given)
    assert found.mapping is None
    assert found.refusal is not None
    assert word in found.refusal


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
KEYS = ["formatting", "ranking", "columns", "tags", "num_samples", "file_name", "hf_hub_url", "x"]


@given(
    st.dictionaries(
        st.text(max_size=3), JSON | st.dictionaries(st.sampled_from(KEYS), JSON), max_size=3
    )
)
@settings(max_examples=200)
def test_rubbish_is_answered_with_sentences(content: Any) -> None:
    found = entries_of(content)
    assert [each.name for each in found] == list(content)
    for each in found:
        assert each.refusal is None or (each.mapping is None and each.refusal.endswith("."))
        if each.mapping is not None:
            assert wrong_mapping(each.mapping) is None


def test_the_file_is_known_by_its_entries() -> None:
    assert looks_like_one({"a": FILE, "b": {"hf_hub_url": "a/b"}})
    for other in ({}, [], {"a": 1}, {"a": FILE, "b": {"x": 1}}, {"messages": CHAT}):
        assert not looks_like_one(other)
