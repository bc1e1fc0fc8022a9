"""Changes of rows: what each makes of a record, and what becomes of one that can not be used."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.datasets.preparing.record_types import DoesNotFit
from tests.backend.datasets.preparing.made import Row, rows_of, run, talk, version

FREE = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
WORDS = st.text("abc \té好\n\\1", min_size=1, max_size=12).filter(lambda text: not text.isspace())
PAIR = {
    "messages": [{"role": "user", "content": "Q"}],
    "chosen": [{"role": "assistant", "content": "good"}],
    "rejected": [{"role": "assistant", "content": "bad"}],
}


def one(
    folder: Path,
    record: Row,
    *changes: Row,
    record_type: str = "conversational",
    extra: Row | None = None,
) -> Row:
    """What the changes make of one row, beside another that keeps the version from being empty."""
    base = version(folder, [record], [extra or {}])
    _, out = run(folder, base, [{"kind": "map", "changes": list(changes)}], record_type)
    (row,) = rows_of(out)
    return row


def turns(row: Row) -> list[tuple[str, str]]:
    return [(m["role"], m["content"]) for m in row["record"]["messages"]]


@pytest.mark.parametrize(
    ("record", "change", "wanted"),
    [
        (talk("Q", "A"), {"kind": "set_system", "text": "S"}, talk("Q", "A", "S")),
        (talk("Q", "A", "Old"), {"kind": "set_system", "text": "S"}, talk("Q", "A", "Old")),
        (
            talk("Q", "A", "Old"),
            {"kind": "set_system", "text": "S", "when": "always"},
            talk("Q", "A", "S"),
        ),
        (talk("Q", "A", "Old"), {"kind": "remove_system"}, talk("Q", "A")),
        (talk(" Q ", "A\n"), {"kind": "trim"}, talk("Q", "A")),
        (talk("a \t b", "A  A\n\nB"), {"kind": "collapse_spaces"}, talk("a b", "A A\n\nB")),
        (
            {"messages": talk("1", "2", "S")["messages"] + talk("3", "4")["messages"]},
            {"kind": "keep_last_turns", "turns": 3},
            talk("3", "4", "S"),
        ),
    ],
)
def test_a_conversation_is_changed(folder: Path, record: Row, change: Row, wanted: Row) -> None:
    assert one(folder, record, change)["record"] == wanted


@FREE
@given(question=WORDS, answer=WORDS, find=WORDS, put=WORDS, regex=st.booleans())
def test_replacing_is_that_of_python(
    folder: Path, question: str, answer: str, find: str, put: str, regex: bool
) -> None:
    pattern = "[" + "".join(re.escape(c) for c in dict.fromkeys(find)) + "]+"
    change = {"kind": "replace", "in": "answer", "find": find, "with": put}
    wanted = answer.replace(find, put)
    if regex:
        put = put.replace("\\", "")
        change |= {"find": pattern, "with": f"{put}\\0", "regex": True}
        wanted = re.sub(pattern, lambda m: put + m.group(), answer)
    row = one(folder, talk(question, answer), change)
    assert turns(row) == [("user", question), ("assistant", wanted)]


def test_rows_that_no_change_touches_keep_their_bytes(folder: Path) -> None:
    records = [{"text": "é", "label": 1.0}, {"text": "b", "label": 10**18}]
    base = version(folder, records, [{"z": 1, "a": 1e22}, {}])
    change = {"kind": "replace", "find": "b", "with": "c"}
    _, out = run(folder, base, [{"kind": "map", "changes": [change]}], "classification")
    before, after = rows_of(base), rows_of(out)
    assert before[0] == after[0]
    assert after[1]["record"] == {"text": "c", "label": 10**18}


@pytest.mark.parametrize(
    ("record_type", "record", "extra", "change", "wanted"),
    [
        (
            "classification",
            {"text": "T", "label": 1},
            {},
            {"kind": "rename_label", "from": "1", "to": "one"},
            {"text": "T", "label": "one"},
        ),
        (
            "classification",
            {"text": "T", "label": ["a", "b"]},
            {},
            {"kind": "rename_label", "from": "a", "to": "c"},
            {"text": "T", "label": ["c", "b"]},
        ),
        (
            "language_modeling",
            {"text": "T"},
            {"kind": "spam"},
            {"kind": "label_from_extra", "column": "kind"},
            {"text": "T", "label": "spam"},
        ),
        (
            "conversational",
            talk("Q", "A"),
            {"ok": "thumbs up"},
            {"kind": "label_from_extra", "column": "ok"},
            {**talk("Q", "A"), "label": True},
        ),
        (
            "conversational",
            talk("Q", "A", "S"),
            {},
            {"kind": "to_text", "role_names": True, "separator": "\n"},
            {"text": "System: S\nUser: Q\nAssistant: A"},
        ),
        (
            "classification",
            {"text": "T", "label": "x"},
            {"lang": "en"},
            {
                "kind": "to_conversation",
                "prompt": "{extra.lang}: {text}? {unknown}{0.__class__}",
                "answer": "{label}",
            },
            talk("en: T? {unknown}{0.__class__}", "x"),
        ),
        (
            "prompt_completion",
            talk("Q", " yes "),
            {},
            {"kind": "to_classification"},
            {"text": "Q", "label": "yes"},
        ),
        ("preference", PAIR, {}, {"kind": "to_prompt_completion"}, talk("Q", "good")),
        (
            "unpaired_preference",
            {**talk("Q", "A"), "label": True},
            {},
            {"kind": "to_conversational"},
            talk("Q", "A"),
        ),
        (
            "preference",
            PAIR,
            {},
            {"kind": "replace", "in": "answer", "find": "good", "with": "best"},
            {**PAIR, "chosen": [{"role": "assistant", "content": "best"}]},
        ),
    ],
)
def test_records_of_other_types(
    folder: Path, record_type: str, record: Row, extra: Row, change: Row, wanted: Row
) -> None:
    row = one(folder, record, change, record_type=record_type, extra=extra)
    assert orjson.dumps(row["record"]) == orjson.dumps(wanted)


def test_columns_go_and_become_system_messages(folder: Path) -> None:
    extra = {"persona": "Kind", "id": 5, "x": [1]}
    changes = [
        {"kind": "system_from_extra", "column": "persona"},
        {"kind": "drop_extra", "columns": ["x", "none"]},
    ]
    row = one(folder, talk("Q", "A", "Old"), *changes, extra=extra)
    assert row["record"] == talk("Q", "A", "Kind")
    assert row["extra"] == {"id": 5}
    assert one(folder, talk("Q", "A"), {"kind": "drop_extra"}, extra=extra)["extra"] == {}


def test_a_row_that_can_not_be_used_is_dropped_and_named(folder: Path) -> None:
    base = version(folder, [talk("Q", "gone"), talk("Q", "stays"), talk("gone Q", "gone!")])
    change = {"kind": "replace", "in": "answer", "find": "gone", "with": ""}
    summary, out = run(folder, base, [{"kind": "map", "changes": [change]}])
    assert [turns(row)[1][1] for row in rows_of(out)] == ["stays", "!"]
    assert summary["counts"] == {"kept": 2, "repaired": 0, "truncated": 0, "dropped": 1}
    assert summary["rules"] == {"missing_answer": 1}
    assert summary["status"] == "blocked"  # nobody has said that a row may be lost
    assert summary["steps"][0].items() >= {"rows_in": 3, "rows_out": 2, "dropped": 1}.items()
    (item,) = map(orjson.loads, (out / "report.jsonl").read_bytes().splitlines())
    assert (item["line"], item["action"], item["rule"]) == (1, "dropped", "missing_answer")
    assert item["message"]


def test_a_row_that_needs_a_repair_is_counted_as_repaired(folder: Path) -> None:
    base = version(folder, [talk("Q", "A", "gone"), talk("Q", "A")])
    change = {"kind": "replace", "in": "system", "find": "gone", "with": ""}
    summary, out = run(folder, base, [{"kind": "map", "changes": [change]}])
    assert [row["record"] for row in rows_of(out)] == [talk("Q", "A")] * 2
    assert summary["counts"] == {"kept": 1, "repaired": 1, "truncated": 0, "dropped": 0}
    assert summary["rules"] == {"empty_system_removed": 1}


def test_bad_answers_are_left_out_without_being_lost(folder: Path) -> None:
    records = [{**talk(f"Q{n}", "A"), "label": n != 1} for n in range(3)]
    base = version(folder, records)
    step = {"kind": "map", "changes": [{"kind": "to_prompt_completion"}]}
    summary, out = run(folder, base, [step], "unpaired_preference")
    assert [turns(row)[0][1] for row in rows_of(out)] == ["Q0", "Q2"]
    assert (summary["status"], summary["record_type"]) == ("ready", "prompt_completion")
    assert summary["counts"]["dropped"] == 0


def test_tools_are_never_lost_in_a_text(folder: Path) -> None:
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}
    asked = {"role": "user", "content": "Q"}
    records = [{"messages": [asked, call]}, talk("Q", "A")]
    base = version(folder, records)
    summary, _ = run(folder, base, [{"kind": "map", "changes": [{"kind": "to_text"}]}])
    assert summary["rules"] == {"tools_have_no_text": 1}


@pytest.mark.parametrize(
    ("record_type", "change"),
    [
        ("language_modeling", {"kind": "set_system", "text": "S"}),
        ("conversational", {"kind": "rename_label", "from": "a", "to": "b"}),
        ("preference", {"kind": "to_text"}),
        ("classification", {"kind": "to_conversational"}),
        ("stepwise_supervision", {"kind": "keep_last_turns", "turns": 1}),
    ],
)
def test_a_change_that_does_not_fit_is_refused(
    folder: Path, record_type: str, change: dict[str, Any]
) -> None:
    base = version(folder, [talk("Q", "A")])
    with pytest.raises(DoesNotFit):
        run(folder, base, [{"kind": "map", "changes": [change]}], record_type)


def test_conversion_and_back(folder: Path) -> None:
    records = [{"text": f"T{n}", "label": f"L{n % 3}"} for n in range(9)]
    base = version(folder, records)
    changes = [{"kind": "to_conversation"}, {"kind": "to_classification"}]
    summary, out = run(folder, base, [{"kind": "map", "changes": changes}], "classification")
    assert [row["record"] for row in rows_of(out)] == records
    assert summary["record_type"] == "classification"
