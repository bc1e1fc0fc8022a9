"""What a person says of the columns makes every kind of record, or is told what is wrong."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from backend.datasets.importers.mapped import PARTS, wrong_mapping
from backend.datasets.schemas import Mapping
from tests.backend.datasets.conftest import API, Import
from tests.backend.datasets.test_formats import ASSISTANT, CHAT, USER, run
from training_engine.contract.names import RecordType

GO = {"role": "assistant", "content": "Go"}
SYSTEM = {"role": "system", "content": "Be kind"}
PAIR = {"messages": [USER], "chosen": [ASSISTANT], "rejected": [GO]}
TAGS = {"role": "who", "content": "said", "user": "Q", "assistant": "A", "observation": "R"}
TAGGED = [{"who": "Q", "said": "Hi"}, {"who": "A", "said": "Hello"}]


def mapping(record_type: str, columns: dict[str, str], **more: Any) -> dict[str, Any]:
    """As the API hands it to the import."""
    given = {"record_type": record_type, "columns": columns, **more}
    return Mapping.model_validate(given).model_dump(mode="json")


@pytest.mark.parametrize(
    ("record_type", "columns", "more", "row", "record"),
    [
        ("conversational", {"messages": "m"}, {}, {"m": CHAT}, {"messages": CHAT}),
        ("conversational", {"messages": "m"}, {"tags": TAGS}, {"m": TAGGED}, {"messages": CHAT}),
        ("conversational", {"messages": "m"}, {"tags": {"user": "kunde", "assistant": "wir"}},
         {"m": [{"from": "kunde", "value": "Hi"}, {"from": "wir", "value": "Hello"}]},
         {"messages": CHAT}),
        ("conversational", {"messages": "m"}, {"tags": {"user": "assistant", "assistant": "user"}},
         {"m": [{"role": "assistant", "content": "Hi"}, {"role": "user", "content": "Hello"}]},
         {"messages": CHAT}),
        ("conversational", {"messages": "m", "system": "s", "tools": "t"}, {},
         {"m": CHAT, "s": "Be kind", "t": [{"name": "now"}]},
         {"messages": [SYSTEM, *CHAT], "tools": [{"name": "now"}]}),
        ("prompt_completion", {"prompt": "q", "completion": "a", "history": "h"},
         {"system_text": "Be kind"}, {"q": "Hi", "a": "Hello", "h": [["Hi", "Hello"]]},
         {"messages": [SYSTEM, *CHAT, *CHAT]}),
        ("prompt_completion", {"prompt": "m", "completion": "solution"}, {},
         {"m": [USER], "solution": "Hello"}, {"messages": CHAT}),
        ("preference", {"prompt": "q", "chosen": "b", "rejected": "w"}, {},
         {"q": "Hi", "b": "Hello", "w": "Go"}, PAIR),
        ("preference", {"messages": "m", "chosen": "b", "rejected": "w"}, {"tags": TAGS},
         {"m": TAGGED[:1], "b": TAGGED[1], "w": {"who": "A", "said": "Go"}}, PAIR),
        ("preference", {"chosen": "b", "rejected": "w"}, {"system_text": "Be kind"},
         {"b": CHAT, "w": [USER, GO]}, {**PAIR, "messages": [SYSTEM, USER]}),
        ("unpaired_preference", {"prompt": "q", "completion": "a", "label": "l"}, {},
         {"q": "Hi", "a": "Hello", "l": "thumbs up"}, {"messages": CHAT, "label": True}),
        ("unpaired_preference", {"messages": "m", "label": "l"}, {"label_true": "Gut"},
         {"m": CHAT, "l": "gut "}, {"messages": CHAT, "label": True}),
        ("unpaired_preference", {"messages": "m", "label": "l"}, {"label_true": "5"},
         {"m": CHAT, "l": 4}, {"messages": CHAT, "label": False}),
        ("stepwise_supervision", {"prompt": "q", "completions": "s", "labels": "l"},
         {"label_true": "+"}, {"q": "Hi", "s": ["Hello", "Go"], "l": ["+", "-"]},
         {"messages": [USER, ASSISTANT, GO], "label": [1.0, 0.0]}),
        ("classification", {"text": "t", "label": "l"}, {}, {"t": "Hi", "l": 3},
         {"text": "Hi", "label": 3}),
        ("classification", {"messages": "m", "label": "l"}, {}, {"m": [USER], "l": [0.5]},
         {"text": "Hi", "label": [0.5]}),
        ("classification", {"text": "t"}, {"label_columns": ["b", "a", "c"]},
         {"t": "Hi", "a": 1, "b": "1", "c": False}, {"text": "Hi", "label": ["b", "a"]}),
        ("classification", {"messages": "m"}, {"label_columns": ["a", "b"]},
         {"m": [USER], "a": "false", "b": 0.0}, {"text": "Hi", "label": []}),
        ("language_modeling", {"text": "t"}, {}, {"t": "Once"}, {"text": "Once"}),
    ],
)  # fmt: skip
def test_every_kind_of_record(
    tmp_path: Path, record_type: str, columns: Any, more: Any, row: Any, record: Any
) -> None:
    given = mapping(record_type, columns, **more)
    assert wrong_mapping(given) is None
    summary, records = run(tmp_path, [row, row], mapping=given)
    assert (summary["status"], summary["record_type"]) == ("ready", record_type)
    assert summary["counts"]["kept"] == 2
    assert records == [record, record]


LABELLED = {"text": "sentence", "label": "category"}
JUDGED = {"prompt": "q", "completion": "a", "label": "stars"}
STEPS = {"prompt": "q", "completions": "s", "labels": "l"}


@pytest.mark.parametrize(
    ("record_type", "columns", "more", "table", "labels"),
    [
        ("classification", LABELLED, {}, "sentence,category\nHi,good\nGo,bad\n", ["good", "bad"]),
        # The engine reads numbers that stand as texts; a table has nothing else.
        ("classification", LABELLED, {}, "sentence,category\nHi,4.5\nGo,-2\n", ["4.5", "-2"]),
        ("classification", LABELLED, {},
         'sentence,category\nHi,"[""a"", ""b""]"\nGo,[]\n', [["a", "b"], []]),
        ("classification", LABELLED, {},
         'sentence,category\nHi,[a]\nGo,"{""a"": 1}"\n', ["[a]", '{"a": 1}']),
        ("classification", {"text": "comment"}, {"label_columns": ["toxic", "threat"]},
         "id,comment,toxic,threat\n1,Hi,0,1\n2,Go,True,1.0\n3,So, 0,False\n",
         [["threat"], ["toxic", "threat"], []]),
        ("unpaired_preference", JUDGED, {}, "q,a,stars\nHi,Hello,1\nHi,Go,0\n", [True, False]),
        ("unpaired_preference", JUDGED, {"label_true": "5"},
         "q,a,stars\nHi,Hello,5\nHi,Go,4\n", [True, False]),
        ("stepwise_supervision", STEPS, {},
         'q,s,l\nHi,"[""One"", ""Two""]","[true, false]"\n', [[1.0, 0.0]]),
        ("preference", {"prompt": "q", "chosen": "w", "rejected": "l"}, {},
         "q,w,l\nHi,Hello,Go\n", [None]),
    ],
)  # fmt: skip
async def test_columns_of_a_table_become_labels(
    client: httpx.AsyncClient,
    upload: Import,
    record_type: str,
    columns: Any,
    more: Any,
    table: str,
    labels: list[Any],
) -> None:
    given = {"record_type": record_type, "columns": columns, **more}
    dataset = await upload("a.csv", table, mapping=orjson.dumps(given).decode())
    assert (dataset["status"], dataset["record_type"]) == ("ready", record_type), dataset["error"]
    rows = (await client.get(f"{API}/{dataset['id']}/rows")).json()["items"]
    assert [row["record"].get("label") for row in rows] == labels


def test_every_type_has_parts() -> None:
    assert set(PARTS) == set(RecordType)


@pytest.mark.parametrize(
    ("record_type", "columns", "more", "words"),
    [
        ("preference", {"prompt": "x"}, {}, "needs a column for: chosen, rejected"),
        ("preference", {"prompt": "x", "messages": "y", "chosen": "a", "rejected": "b"}, {},
         "either prompt or messages"),
        ("unpaired_preference", {"label": "x"}, {}, "prompt and completion (or messages"),
        ("unpaired_preference", {"label": "x", "prompt": "y"}, {}, "prompt and completion (or"),
        ("unpaired_preference", {"label": "x", "prompt": "y", "completion": "a", "messages": "b"},
         {}, "not both"),
        ("classification", {"label": "x"}, {}, "text (or messages"),
        ("stepwise_supervision", {"prompt": "x", "completions": "y"}, {}, "labels"),
        ("language_modeling", {"text": "x", "label": "y"}, {}, "has no: label"),
        ("conversational", {"messages": "x", "prompt": "y"}, {}, "has no: prompt"),
        ("preference", {"chosen": "x", "rejected": "y", "input": "a"}, {}, "beside a prompt"),
        ("prompt_completion", {"prompt": "x", "completion": "x"}, {}, "two parts"),
        ("prompt_completion", {"prompt": "x", "completion": "y"}, {"label_true": "1"}, "no label"),
        ("classification", {"text": "x", "label": "y"}, {"label_true": "1"}, "not for classes"),
        ("conversational", {"messages": "x"}, {"tags": {"user": "a", "assistant": "a"}},
         "two roles"),
        ("classification", {"text": "x"}, {}, "needs a column for: label"),
        ("classification", {}, {"label_columns": ["a"]}, "text (or messages"),
        ("classification", {"text": "x", "label": "y"}, {"label_columns": ["a"]}, "not both"),
        ("classification", {"text": "x"}, {"label_columns": ["a", "a"]}, "two parts"),
        ("classification", {"text": "x"}, {"label_columns": ["x", "a"]}, "two parts"),
        ("language_modeling", {"text": "x"}, {"label_columns": ["a"]}, "no classes"),
        ("unpaired_preference", {"messages": "x"}, {"label_columns": ["a"]}, "no classes"),
        ("conversational", {"messages": "x"}, {"tags": {"role": "a", "content": "a"}}, "one key"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(record_type: str, columns: Any, more: Any, words: str) -> None:
    assert words in (wrong_mapping(mapping(record_type, columns, **more)) or "")


async def test_it_is_said_before_the_file_is_read(
    client: httpx.AsyncClient, upload: Import
) -> None:
    dataset = await upload("a.jsonl", '{"x": "1", "y": "2"}\n')
    given = {"record_type": "preference", "columns": {"chosen": "x", "rejected": "x"}}
    answer = await client.patch(f"{API}/{dataset['id']}", json={"mapping": given})
    assert (answer.status_code, answer.json()["code"]) == (400, "BadMapping")
    assert "two parts" in answer.json()["params"]["reason"]


async def test_a_mapping_with_tags_goes_the_whole_way(
    client: httpx.AsyncClient, upload: Import
) -> None:
    given = {
        "record_type": "unpaired_preference",
        "columns": {"messages": "m", "label": "ok"},
        "tags": TAGS,
        "label_true": "ja",
    }
    rows = b"".join(
        orjson.dumps({"m": TAGGED, "ok": ok}) + b"\n" for ok in ("ja", "nein", "", None)
    )
    dataset = await upload("a.jsonl", rows, mapping=orjson.dumps(given).decode())
    assert dataset["counts"] == {"kept": 2, "repaired": 0, "truncated": 0, "dropped": 2}
    assert dataset["mapping"]["tags"]["user"] == "Q"
    assert dataset["mapping"]["label_true"] == "ja"
    # Two rows say nothing of the answer, which the user may allow.
    assert dataset["status"] == "blocked"


async def test_classes_in_columns_of_their_own_go_the_whole_way(
    client: httpx.AsyncClient, upload: Import
) -> None:
    dataset = await upload("a.csv", "comment,toxic,threat\nHi,0,1\nGo,1,0\nSo,2,0\nNo,,0\n")
    assert dataset["status"] == "needs_mapping"
    given = {"record_type": "classification", "columns": {"text": "comment"}}
    place = f"{API}/{dataset['id']}"
    for classes, words in ((["toxic", "obscene"], "no column “obscene”"), ([], None)):
        body = {"mapping": {**given, "label_columns": classes}}
        answer = await client.patch(place, json=body)
        assert answer.status_code == (400 if words else 422)
        assert words is None or words in answer.json()["params"]["reason"]
    mapped = orjson.dumps({**given, "label_columns": ["toxic", "threat"]}).decode()
    again = await upload(
        "b.csv", "comment,toxic,threat\nHi,0,1\nGo,1,0\nSo,2,0\nNo,,0\n", mapping=mapped
    )
    assert again["counts"] == {"kept": 2, "repaired": 0, "truncated": 0, "dropped": 2}
    report = (await client.get(f"{API}/{again['id']}/report")).json()["items"]
    assert [(each["line"], each["field"], each["rule"]) for each in report] == [
        (4, "toxic", "missing_label"),
        (5, "toxic", "missing_label"),
    ]


async def test_unknown_tags_are_refused(client: httpx.AsyncClient, upload: Import) -> None:
    dataset = await upload("a.jsonl", '{"x": "1"}\n')
    given = {"record_type": "conversational", "columns": {"messages": "x"}, "tags": {"bot": "a"}}
    answer = await client.patch(f"{API}/{dataset['id']}", json={"mapping": given})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].endswith("/tags/bot")


def test_an_input_that_no_row_has_may_be_named_as_usual(tmp_path: Path) -> None:
    given = mapping("prompt_completion", {"prompt": "q", "input": "input", "completion": "a"})
    summary, records = run(tmp_path, [{"q": "Hi", "a": "Hello"}], mapping=given)
    assert (summary["status"], records) == ("ready", [{"messages": CHAT}])
