"""What a file is by its columns: recognised, asked, or refused with the reason."""

import csv
import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.datasets.importing.batch import Batch, convert
from backend.datasets.importing.recognition import FAMILIES, recognise
from backend.datasets.importing.run import import_file
from backend.datasets.rows import RawRow, UnreadableFile
from backend.datasets.versions.packing import MemoryPacker
from tests.backend.datasets.stored import records_of
from tests.backend.datasets.test_formats import ASSISTANT, CHAT, USER, run
from tests.effort import examples
from training_engine.contract.records import Record

GO = {"role": "assistant", "content": "Go"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"prompt": "a", "completion": "b", "chosen": "c", "rejected": "d"}, "prompt_completion"),
        ({"messages": CHAT, "conversations": CHAT, "kto_tag": True}, "openai_messages"),
        ({"messages": [USER], "prompt": "a", "chosen": "b", "rejected": "c"}, "may both be"),
        ({"prompt": "a", "question": "b", "chosen": "c", "rejected": "d"}, "may both be"),
        ({"messages": CHAT, "rejected_response": "b", "kto_tag": True}, "unpaired_preference"),
        ({"input": "a", "text": "b", "label": "c"}, "classification"),
        ({"instruction": "a", "output": "b", "response": "c"}, "more than one column may be the"),
        ({"instruction": "a", "output": "b", "context": "c"}, "“context” may be part"),
        ({"question": "a", "answer": "b", "label": True}, "“label” may be a verdict"),
        ({"instruction": "a", "output": "b", "label": 0}, "“label” may be a verdict"),
        ({"instruction": "a", "output": "b", "id": 2, "parent_id": 1}, "“parent_id”"),
        ({"text": "a", "target": "b"}, "“target” beside “text”"),
        ({"text": "a", "labels": ["b"]}, "“labels” beside “text”"),
        ({"prompt": "a", "gold": "b"}, "prompts without answers"),
        ({"messages": [USER], "gold": "b"}, "prompts without answers"),
        ({"messages": [USER], "solution": "b"}, "prompts without answers"),
    ],
)
def test_two_meanings_are_asked(tmp_path: Path, row: Any, words: str) -> None:
    summary, _ = run(tmp_path, [row] * 3)
    assert summary["status"] == "needs_mapping"
    assert words in summary["detected_because"]
    assert summary["columns"] == list(row)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"prompt": "a"}, "prompts_only"),
        ({"prompt": [USER]}, "prompts_only"),
        ({"messages": [USER], "id": 1}, "prompts_only"),
        ({"conversations": [{"from": "human", "value": "a"}]}, "prompts_only"),
        ({"tokens": ["a", "b"], "tags": ["N", "V"]}, "token_labels"),
        ({"tokens": '["a", "b"]', "ner_tags": "[0, 1]"}, "token_labels"),
    ],
)
def test_what_nothing_learns_from_is_refused(tmp_path: Path, row: Any, code: str) -> None:
    summary, _ = run(tmp_path, [row] * 3)
    assert summary["status"] == "failed"
    assert summary["error"]["code"] == code
    assert summary["error"]["hint"]


def test_the_threads_of_a_file_without_parents_are_pairs(tmp_path: Path) -> None:
    row = {"instruction": "Hi", "output": "Hello", "id": 1, "parent_id": None}
    assert run(tmp_path, [row])[0]["status"] == "ready"


