"""What a turn says of being learnt, and texts without a class, as they are imported."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.backend.datasets.test_formats import ASSISTANT, CALL, USER, run


@pytest.mark.parametrize("switch", [{"weight": 1}, {"loss": True}, {"train": 0.0}])
def test_a_turn_says_whether_it_is_learnt(tmp_path: Path, switch: dict[str, Any]) -> None:
    """A turn of nothing but calls, too; that a question is not learnt is no news."""
    called = {"role": "function_call", "content": '{"name": "now", "arguments": {"zone": "UTC"}}'}
    turns = [{**USER, "train": False}, {**called, **switch}, {**ASSISTANT, **switch}]
    summary, records = run(tmp_path, [{"messages": turns}])
    assert summary["counts"]["kept"] == 1
    learnt = {"train": all(switch.values())}
    kept = [{**USER, "train": False}, {**CALL, **learnt}, {**ASSISTANT, **learnt}]
    assert records == [{"messages": kept}]


@pytest.mark.parametrize(
    ("turn", "rule", "field", "words"),
    [
        ({**ASSISTANT, "weight": 0.3}, "weight_as_switch", "weight", "0.3 became 1"),
        ({**USER, "train": True}, "ignored_field", "train", "only turns of the assistant"),
        ({**ASSISTANT, "loss": "no"}, "ignored_field", "loss", "neither true or false"),
        (
            {**ASSISTANT, "train": False, "weight": 0.5},
            "ignored_field",
            "weight",
            "says the opposite",
        ),
    ],
)
def test_what_can_not_be_kept_of_it_is_told(
    tmp_path: Path, turn: dict[str, Any], rule: str, field: str, words: str
) -> None:
    turns = [USER, turn] if turn["role"] == "assistant" else [turn, ASSISTANT]
    summary, _ = run(tmp_path, [{"messages": turns}])
    assert (summary["status"], summary["rules"]) == ("ready", {rule: 1})
    item = orjson.loads((tmp_path / "out/report.jsonl").read_bytes())
    assert item["field"] == f"messages[{turns.index(turn)}].{field}"
    assert words in item["message"]


@pytest.mark.parametrize("labels", [[["a", "b"], []], [[2, 5], []]])
def test_a_text_may_have_no_class_where_others_have_several(
    tmp_path: Path, labels: list[Any]
) -> None:
    rows = [{"text": "Once", "label": label} for label in labels]
    summary, records = run(tmp_path, rows)
    assert summary["counts"] == {"kept": 2, "repaired": 0, "truncated": 0, "dropped": 0}
    assert [record["label"] for record in records] == labels
