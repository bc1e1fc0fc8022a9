"""What is too long is continued, cut and counted, or left out and counted: never lost unsaid."""

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import examples
from tests.tiny_model import build_tiny_tokenizer
from tests.training_engine.data.templates import THINKING
from tests.training_engine.objectives.opened import opened
from tests.training_engine.objectives.rows import record, spec_for, write_records
from tests.training_engine.running import events
from tests.training_engine.specs import conversation
from training_engine.contract.choices import Objective
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.records import Record
from training_engine.data.chat import ChatTemplate
from training_engine.data.encode import EncodedSet, Encoder
from training_engine.data.packing import pack
from training_engine.data.records import row_of
from training_engine.failures import EngineFailure
from training_engine.models import load
from training_engine.objectives import recipe_of
from training_engine.objectives.kto import JudgedAnswers

END = 258
ANSWER = {"role": "assistant"}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load.load_tokenizer(build_tiny_tokenizer(tmp_path_factory.mktemp("tokenizer")))


def encoded(
    tokenizer: Any, objective: Objective, rows: list[dict[str, Any]], **given: Any
) -> EncodedSet:
    template = ChatTemplate(tokenizer, required=False)
    knobs = Hyperparameters(**given)
    reading = recipe_of(objective).reading(template, knobs)
    found = [row_of(Record.model_validate(row), i) for i, row in enumerate(rows)]
    reading.study(lambda: iter(found))
    return Encoder(reading, {END}, leave_out=knobs.leave_out_overlong).encode(found)


@examples(60)
@given(
    texts=st.lists(st.text(min_size=1, max_size=90).filter(str.strip), min_size=1, max_size=4),
    longest=st.integers(16, 40),
)
def test_documents_lose_no_token(tokenizer: Any, texts: list[str], longest: int) -> None:
    """Every token but a document's first is predicted exactly once, with what comes before it."""
    rows = [{"text": text} for text in texts]
    data = encoded(tokenizer, Objective.PRETRAIN, rows, max_length=longest)
    predicted: Counter[tuple[int, int]] = Counter()
    wanted: Counter[tuple[int, int]] = Counter()
    for text in texts:
        ids = [*tokenizer(text)["input_ids"], END]
        wanted.update(itertools.pairwise(ids))
    for sample in range(len(data)):
        row = pack(data, [sample])
        assert sum(row.lengths) < longest
        before = row.input_ids[0][row.predicting].tolist()
        predicted.update(zip(before, row.targets.tolist(), strict=True))
    assert predicted == wanted
    assert data.trained_tokens == sum(wanted.values())
    assert data.truncated_lines == []


def test_targets_end_unless_they_were_cut(tokenizer: Any) -> None:
    rows = [
        {"messages": conversation("in", "out")},
        {"messages": conversation("in", "much longer than that")},
    ]
    data = encoded(tokenizer, Objective.SEQ2SEQ, rows, max_target_length=8)
    targets = [data.tokens[data.bounds[i] : data.bounds[i + 1]].tolist() for i in (1, 3)]
    assert targets[0] == [*b"out", END]
    assert targets[1] == list(b"much lon")
    assert (data.truncated_lines, data.cut_tokens) == ([1], len("ger than that") + 1)
    assert data.trained_tokens == 4 + 8


def test_it_is_told_whether_the_answer_was_cut(tokenizer: Any) -> None:
    """Sources lose what is only read, targets and answers what is learnt."""
    rows = [
        {"messages": conversation("a long question, cut", "yes")},
        {"messages": conversation("in", "much longer than that")},
    ]
    data = encoded(tokenizer, Objective.SEQ2SEQ, rows, max_length=16, max_target_length=8)
    assert (data.truncated_lines, data.cut_answer_lines) == ([0, 1], [1])
    early = [{"messages": conversation("Hi", "Yes", "And " * 30, "No")}]
    data = encoded(tokenizer, Objective.SFT, early, max_length=80)
    assert (data.truncated_lines, data.cut_answer_lines) == ([0], [0])
    texts = [{"text": "red " * 20, "label": "a"}, {"text": "blue", "label": "b"}]
    data = encoded(tokenizer, Objective.CLASSIFY, texts, max_length=16)
    assert (data.truncated_lines, data.cut_answer_lines) == ([0], [])


def test_each_sequence_of_a_pair_is_cut_by_itself(tokenizer: Any) -> None:
    rows = [record(Objective.DPO, i) for i in range(3)]
    whole = encoded(tokenizer, Objective.DPO, rows)
    rows[1]["chosen"] = [{"role": "assistant", "content": "word " * 40}]
    data = encoded(tokenizer, Objective.DPO, rows, max_length=100)
    lengths = [end - begin for begin, end in zip(data.bounds, data.bounds[1:], strict=False)]
    before = [end - begin for begin, end in zip(whole.bounds, whole.bounds[1:], strict=False)]
    assert lengths[2] == 100
    assert lengths[3:] == before[3:]
    assert data.truncated_lines == [1]
    assert data.cut_tokens > 100


