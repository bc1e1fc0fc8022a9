"""A `dataset_info.json` among the files: one data set for each entry, the rest said by name."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.backend.datasets.imports import run, run_several
from tests.backend.datasets.stored import records_of

INFO = {
    "far": {"hf_hub_url": "somebody/something"},
    "gone": {"file_name": "gone.json"},
    "plain": {"file_name": "plain.json"},
    "talks": {
        "file_name": "deep/talks.json",
        "formatting": "sharegpt",
        "columns": {"messages": "dialog"},
        "tags": {"role_tag": "who", "content_tag": "says", "user_tag": "u", "assistant_tag": "a"},
        "colour": "blue",
    },
}
PLAIN = json.dumps([{"instruction": "q", "input": "", "output": "plain answer"}])
TALKS = json.dumps([{"dialog": [{"who": "u", "says": "hello"}, {"who": "a", "says": "hi"}]}])
FILES: dict[str, bytes | str] = {
    "data/dataset_info.json": json.dumps(INFO),
    "data/plain.json": PLAIN,
    "data/deep/talks.json": TALKS,
    "data/unnamed.json": PLAIN,
    "README.md": "about",
}


def _zip(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _answers(folder: Path) -> list[str]:
    return [record["messages"][-1]["content"] for record in records_of(folder / "out")]


def test_first_entry_that_can_be_is_imported_and_all_are_named(tmp_path: Path) -> None:
    summary = run(tmp_path, "all.zip", _zip(FILES))
    assert (summary["status"], summary["entry"]) == ("ready", "plain")
    assert _answers(tmp_path) == ["plain answer"]
    found: dict[str, Any] = {each["name"]: each for each in summary["entries"]}
    assert list(found) == list(INFO)
    assert found["talks"]["files"] == ["data/deep/talks.json"]
    assert found["talks"]["refusal"] is None
    assert any("colour" in warning for warning in found["talks"]["warnings"])
    assert "gone.json" in found["gone"]["refusal"]
    assert "somebody/something" in found["far"]["refusal"]
    assert {each["name"] for each in summary["left_out"]} == {"README.md", "data/unnamed.json"}


def test_another_entry_by_its_name(tmp_path: Path) -> None:
    summary = run(tmp_path, "all.zip", _zip(FILES), entry="talks")
    assert (summary["status"], summary["entry"]) == ("ready", "talks")
    assert _answers(tmp_path) == ["hi"]
    assert summary["mapping"]["columns"]["messages"] == "dialog"


def test_files_that_were_uploaded_beside_it(tmp_path: Path) -> None:
    bare = {Path(name).name: content for name, content in FILES.items()}
    summary = run_several(tmp_path, bare, entry="talks")
    assert (summary["status"], summary["entry"]) == ("ready", "talks")


@pytest.mark.parametrize(
    ("info", "code"),
    [
        ("{oops", "broken_dataset_info"),
        ("[]", "broken_dataset_info"),
        ("{}", "broken_dataset_info"),
        ('{"a": 1}', "no_usable_entry"),
        ('{"a": {"file_name": "x.json"}}', "no_usable_entry"),
        ('{"a": {"file_name": "../../etc/passwd"}}', "no_usable_entry"),
    ],
)
def test_one_that_says_nothing_useful(tmp_path: Path, info: str, code: str) -> None:
    summary = run_several(tmp_path, {"dataset_info.json": info, "a.json": PLAIN})
    assert summary["error"]["code"] == code
    assert summary["error"]["params"]["file"] == "dataset_info.json"
