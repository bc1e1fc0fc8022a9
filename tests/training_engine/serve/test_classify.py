"""Classes and scores from a worker: training's own numbers, and those of stock transformers."""

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from tests.training_engine.serve.tuned import Tuned, tune
from tests.training_engine.serve.worker import Worker
from training_engine.contract.choices import Objective
from training_engine.contract.predictions import Predictions
from training_engine.data.chat import ChatTemplate
from training_engine.data.encode import Encoder
from training_engine.data.packing import pack
from training_engine.data.records import read_rows
from training_engine.devices import Placement
from training_engine.models import heads, load
from training_engine.models.adapter_files import load_adapter
from training_engine.objectives import recipe_of
from training_engine.serve.classification import batches
from training_engine.serve.model_store import ModelStore

CPU = Placement(torch.device("cpu"), torch.float32, "a test")
STOCK = Path(__file__).with_name("stock_pipeline.py")
CASES = [
    ("bert", "single_label", "lora"),
    ("bert", "multi_label", "full"),
    pytest.param(("bert", "regression", "lora"), marks=pytest.mark.long),
    pytest.param(("llama", "single_label", "full"), marks=pytest.mark.long),
]

NAMES = ["bert-one-lora", "bert-several-full", "bert-number-lora", "llama-one-full"]