@pytest.mark.parametrize("objective", [Objective.DPO, Objective.KTO, Objective.REWARD])
def test_what_is_cut_away_is_left_out_when_asked(tokenizer: Any, objective: Objective) -> None:
    rows = [record(objective, i) for i in range(4)]
    rows[3]["messages"] = conversation("Tell me " * 20) + rows[3]["messages"][1:]
    data = encoded(tokenizer, objective, rows, max_length=96, leave_out_overlong=True)
    assert data.left_out_lines == [3]
    assert data.lines == [0, 1, 2]
    assert len(data.bounds) == 2 * 3 + 1
    assert data.truncated_lines == []


def test_a_short_context_is_said_and_kept_to(
    tmp_path: Path, tiny_bert: Path, tiny_model: Path
) -> None:
    rows = [record(Objective.CLASSIFY, i) for i in range(6)]
    rows[2]["text"] = "red " * 60
    rows[5]["text"] = "blue " * 60
    data = write_records(
        tmp_path / "rows.jsonl", [r | {"meta": {"line": i + 11}} for i, r in enumerate(rows)]
    )
    knobs = {"evaluation_fraction": 0.2, "max_length": 200}
    run = opened(tmp_path / "run", spec_for(Objective.CLASSIFY, data, tiny_bert, knobs))
    assert max(map(run.data.train.length, range(len(run.data.train)))) <= 128
    notices = {e.code: e.params for e in events(tmp_path / "run") if e.type == "notice"}
    assert notices["context_shorter"] == {"context": 128, "max_length": 200}
    assert (notices["rows_truncated"]["rows"], notices["rows_truncated"]["answers"]) == (2, 0)
    assert notices["rows_truncated"]["lines"] == "13, 16"


def test_a_row_that_became_several_samples_is_one_row_that_was_cut(
    tmp_path: Path, tiny_model: Path
) -> None:
    long = "more " * 40
    turns = ("Hi", f"<think>{long}</think>Yes", "And?", f"<think>{long}</think>No")
    rows = [record(Objective.SFT, i) for i in range(3)]
    rows.insert(1, {"messages": conversation(*turns)})
    data = write_records(tmp_path / "rows.jsonl", rows)
    knobs = {"evaluation_fraction": 0, "max_length": 160}
    spec = spec_for(Objective.SFT, data, tiny_model, knobs, chat_template=THINKING)
    run = opened(tmp_path / "run", spec)
    assert (run.data.train.lines.count(2), run.data.train.truncated_lines) == (2, [2, 2])
    notices = {e.code: e.params for e in events(tmp_path / "run") if e.type == "notice"}
    assert notices["data_ready"]["truncated_rows"] == notices["rows_truncated"]["rows"] == 1


def test_of_an_answer_from_another_row_nothing_is_counted(tokenizer: Any) -> None:
    rows = [record(Objective.KTO, i) for i in range(4)]
    rows[2]["messages"] = [*rows[2]["messages"][:-1], {**ANSWER, "content": "word " * 40}]
    data = encoded(tokenizer, Objective.KTO, rows, max_length=100)
    assert (data.truncated_lines, data.cut_answer_lines) == ([2], [2])
    own = len(tokenizer(f"word {'word ' * 39}")["input_ids"])
    assert 100 < data.cut_tokens < own
    assert max(len(data.text(i)) for i in range(8)) == 100


def test_a_row_with_nothing_to_learn_is_no_fault_of_the_row_before(tokenizer: Any) -> None:
    rows = [record(Objective.KTO, i) for i in range(4)]
    rows[2]["messages"] = [*rows[2]["messages"][:-1], {**ANSWER, "content": "No.", "train": False}]
    with pytest.raises(EngineFailure) as refused:
        encoded(tokenizer, Objective.KTO, rows)
    assert refused.value.params["lines"] == "2"


@pytest.mark.parametrize(
    ("questions", "partners"),
    [
        ("abcd", [1, 2, 3, 0]),
        ("aabb", [2, 2, 0, 0]),
        ("abba", [1, 3, 3, 1]),
        ("aaba", [2, 2, 3, 2]),
        ("aaaa", [1, 2, 3, 0]),
        ("a", [0]),
        ("", []),
    ],
)
def test_a_judged_answer_stands_beside_one_to_another_question(
    tokenizer: Any, questions: str, partners: list[int]
) -> None:
    reading = JudgedAnswers(ChatTemplate(tokenizer), Hyperparameters())
    rows = [
        row_of(Record.model_validate({"messages": conversation(asked, f"Answer {i}")}), i)
        for i, asked in enumerate(questions)
    ]
    found = list(reading.arrange(rows))
    assert [row.line for row in found] == list(range(len(rows)))
    answers = [row.other_answer[0].content for row in found if row.other_answer]
    assert answers == [f"Answer {i}" for i in partners]
