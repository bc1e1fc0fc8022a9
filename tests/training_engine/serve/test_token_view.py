"""The token view shows exactly what the trainer learns."""

from pathlib import Path
from typing import Any

from tests.training_engine.serve.worker import Worker


def record(*contents: str, **more: Any) -> dict[str, Any]:
    roles = ["user", "assistant"]
    turns = [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)]
    return {"messages": turns, **more}


def rendered(worker: Worker, model: Path, *records: dict[str, Any], **options: Any) -> Any:
    body = {"model_path": str(model), "records": list(records), **options}
    response = worker.client.post("/render_tokens", json=body)
    assert response.status_code == 200, response.text
    return response.json()["records"]


def test_answers_and_their_ends_are_trained_and_nothing_else(
    worker: Worker, tiny_model: Path
) -> None:
    [view] = rendered(worker, tiny_model, record("Hé?", "é 😀!", "more", "yes"))
    [sample] = view["samples"]
    tokens = sample["tokens"]
    assert "".join(token["text"] for token in tokens) == (
        "<|im_start|>user\nHé?<|im_end|>\n<|im_start|>assistant\né 😀!<|im_end|>\n"
        "<|im_start|>user\nmore<|im_end|>\n<|im_start|>assistant\nyes<|im_end|>\n"
    )
    learnt = "".join(token["text"] for token in tokens if token["trained"])
    assert learnt == "é 😀!<|im_end|>yes<|im_end|>"
    ends = [token["text"] for token in tokens if token["terminator"]]
    assert ends == ["<|im_end|>", "<|im_end|>"]
    assert sample["num_tokens"] == len(tokens)
    assert sample["num_trained"] == sum(token["trained"] for token in tokens)
    assert not sample["truncated"]


def test_a_longer_record_is_shown_cut(worker: Worker, tiny_model: Path) -> None:
    [view] = rendered(worker, tiny_model, record("Hi", "a" * 100), max_length=40)
    [sample] = view["samples"]
    assert sample["truncated"]
    assert sample["num_tokens"] == 40


def test_a_record_that_can_not_be_trained_on_says_why(worker: Worker, tiny_model: Path) -> None:
    views = rendered(
        worker,
        tiny_model,
        record("x" * 100, "cut away"),
        {"meta": {}},
        record("fine", "fine"),
        max_length=60,
    )
    assert [view["error"] is None for view in views] == [False, False, True]
    assert "cuts the whole answer away" in views[0]["error"]["message"]


def test_lengths_count_what_is_rendered(worker: Worker, tiny_model: Path) -> None:
    records = [record("Hi", "there"), record("a", "b", "c", "d")]
    views = rendered(worker, tiny_model, *records)
    body = {"model_path": str(tiny_model), "records": records}
    lengths = worker.client.post("/token_lengths", json=body).json()["lengths"]
    assert lengths == [view["samples"][0]["num_tokens"] for view in views]
    body = {"model_path": str(tiny_model), "texts": ["abc", "", "é"]}
    assert worker.client.post("/token_lengths", json=body).json()["lengths"] == [3, 0, 2]


def test_records_or_texts_but_not_both(worker: Worker, tiny_model: Path) -> None:
    body = {"model_path": str(tiny_model)}
    response = worker.client.post("/token_lengths", json=body)
    assert response.status_code == 422
    assert response.json()["code"] == "bad_request"


def test_another_template_is_shown_as_it_would_train(worker: Worker, tiny_model: Path) -> None:
    template = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '<|im_end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    [view] = rendered(worker, tiny_model, record("Hi", "Yo"), chat_template=template)
    text = "".join(token["text"] for token in view["samples"][0]["tokens"])
    assert text == "user: Hi<|im_end|>assistant: Yo<|im_end|>"