@pytest.fixture(scope="module", params=CASES, ids=NAMES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tuned classifier and the kind of its labels."""
    base, kind, method = request.param
    folder = tmp_path_factory.mktemp("-".join(request.param))
    return tune(folder, base, Objective.CLASSIFY, kind, method=method), kind


@pytest.fixture(scope="module")
def sentiment(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """An encoder with an adapter, three classes."""
    return tune(tmp_path_factory.mktemp("classes"), "encoder", Objective.CLASSIFY, "single_label")


@pytest.fixture(scope="module", params=["llama", "encoder"])
def reward(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """A decoder with a score; an encoder with one, which has no chat template of its own."""
    return tune(tmp_path_factory.mktemp("reward"), request.param, Objective.REWARD)


def ask(worker: Worker, tuned: Tuned, **body: Any) -> Predictions:
    response = worker.client.post("/classify", json={**tuned.paths, **body})
    assert response.status_code == 200, response.text
    return Predictions.model_validate_json(response.content)


def refusal(worker: Worker, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    response = worker.client.post("/classify", json=body)
    return response.status_code, response.json()


def of_training(tuned: Tuned) -> torch.Tensor:
    """Scores of all rows by the model of training, through training's own reading and forward."""
    spec = tuned.spec
    template = ChatTemplate(load.load_tokenizer(tuned.adapter or tuned.model), required=False)
    reading = recipe_of(spec.objective).reading(template, spec.hyperparameters)
    path = Path(spec.dataset.path)
    reading.study(lambda: read_rows(path))
    data = Encoder(reading, set()).encode(read_rows(path))
    whole = spec.model.model_copy(update={"path": str(tuned.model)})
    model, packed = heads.load_model(spec.model_copy(update={"model": whole}), CPU, reading)
    if tuned.adapter is not None:
        load_adapter(model, tuned.adapter)
    model.eval()
    forward = heads.forward_of(spec, model, packed=packed)
    with torch.no_grad():
        return torch.cat([forward.scores(pack(data, [i])) for i in range(len(data))])


def served(tuned: Tuned, texts: list[str]) -> torch.Tensor:
    """Scores of the model as the worker loads it, float32, all texts in one batch."""
    adapter = None if tuned.adapter is None else str(tuned.adapter)
    loaded = ModelStore(CPU, set).get(str(tuned.model), adapter)
    ids = loaded.template.tokenizer(texts)["input_ids"]
    return loaded.scores(ids)  # type: ignore[union-attr]


@pytest.mark.long
def test_the_numbers_are_those_of_training(case: tuple[Tuned, str]) -> None:
    tuned, _ = case
    texts = [row["text"] for row in tuned.rows]
    torch.testing.assert_close(served(tuned, texts), of_training(tuned), rtol=1e-4, atol=1e-5)


@pytest.mark.long
def test_the_worker_says_what_the_stock_pipeline_says(
    worker: Worker, case: tuple[Tuned, str]
) -> None:
    tuned, kind = case
    texts = [row["text"] for row in tuned.rows[:12]] + ["A very long text. " * 20]
    options = [str(tuned.model), str(tuned.adapter or "-"), "64"]
    told = subprocess.run(
        [sys.executable, str(STOCK), *options],
        input=json.dumps(texts), capture_output=True, text=True, check=True, cwd="/",
    )  # fmt: skip
    stock: list[list[dict[str, Any]]] = json.loads(told.stdout.splitlines()[-1])
    exact = served(tuned, texts[:12])
    for said, mine in zip(stock, exact, strict=False):
        chances = {"single_label": mine.softmax(0), "multi_label": mine.sigmoid()}.get(kind, mine)
        ordered = sorted((each["score"] for each in said), reverse=True)
        assert chances.sort(descending=True).values.tolist() == pytest.approx(ordered, abs=1e-5)
    found = ask(worker, tuned, texts=texts)
    assert found.kind == kind
    # The worker computes bfloat16 where that is faster.
    near = 1e-5 if worker.wait_ready()["dtype"] == "float32" else 0.02
    for said, mine in zip(stock, found.predictions, strict=True):
        if kind == "regression":
            assert mine.value == pytest.approx(said[0]["score"], abs=10 * near)
            assert not mine.labels
            continue
        by_name = {each.label: each.score for each in mine.labels}
        assert by_name == pytest.approx({s["label"]: s["score"] for s in said}, abs=near)
        assert list(by_name.values()) == sorted(by_name.values(), reverse=True)
        if kind == "multi_label":
            assert set(mine.chosen) == {n for n, score in by_name.items() if score > 0.5}
        else:
            assert mine.chosen == [mine.labels[0].label]
            assert sum(by_name.values()) == pytest.approx(1, abs=1e-3)
    assert [p.truncated for p in found.predictions] == [False] * 12 + [True]
    assert found.predictions[-1].tokens == 64


@pytest.mark.long
def test_it_says_what_the_run_showed(worker: Worker, sentiment: Tuned) -> None:
    items = [event for event in sentiment.outcome.events if event.type == "samples"][-1].items
    found = ask(worker, sentiment, texts=[item.prompt for item in items])
    assert items
    assert [p.chosen[0] for p in found.predictions] == [item.answer for item in items]


def test_answers_of_a_warm_worker(worker: Worker, sentiment: Tuned) -> None:
    texts = [row["text"] for row in sentiment.rows]
    first = ask(worker, sentiment, texts=texts[:1])
    times = []
    for text in texts * 3:
        begun = time.perf_counter()
        ask(worker, sentiment, texts=[text])
        times.append(1000 * (time.perf_counter() - begun))
    print(f"one text: p50 {statistics.median(times):.1f} ms")
    together = ask(worker, sentiment, texts=texts)
    assert len(together.predictions) == len(texts)
    # Together or alone, with shorter or longer ones: a text's scores are its own.
    alone = {each.label: each.score for each in first.predictions[0].labels}
    beside = {each.label: each.score for each in together.predictions[0].labels}
    assert beside == pytest.approx(alone, abs=0.01)
    loaded = worker.client.get("/health").json()["loaded"]
    assert [m["adapters"] for m in loaded if m["model_path"] == str(sentiment.model)]


def test_only_the_likeliest_labels(worker: Worker, sentiment: Tuned) -> None:
    found = ask(worker, sentiment, texts=["Ada wears a red hat"], top=2)
    assert found.num_labels == 3
    assert len(found.predictions[0].labels) == 2


@pytest.mark.long
def test_a_score_of_conversations(worker: Worker, reward: Tuned) -> None:
    rows = reward.rows
    chosen = [row["messages"] + row["chosen"] for row in rows]
    rejected = [row["messages"] + row["rejected"] for row in rows]
    pairs = of_training(reward).view(-1, 2)
    adapter = str(reward.adapter)
    loaded: Any = ModelStore(CPU, set).get(str(reward.model), adapter)
    ids = loaded.template.tokenizer(
        [loaded.template.template and _templated(loaded, each) for each in chosen],
        add_special_tokens=False,
    )["input_ids"]
    mine = loaded.scores([each[:64] for each in ids])[:, 0]
    torch.testing.assert_close(mine, pairs[:, 0], rtol=1e-4, atol=1e-5)
    found = [ask(worker, reward, conversations=each) for each in (chosen, rejected)]
    assert {each.kind for each in found} == {"score"}
    near = 1e-4 if worker.wait_ready()["dtype"] == "float32" else 0.3
    for column, each in enumerate(found):
        values = [p.value for p in each.predictions]
        assert values == pytest.approx(pairs[:, column].tolist(), abs=near)
    question = {**reward.paths, "conversations": [rows[0]["messages"]]}
    assert refusal(worker, question)[1]["code"] == "bad_conversation"
    if "encoder" in str(reward.model.parent):
        assert ids[0] == [*b"I am Ada 0.", 258, *b"Hello Ada", 258]
    plain = ask(worker, reward, texts=["Hello"])
    assert plain.predictions[0].value is not None


def _templated(loaded: Any, conversation: list[dict[str, str]]) -> str:
    text: str = loaded.template.tokenizer.apply_chat_template(conversation, tokenize=False)
    return text


def test_a_merged_classifier_is_a_model_of_its_own(
    worker: Worker, sentiment: Tuned, tmp_path: Path
) -> None:
    from training_engine.export.merge import merge

    assert sentiment.adapter is not None
    merge(sentiment.model, sentiment.adapter, tmp_path / "merged", "merged")
    merged = Tuned(tmp_path / "merged", None, sentiment.spec, sentiment.outcome)
    texts = [row["text"] for row in sentiment.rows[:5]]
    wanted, found = ask(worker, sentiment, texts=texts), ask(worker, merged, texts=texts)
    for a, b in zip(wanted.predictions, found.predictions, strict=True):
        assert [x.score for x in a.labels] == pytest.approx([x.score for x in b.labels], abs=0.02)


def test_what_is_asked_wrongly(worker: Worker, sentiment: Tuned, tiny_model: Path) -> None:
    paths: dict[str, Any] = sentiment.paths
    for body in (
        {},
        {"texts": []},
        {"texts": ["a"], "conversations": [[]]},
        {"texts": ["a"] * 257},
    ):
        status, told = refusal(worker, paths | body)
        assert (status, told["code"]) == (422, "bad_request"), body
    status, told = refusal(worker, paths | {"texts": ["a", " "]})
    assert (status, told["message"]) == (422, "Text 2 is empty.")
    question = [{"role": "user", "content": "Hi"}]
    status, told = refusal(worker, paths | {"conversations": [question]})
    assert (status, told["message"]) == (422, "This model has no chat template.")
    status, told = refusal(worker, {"model_path": str(tiny_model), "texts": ["a"]})
    assert (status, told["code"]) == (400, "not_a_classifier")
    status, told = refusal(worker, {"model_path": str(tiny_model / "gone"), "texts": ["a"]})
    assert (status, told["code"]) == (404, "model_not_found")
    body = {**paths, "messages": question}
    with worker.client.stream("POST", "/generate", json=body) as response:
        items = [json.loads(line) for line in response.iter_lines()]
    assert [item["code"] for item in items] == ["not_a_language_model"]


def test_a_head_that_was_never_trained_is_refused(
    worker: Worker, sentiment: Tuned, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    assert sentiment.adapter is not None
    headless = shutil.copytree(sentiment.adapter, tmp_path / "headless")
    weights = load_file(headless / "adapter_model.safetensors")
    kept = {name: value for name, value in weights.items() if "classifier" not in name}
    assert len(kept) < len(weights)
    save_file(kept, headless / "adapter_model.safetensors")
    body = sentiment.paths | {"adapter_path": str(headless), "texts": ["a"]}
    assert refusal(worker, body)[1]["code"] == "not_a_classifier"
    (headless / "config.json").unlink()
    status, told = refusal(worker, body)
    assert (status, told["code"]) == (400, "adapter_not_supported")
    assert "which labels" in told["message"]


def test_texts_alike_in_length_go_together() -> None:
    lengths = [5, 100, 7, 90, 6, 300]
    found = batches(lengths, 200)
    assert found == [[5], [1, 3], [2, 4, 0]]


def test_a_client_that_goes_away_ends_its_work(worker: Worker, sentiment: Tuned) -> None:
    texts = ["Ada wears a red hat. " * 3] * 256
    ask(worker, sentiment, texts=texts[:1])  # loaded
    begun = time.monotonic()
    ask(worker, sentiment, texts=texts)
    whole = time.monotonic() - begun
    begun = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        worker.client.post(
            "/classify", json={**sentiment.paths, "texts": texts}, timeout=whole / 10
        )
    worker.wait_until(lambda health: health["active"] == 0)
    assert time.monotonic() - begun < whole * 0.8
