"""Reasoning that is to be learnt is in what is learnt, or the row is refused."""

from pathlib import Path

import pytest

from tests.training_engine.data import templates
from tests.training_engine.data.masks import encode, learnt, refusal, row
from tests.training_engine.specs import conversation

REASONED = conversation("1+1?", "<think>\n two ones \n</think>\n\n2")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("CHATML", "<think>\n two ones \n</think>\n\n2"),
        ("LLAMA_3", "<think>\n two ones \n</think>\n\n2"),
        ("OPENED", " two ones \n</think>\n\n2"),
        ("THINKING", "<think>\n two ones \n</think>\n\n2"),
        ("TRIMMED", "<think>\ntwo ones\n</think>\n2"),
    ],
)
def test_reasoning_that_the_template_writes_is_learnt(
    tmp_path: Path, name: str, written: str
) -> None:
    tokenizer = templates.load(tmp_path, getattr(templates, name))
    assert learnt(tokenizer, encode(tokenizer, row(REASONED))) == [[written + "<|im_end|>"]]


@pytest.mark.parametrize(
    "answer",
    ["<think>\neasy\n</think>\n\n4", "easy</think>4", "<think>easy</think><think></think>4"],
)
def test_reasoning_that_the_template_leaves_out_is_refused(tmp_path: Path, answer: str) -> None:
    """By line, with what to do; also where the question happens to have the same words."""
    tokenizer = templates.load(tmp_path, templates.UNREASONED)
    plain = row(conversation("2+2?", "4"), 1)
    failure = refusal(tokenizer, plain, row(conversation("An easy one: 2+2?", answer), 9))
    assert "it leaves out the reasoning of answers" in failure.message
    assert "give a chat template that writes the reasoning, or remove it" in failure.message
    assert failure.params == {"lines": "9", "count": 1}


def test_of_several_thoughts_none_is_lost(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.THINKING)
    twice = "<think>one</think>2<think>three</think>4"
    assert "reasoning" in refusal(tokenizer, row(conversation("Go", twice))).message
    tokenizer = templates.load(tmp_path, templates.CHATML)
    assert learnt(tokenizer, encode(tokenizer, row(conversation("Go", twice)))) == [
        [twice + "<|im_end|>"]
    ]


@pytest.mark.parametrize(
    "answer", ["4", "<think>\n\n</think>\n\n4", "<b>4</b>", "4 <think> never ends"]
)
def test_where_there_is_no_reasoning_nothing_is_missed(tmp_path: Path, answer: str) -> None:
    tokenizer = templates.load(tmp_path, templates.UNREASONED)
    said = answer.split("</think>")[-1]
    data = encode(tokenizer, row(conversation("2+2?", answer)))
    assert learnt(tokenizer, data) == [[said + "<|im_end|>"]]


def test_only_what_is_to_be_learnt_counts(tmp_path: Path) -> None:
    """Reasoning of an answer that is context may go."""
    turns = [*REASONED, *conversation("2+2?", "4")]
    tokenizer = templates.load(tmp_path, templates.UNREASONED)
    assert "reasoning" in refusal(tokenizer, row(turns)).message
    turns[1] = {**turns[1], "train": False}
    assert learnt(tokenizer, encode(tokenizer, row(turns))) == [["4<|im_end|>"]]


def test_a_template_that_reads_no_plain_text_is_refused(tmp_path: Path) -> None:
    """As those of models that see, which expect a list of parts: an end alone would be learnt."""
    said = "{% for part in m['content'] if part.type %}{{ part.text }}{% endfor %}"
    seeing = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n" + said + "<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    tokenizer = templates.load(tmp_path, seeing)
    failure = refusal(tokenizer, row(conversation("2+2?", "4"), 3))
    assert "leaves out what answers say" in failure.message
    assert failure.params == {"lines": "3", "count": 1}
