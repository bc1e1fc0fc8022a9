"""What is exported is imported as the same records, for every type and form that can hold it."""

import itertools
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.datasets.reading import frames
from backend.processes.spawn import environment, python_module
from tests.backend.datasets.exporting.conftest import Row, imported
from tests.backend.datasets.preparing.made import talk, version
from tests.effort import examples

FREE = examples(15)
_numbers = itertools.count()
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"b": 1, "a": [2.5, None]}}}
CALL = {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
WITH_TOOLS = {
    "messages": [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "content": "3"},
        {"role": "assistant", "content": "Three"},
    ],
    "tools": [TOOL],
}
WITH_IDS = {
    "messages": [
        {"role": "user", "content": "Q"},
        {
            "role": "assistant",
            "content": "Wait",
            "tool_calls": [{"id": "c1", **CALL}],
            "train": False,
        },
        {"role": "tool", "content": "3", "name": "f", "tool_call_id": "c1"},
        {"role": "assistant", "content": "Three", "train": True},
    ]
}
LONG = {"messages": [*talk("1", "2", "S")["messages"], *talk("3", "4")["messages"]]}
PAIR = {
    "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "Q\n\n“é”"}],
    "chosen": [{"role": "assistant", "content": "好"}],
    "rejected": [{"role": "assistant", "content": 'bad, "worse"'}],
}
LONG_PAIR = {
    "messages": talk("1", "2")["messages"] + [{"role": "user", "content": "3"}],
    "chosen": [{"role": "assistant", "content": "4"}],
    "rejected": [{"role": "assistant", "content": "5"}],
}
STEPS = {
    "messages": [
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": "1"},
        {"role": "assistant", "content": "2"},
    ],
    "label": [1.0, 0.0],
}


def export(
    folder: Path, records: list[Row], record_type: str, form: str, **more: Any
) -> tuple[Row, bytes]:
    """What the child answers, and the file that it writes."""
    base = version(folder, records, more.pop("extras", None))
    request = {"folder": str(base), "record_type": record_type, "format": form, "split": None}
    child = subprocess.run(
        python_module("backend.datasets.exporting.child"),
        input=orjson.dumps({**request, **more}),
        stdout=subprocess.PIPE,
        env=environment(),
        check=True,
    )
    length = int.from_bytes(child.stdout[: frames.LENGTH_BYTES], "big") + frames.LENGTH_BYTES
    verdict = orjson.loads(child.stdout[frames.LENGTH_BYTES : length])
    return verdict, child.stdout[length:]


def back(folder: Path, content: bytes, form: str) -> tuple[str, list[Row]]:
    """The record type and the records that an import makes of an exported file."""
    number = next(_numbers)
    if form == "parquet":
        file = folder / f"{number}.parquet"
        file.write_bytes(content)
        rows = [
            {key: value for key, value in row.items() if value is not None}
            for row in pq.read_table(file).to_pylist()
        ]
        for row in rows:
            for turns in (row.get(name, ()) for name in ("messages", "chosen", "rejected")):
                for turn in turns:
                    if turn["tool_calls"] is not None:
                        turn["tool_calls"] = orjson.loads(turn["tool_calls"])
        content = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    suffix = "csv" if form == "csv" else "jsonl"
    summary, found = imported(folder, f"{number}.{suffix}", content)
    assert summary["status"] == "ready", summary
    return summary["record_type"], [row["record"] for row in found]


CHAT, PC, PREF = "conversational", "prompt_completion", "preference"
KTO, TEXT, LABEL = "unpaired_preference", "language_modeling", "classification"
TEXTS = [{"text": "Once\n\nupon “é”"}, {"text": '  a\ttime, "好"'}]
LABELS = [{"text": "T", "label": "a"}, {"text": "U", "label": "b"}]
JUDGED = [{**talk("Q", "A"), "label": True}, {**talk("R", "B"), "label": False}]
TALKS = [talk("Q", "A", "S"), talk('“é”, "好"\n', " A\n\nB ")]
CAN: list[tuple[str, list[Row], list[str]]] = [
    (PC, TALKS, ["openai", "sharegpt", "alpaca", "csv", "parquet"]),
    (CHAT, [LONG, *TALKS], ["openai", "sharegpt", "alpaca", "parquet"]),
    (CHAT, [WITH_TOOLS, LONG], ["openai", "sharegpt", "parquet"]),
    (CHAT, [WITH_IDS, LONG], ["openai", "parquet"]),
    (PREF, [PAIR], ["openai", "sharegpt", "alpaca", "csv", "parquet"]),
    (PREF, [PAIR, LONG_PAIR], ["openai", "sharegpt", "parquet"]),
    (KTO, JUDGED, ["openai", "sharegpt", "csv", "parquet"]),
    (TEXT, TEXTS, ["csv", "parquet"]),
    (LABEL, LABELS, ["csv", "parquet"]),
    (LABEL, [{"text": "T", "label": 1}, {"text": "U", "label": 2}], ["parquet"]),
    (LABEL, [{"text": "T", "label": 1.5}, {"text": "U", "label": 2.0}], ["parquet"]),
    (LABEL, [{"text": "T", "label": ["a"]}, {"text": "U", "label": []}], ["parquet"]),
    (LABEL, [{"text": "T", "label": [1.0, 0.5]}], ["parquet"]),
]
CASES = [(kind, records, form) for kind, records, forms in CAN for form in forms]