def test_why_it_is_what_it_is(tmp_path: Path) -> None:
    for number, (row, words) in enumerate(
        [
            ({"messages": CHAT}, "the rows have “messages”"),
            ({"prompt": "a", "chosen": "b", "rejected": "c"}, "a chosen and a rejected answer"),
            ({"segments": [{"label": True, "text": "a"}]}, "own template is put around"),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert words in run(folder, [row])[0]["detected_because"]


CELLS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"instruction": "Hi", "input": "", "output": "Hello"}, "alpaca", {"messages": CHAT}),
    ({"prompt": "Hi", "completion": "Hello"}, "prompt_completion", {"messages": CHAT}),
    ({"input": "Hi", "output": "Hello", "reasoning": "Hm", "tags": "a"}, "query_response",
     {"messages": CHAT}),
    ({"messages": CHAT}, "openai_messages", {"messages": CHAT}),
    ({"conversations": CHAT, "system": ""}, "sharegpt", {"messages": CHAT}),
    ({"prompt": "Hi", "chosen": "Hello", "rejected": "Go"}, "preference",
     {"messages": [USER], "chosen": [ASSISTANT], "rejected": [GO]}),
    ({"chosen": CHAT, "rejected": [USER, GO]}, "preference",
     {"messages": [USER], "chosen": [ASSISTANT], "rejected": [GO]}),
    ({"input": {"messages": [USER]}, "preferred_output": [ASSISTANT],
      "non_preferred_output": [GO]}, "openai_preference",
     {"messages": [USER], "chosen": [ASSISTANT], "rejected": [GO]}),
    ({"prompt": "Hi", "completion": "Hello", "label": "true"}, "unpaired_preference",
     {"messages": CHAT, "label": True}),
    ({"messages": CHAT, "label": "0"}, "unpaired_preference", {"messages": CHAT, "label": False}),
    ({"prompt": "Hi", "completions": ["a"], "labels": [True]}, "stepwise_supervision",
     {"messages": [USER, {"role": "assistant", "content": "a"}], "label": [1.0]}),
    ({"text": "Hi", "label": "good"}, "classification", {"text": "Hi", "label": "good"}),
    ({"text": "Hi", "a": "1", "b": "0"}, "label_columns", {"text": "Hi", "label": ["a"]}),
    ({"article": "Hi", "summary": "Hello"}, "summary", {"messages": CHAT}),
]  # fmt: skip


@pytest.mark.parametrize(("row", "name", "record"), CELLS)
def test_the_same_from_a_table(tmp_path: Path, row: Any, name: str, record: Any) -> None:
    """Cells hold lists and objects as JSON."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(row))
    table.writeheader()
    cells = {k: v if isinstance(v, str) else orjson.dumps(v).decode() for k, v in row.items()}
    table.writerows([cells, cells])
    upload, folder = tmp_path / "upload", tmp_path / "out"
    upload.write_text(text.getvalue())
    folder.mkdir()
    summary = import_file(upload, "rows.csv", folder)
    assert (summary["format"], summary["counts"]["kept"]) == (name, 2)
    for found in records_of(folder):
        found.pop("meta")
        assert found == record


NAMES = st.sampled_from(
    [
        *("messages", "conversations", "conversation", "prompt", "completion", "instruction"),
        *("input", "output", "response", "question", "answer", "answers", "text", "label"),
        *("labels", "completions", "chosen", "rejected", "rejected_response", "kto_tag", "tools"),
        *("rejected_messages", "preferred_output", "non_preferred_output", "contents", "segments"),
        *("system", "history", "functions", "images", "image", "tokens", "tags", "parent_id"),
        *("context", "article", "summary", "generation", "chosen_response", "x", "rejected_text"),
    ]
)
INNER = st.sampled_from(
    [
        *("role", "content", "from", "value", "human", "assistant", "type", "text", "name"),
        *("tool_calls", "function", "arguments", "input", "id", "tool_use_id", "rank", "answer"),
        *("score", "completion", "parts", "messages", "label", "train", "weight", "input_schema"),
    ]
)
LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [
            *("user", "assistant", "system", "tool", "function_call", "human", "text", "tool_use"),
            *("tool_result", "Hi", "", " ", "good", "[", "[]", "[1]", '{"a": 1, "a": 2}', "{}"),
            *('[{"role": "user", "content": "Hi"}]', '{"name": "look"}', "<image>", "\ud800"),
            *("\n\nHuman: a\n\nAssistant: b", "<s>", "1"),
        ]
    ),
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER, inner, max_size=4),
    max_leaves=12,
)
TURNS = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "tool", "system"]), "content": VALUE}
    ),
    max_size=3,
)
ROW = st.dictionaries(NAMES, st.one_of(LEAF, VALUE, TURNS), min_size=1, max_size=5)


@given(st.lists(ROW, min_size=1, max_size=4))
@example([{"prompt": 0, "completion": "\ud800"}])
@examples(400)
def test_no_row_breaks_an_importer_and_each_is_counted(rows: list[Any]) -> None:
    """Whatever rows look like, and whichever family they are taken for."""
    with suppress(UnreadableFile):
        assert recognise(rows).because
    raw = [RawRow(n, 0, b"", row) for n, row in enumerate(rows, 1)]
    for family in FAMILIES:
        packer = MemoryPacker()
        batch = Batch(packer)
        convert(raw, family, batch)
        counts = batch.found
        assert counts.kept + counts.repaired + counts.dropped == len(rows)
        assert packer.num_rows == counts.kept + counts.repaired
        for content in packer.table()["record"].to_pylist():
            record = Record.model_validate_json(content)
            assert record.text or record.messages
