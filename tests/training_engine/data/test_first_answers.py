"""Conversations that begin with an answer: of what precedes its words nothing is learnt."""

from pathlib import Path

import pytest

from tests.training_engine.data import templates
from tests.training_engine.data.masks import encode, learnt, refusal, row
from tests.training_engine.specs import conversation, make_spec, run_here, write_rows

WELCOME = {"role": "assistant", "content": "Welcome"}
TURNS = [WELCOME, *conversation("Hi", "Hello")]
# Headers in words, white space between the turns, and no line of its own for an answer.
VICUNA = (
    "A chat.\n\n{% for m in messages %}{{ ' ' if not loop.first }}"
    "{{ m['role'] | upper + ': ' + m['content'] ~ ('<|im_end|>' if m['role'] == 'assistant') }}"
    "{% endfor %}{% if add_generation_prompt %}{{ ' ASSISTANT:' }}{% endif %}"
)
# No headers at all.
HEADLESS = "{{ '<|endoftext|>Be kind. ' }}" + templates.ENDLESS.replace(
    "m['role'] + ': ' + m['content'] + '\n'", "m['content'] + '<|im_end|>'"
).replace("assistant: ", "")


@pytest.mark.parametrize(
    ("template", "first"),
    [
        (templates.CHATML, "Welcome"),
        (templates.DEFAULT_SYSTEM, "Welcome"),
        (templates.LLAMA_3, "Welcome"),
        (templates.OPENED, "Welcome"),
        (templates.UNREASONED, "Welcome"),
        (VICUNA, " Welcome"),
        (HEADLESS, "Welcome"),
    ],
)
def test_of_a_first_answer_exactly_its_words_are_learnt(
    tmp_path: Path, template: str, first: str
) -> None:
    tokenizer = templates.load(tmp_path, template)
    [found] = learnt(tokenizer, encode(tokenizer, row(TURNS)))
    second = first.replace("Welcome", "Hello")
    assert found == [first + "<|im_end|>", second + "<|im_end|>"]


def test_a_first_answer_is_learnt_with_what_the_template_adds_to_answers(tmp_path: Path) -> None:
    """As after a question; later it is rewritten, so that it is a sample of its own."""
    tokenizer = templates.load(tmp_path, templates.THINKING)
    data = encode(tokenizer, row(TURNS))
    empty = "<think>\n\n</think>\n\n"
    assert learnt(tokenizer, data) == [[f"{empty}Welcome<|im_end|>"], [f"{empty}Hello<|im_end|>"]]


@pytest.mark.parametrize(
    "said", ["<|im_start|>assistant\nAgain", "<b>Hi</b>", " \n Padded", "Be kind."]
)
def test_words_like_those_before_them_are_learnt_whole(tmp_path: Path, said: str) -> None:
    tokenizer = templates.load(tmp_path, templates.DEFAULT_SYSTEM)
    data = encode(tokenizer, row([{**WELCOME, "content": said}]))
    assert learnt(tokenizer, data) == [[said + "<|im_end|>"]]
    tokenizer = templates.load(tmp_path, templates.LLAMA_3)
    data = encode(tokenizer, row([{**WELCOME, "content": said}]))
    assert learnt(tokenizer, data) == [[said.strip() + "<|im_end|>"]]


def test_calls_may_come_first(tmp_path: Path) -> None:
    tokenizer = templates.load(tmp_path, templates.TOOLS)
    call = {"type": "function", "function": {"name": "weather", "arguments": {"city": "Rome"}}}
    data = encode(tokenizer, row([{"role": "assistant", "content": "", "tool_calls": [call]}]))
    assert learnt(tokenizer, data) == [["<call>weatherRome<|im_end|>"]]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("FIRST_IS_USER", "can not be told from what comes before it"),
        ("QUESTION_NEEDED", "No user query found in messages"),
    ],
)
def test_where_its_words_can_not_be_told_it_is_context_and_counted(
    tmp_path: Path, name: str, reason: str
) -> None:
    tokenizer = templates.load(tmp_path, getattr(templates, name))
    ordinary = row(conversation("Hi", "Hello"), 1)
    data = encode(tokenizer, ordinary, row(TURNS, 4))
    assert learnt(tokenizer, data) == [["Hello<|im_end|>"]] * 2
    assert data.first_unlearnt_lines == [4]
    failure = refusal(tokenizer, ordinary, row([WELCOME], 8))
    assert reason in failure.message
    assert failure.params == {"lines": "8", "count": 1}


def test_it_is_said_how_many_are_not_learnt(tmp_path: Path, tiny_model: Path) -> None:
    data = write_rows(tmp_path / "rows.jsonl", [TURNS] * 3 + [conversation("Hi", "Hello")] * 3)
    knobs = {"epochs": 1, "evaluation_fraction": 0}
    spec = make_spec(data, tiny_model, hyperparameters=knobs, chat_template=templates.FIRST_IS_USER)
    told = run_here(tmp_path / "run", spec).notices()["first_answers_unlearnt"]
    assert (told["rows"], told["lines"]) == (3, "11, 12, 13")