@pytest.mark.parametrize(("record_type", "records", "form"), CASES)
def test_records_come_back(folder: Path, record_type: str, records: list[Row], form: str) -> None:
    verdict, content = export(folder, records, record_type, form)
    assert verdict.keys() == {"known"}
    kind, found = back(folder, content, form)
    assert [orjson.dumps(record) for record in found] == [orjson.dumps(r) for r in records]
    # OpenAI's and Alpaca's rows do not say whether a single question is all that there may be.
    assert kind == record_type or {kind, record_type} == {CHAT, PC}


@pytest.mark.parametrize(
    ("record_type", "record", "form", "reason"),
    [
        (CHAT, WITH_TOOLS, "alpaca", "tools have no place here"),
        (CHAT, WITH_TOOLS, "csv", "tools have no place here"),
        (CHAT, WITH_IDS, "alpaca", "do not alternate"),
        (CHAT, WITH_IDS, "sharegpt", "tool calls"),
        (CHAT, LONG, "csv", "one question and one answer"),
        (PREF, LONG_PAIR, "alpaca", "one question"),
        (LABEL, {"text": "T", "label": ["a"]}, "csv", "several labels"),
        (LABEL, {"text": "T", "label": 1}, "openai", "a text has no turns"),
        (TEXT, {"text": "T"}, "sharegpt", "a text has no turns"),
        (TEXT, {"text": "T"}, "alpaca", "a text has no turns"),
        ("stepwise_supervision", STEPS, "openai", "single steps"),
        ("stepwise_supervision", STEPS, "csv", "single steps"),
        (LABEL, {"text": "T", "label": 2}, "parquet", "whole number"),
    ],
)
def test_what_a_form_has_no_place_for_is_refused_with_its_lines(
    folder: Path, record_type: str, record: Row, form: str, reason: str
) -> None:
    good = {CHAT: talk("Q", "A"), PREF: PAIR, LABEL: {"text": "T", "label": "a"}}
    fits = form in ("csv", "parquet") or record_type in (CHAT, PREF)
    first = good.get(record_type, record) if fits else record
    verdict, content = export(folder, [first, *[record] * 7], record_type, form)
    refused = verdict["refused"]
    assert content == b""
    count = 7 if first != record else 8
    assert refused["count"] == count
    rows = range(9 - count, 14 - count)
    assert refused["rows"] == ", ".join(map(str, rows))
    assert refused["reason_count"] == count
    assert reason in refused["reason"]


def test_json_lines_are_what_is_stored(folder: Path) -> None:
    records = [STEPS, STEPS]
    extras = [{"id": 1}, {}]
    _, content = export(folder, records, "stepwise_supervision", "jsonl", extras=extras)
    found = [orjson.loads(line) for line in content.splitlines()]
    assert found == [
        {**STEPS, "meta": {"line": 1, "extra": {"id": 1}}},
        {**STEPS, "meta": {"line": 2}},
    ]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize("verdicts", [[1.0, 0.0], [0.0]])
def test_judged_steps_come_back_as_judged_steps(
    folder: Path, form: str, verdicts: list[float]
) -> None:
    """And not as one answer into which the wrong steps were merged, too."""
    steps = [{"role": "assistant", "content": f"step {n}"} for n in range(len(verdicts))]
    question = [{"role": "system", "content": "S"}, {"role": "user", "content": "Q"}]
    records = [{"messages": [*question, *steps], "label": verdicts}] * 3
    _, content = export(folder, records, "stepwise_supervision", form)
    summary, found = imported(folder, f"steps{len(verdicts)}.{form}", content)
    assert (summary["record_type"], summary["rules"]) == ("stepwise_supervision", {})
    assert [row["record"] for row in found] == records


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_runs_nothing(folder: Path, start: str) -> None:
    records = [{"text": f"{start}cmd|' /C calc'!A0"}, {"text": f"a{start}"}]
    _, content = export(folder, records, TEXT, "csv")
    _, found = back(folder, content, "csv")
    assert found[0]["text"] == f"'{records[0]['text']}"
    assert found[1]["text"] == records[1]["text"]


WORDS = st.text(min_size=1, max_size=20).filter(
    lambda text: not text.isspace() and text[0] not in "=+-@\t\r"
)


@FREE
@given(
    st.lists(st.builds(talk, WORDS, WORDS, st.none() | WORDS), min_size=1, max_size=10),
    st.sampled_from(["openai", "sharegpt", "alpaca", "csv", "parquet"]),
)
def test_any_text_comes_back(folder: Path, records: list[Row], form: str) -> None:
    verdict, content = export(folder, records, PC, form)
    assert verdict.keys() == {"known"}
    _, found = back(folder, content, form)
    assert found == records
