"""Rows of two versions are paired when they belong together, also where lines do not tell."""

import json
from pathlib import Path
from typing import Any

import httpx

from backend.datasets.reading.difference import difference
from backend.datasets.reading.rows import Version
from tests.backend.datasets.conftest import API, Import
from tests.backend.datasets.preparing.conftest import prepare  # noqa: F401 (a fixture)
from tests.backend.datasets.preparing.made import run, source, talk, version

CONCATENATE = {"kind": "concatenate", "sources": [source()]}
COUNTS = ("added", "removed", "changed", "unchanged")


def compared(before: Path, after: Path, **more: Any) -> tuple[list[int], list[dict[str, Any]]]:
    """The counts, and the pairs of rows that changed."""
    found = difference(Version(before), Version(after), **more)
    return [found[name] for name in COUNTS], [i for i in found["items"] if i["change"] == "changed"]


def question(row: dict[str, Any]) -> str:
    """What the row asks."""
    turns = json.loads(row["record"])["messages"]
    return next(turn["content"] for turn in turns if turn["role"] == "user")


def test_rows_of_two_files_are_not_taken_for_each_other(tmp_path: Path) -> None:
    base = version(tmp_path, [talk(f"Q{n}", f"A{n}") for n in range(20)])
    other = version(tmp_path, [talk(f"R{n}", f"B{n}") for n in range(20)])
    system = {"kind": "map", "changes": [{"kind": "set_system", "text": "Be kind."}]}
    _, both = run(tmp_path, base, [CONCATENATE], sources=[other])
    _, changed = run(tmp_path, base, [CONCATENATE, system], sources=[other])
    numbers, pairs = compared(both, changed)
    assert numbers == [0, 0, 40, 0]
    assert len(pairs) == 40
    assert all(question(pair["before"]) == question(pair["after"]) for pair in pairs)
    # Against what it was made of, the rows that were added are no changes.
    numbers, pairs = compared(base, changed)
    assert numbers == [20, 0, 20, 0]
    assert all(question(pair["before"]) == question(pair["after"]) for pair in pairs)
    assert compared(changed, base)[0] == [0, 20, 20, 0]


def test_a_line_that_two_versions_have_once_says_nothing_when_files_are_mixed(
    tmp_path: Path,
) -> None:
    base = version(tmp_path, [talk("Q", "A"), talk("R", "B")])
    after = version(tmp_path, [talk("X", "Y"), talk("R", "other")])
    assert compared(base, after)[0] == [0, 0, 2, 0]
    numbers, (pair,) = compared(base, after, mixed=True)
    assert (numbers, question(pair["after"])) == ([1, 1, 1, 0], "R")


def test_what_stands_beside_a_row_tells_which_it_was(tmp_path: Path) -> None:
    base = version(tmp_path, [talk("Q", "A"), talk("R", "B")], [{"id": 1}, {"id": 2}])
    after = version(tmp_path, [talk("X", "Y"), talk("Z", "V")], [{"id": 1}, {"id": 9}])
    numbers, (pair,) = compared(base, after, mixed=True)
    assert (numbers, question(pair["before"])) == ([1, 1, 1, 0], "Q")


def test_a_label_that_changed_is_a_change(tmp_path: Path) -> None:
    base = version(tmp_path, [{"text": "T", "label": "a"}, {"text": "U", "label": "b"}])
    after = version(tmp_path, [{"text": "T", "label": "c"}, {"text": "V", "label": "d"}])
    assert compared(base, after, mixed=True)[0] == [1, 1, 1, 0]


async def test_a_version_knows_that_it_has_rows_of_another_data_set(
    upload: Import,
    prepare: Any,  # noqa: F811 (the fixture)
    client: httpx.AsyncClient,
) -> None:
    def lines(kind: str) -> str:
        rows = ({"instruction": f"{kind} {n}", "output": f"{kind} answer {n}"} for n in range(12))
        return "".join(json.dumps(row) + "\n" for row in rows)

    dataset, other = await upload("a.jsonl", lines("One")), await upload("b.jsonl", lines("Two"))
    added = {"kind": "concatenate", "sources": [{"dataset_id": other["id"]}]}
    await prepare(dataset["id"], [added])
    # Only rows of the other one are left, each line once.
    condition = {"field": "text", "op": "contains", "value": "Two"}
    left = {"kind": "filter", "conditions": [condition]}
    made = await prepare(dataset["id"], [left])
    assert (made["version"], made["num_rows"]) == (3, 12)
    answer = await client.get(f"{API}/{dataset['id']}/versions/3/diff", params={"against": 1})
    assert [answer.json()[name] for name in COUNTS] == [12, 12, 0, 0]
    answer = await client.get(f"{API}/{dataset['id']}/versions/1/diff", params={"against": 3})
    assert [answer.json()[name] for name in COUNTS] == [12, 12, 0, 0]
