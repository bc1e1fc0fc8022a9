"""Rows as tokens over HTTP, with the real worker: shapes, refusals, and a worker that dies."""

import asyncio
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psutil
import pytest
from fastapi import FastAPI

from backend.accounts.schemas import Role
from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.datasets.files import version_dir
from backend.datasets.tables import DatasetVersionRow
from backend.ids import new_id
from backend.processes import serve_process
from backend.settings import Settings
from backend.tasks.rendering.desk import TokenDesk
from tests.backend.tasks.rendering.stored import chat, keep, make_model, write_version
from tests.conftest import SignIn
from tests.training_engine.data.templates import DEFAULT_SYSTEM, MISTRAL, THINKING
from training_engine.contract.tokens import RenderTokensRequest

API = "/api/v1/datasets"
ROWS = [
    chat("Hé?", "é 😀!"),
    chat("Hi", "a" * 200),
    chat("Do you sell lamps?", "Yes."),
]


async def ask(client: httpx.AsyncClient, dataset: UUID, **params: Any) -> httpx.Response:
    values = {name: str(value) for name, value in params.items()}
    return await client.get(f"{API}/{dataset}/tokens", params=values, timeout=120)


def process_of(app: FastAPI) -> psutil.Process:
    return psutil.Process(app.state.token_desk._worker._process.pid)


async def gone(process: psutil.Process) -> None:
    """Until nothing is left of it, not even a zombie."""
    for _ in range(200):
        if not process.is_running():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{process} is still there")


@pytest.fixture
async def model(sessions: SessionFactory, settings: Settings) -> UUID:
    return (await make_model(sessions, settings))[0].id


@pytest.fixture
async def dataset(sessions: SessionFactory, settings: Settings, administrator: UserRow) -> UUID:
    return (await keep(sessions, settings, administrator.id, ROWS)).id


def text_of(sample: dict[str, Any], **only: bool) -> str:
    return "".join(
        token["text"]
        for token in sample["tokens"]
        if all(token[name] is value for name, value in only.items())
    )


async def test_rows_as_tokens(client: httpx.AsyncClient, dataset: UUID, model: UUID) -> None:
    answer = await ask(client, dataset, model_id=model, max_length=100)
    assert answer.status_code == 200, answer.text
    view = answer.json()
    assert (view["total"], view["offset"], view["objective"]) == (3, 0, "sft")
    assert view["max_length"] == 100
    assert not view["reads_whole"]
    first, long, _ = view["items"]
    [sample] = first["samples"]
    assert (first["index"], first["line"], first["error"]) == (0, 1, None)
    assert (
        text_of(sample)
        == "<|im_start|>user\nHé?<|im_end|>\n<|im_start|>assistant\né 😀!<|im_end|>\n"
    )
    assert text_of(sample, trained=True) == "é 😀!<|im_end|>"
    assert text_of(sample, terminator=True) == "<|im_end|>"
    assert not sample["truncated"]
    [sample] = long["samples"]
    assert sample["truncated"]
    assert sample["cut_at"] == sample["num_tokens"] == 100
    taken = "".join(token["text"] for token in sample["cut"])
    assert text_of(sample) + taken == (
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n" + "a" * 200 + "<|im_end|>\n"
    )
    assert sample["num_cut"] == len(sample["cut"])
    assert sample["cut"][0]["trained"]


async def test_windows_searches_and_long_rows(
    client: httpx.AsyncClient, dataset: UUID, model: UUID
) -> None:
    view = (await ask(client, dataset, model_id=model, offset=1, limit=1)).json()
    assert [item["index"] for item in view["items"]] == [1]
    view = (await ask(client, dataset, model_id=model, q="LAMPS")).json()
    assert (view["total"], view["items"][0]["index"]) == (1, 2)
    view = (await ask(client, dataset, model_id=model, offset=99)).json()
    assert (view["items"], view["total"]) == ([], 3)
    view = (await ask(client, dataset, model_id=model, max_shown=5)).json()
    [sample] = view["items"][0]["samples"]
    assert len(sample["tokens"]) == 5
    assert sample["num_tokens"] > 5
    assert sample["num_trained"] > 0, "what is not listed is counted"


async def test_what_a_template_adds_is_shown(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    dataset: UUID,
) -> None:
    model, _ = await make_model(sessions, settings, DEFAULT_SYSTEM)
    [sample] = (await ask(client, dataset, model_id=model.id, limit=1)).json()["items"][0][
        "samples"
    ]
    assert text_of(sample).startswith("<|im_start|>system\nBe kind.<|im_end|>\n")
    assert "Be kind" not in text_of(sample, trained=True)

    thinking, _ = await make_model(sessions, settings, THINKING)
    talk = chat("Hi", "<think>\na\n</think>\n\nb", "more", "<think>\nc\n</think>\n\nd")
    data = await keep(sessions, settings, administrator.id, [talk])
    [row] = (await ask(client, data.id, model_id=thinking.id)).json()["items"]
    learnt = [text_of(sample, trained=True) for sample in row["samples"]]
    assert learnt == [
        "<think>\na\n</think>\n\nb<|im_end|>",
        "<think>\nc\n</think>\n\nd<|im_end|>",
    ]
    assert "<think>\na" not in text_of(row["samples"][1]), "history is without thoughts"

    strict, _ = await make_model(sessions, settings, MISTRAL)
    rows = [chat("Hi", "there", system="A rule."), *ROWS]
    data = await keep(sessions, settings, administrator.id, rows)
    refused, good, *_ = (await ask(client, data.id, model_id=strict.id)).json()["items"]
    assert "Roles must alternate" in refused["error"]["message"]
    assert refused["error"]["code"] == "bad_dataset"
    assert refused["error"]["hint"]
    assert good["error"] is None


async def test_pairs_and_labels(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    model: UUID,
) -> None:
    pair = {
        **chat("Hi"),
        "chosen": [{"role": "assistant", "content": "good"}],
        "rejected": [{"role": "assistant", "content": "bad"}],
    }
    data = await keep(sessions, settings, administrator.id, [pair], "preference")
    view = (await ask(client, data.id, model_id=model)).json()
    parts = {each["part"]: text_of(each, trained=True) for each in view["items"][0]["samples"]}
    assert parts == {"chosen": "good<|im_end|>", "rejected": "bad<|im_end|>"}
    assert view["objective"] == "dpo"
    view = (await ask(client, data.id, model_id=model, objective="reward")).json()
    assert view["reads_whole"]
    assert not any(each["num_trained"] for each in view["items"][0]["samples"])
    labelled = [{"text": "fine", "label": "good"}, {"text": "hm", "label": ""}]
    data = await keep(sessions, settings, administrator.id, labelled, "classification")
    view = (await ask(client, data.id, model_id=model)).json()
    assert text_of(view["items"][0]["samples"][0]) == "fine"
    assert "there is no label" in view["items"][1]["error"]["message"]


CASES: list[tuple[dict[str, Any], int, str | None]] = [
    ({"objective": "dpo"}, 400, "TokensMisfit"),
    ({"objective": "seq2seq"}, 400, "TokensMisfit"),
    ({"objective": "nonsense"}, 422, "InvalidRequest"),
    ({"max_length": 15}, 422, "InvalidRequest"),
    ({"limit": 51}, 422, "InvalidRequest"),
    ({"offset": -1}, 422, "InvalidRequest"),
    ({"offset": 2**62}, 200, None),
    ({"version": 2}, 404, "DatasetVersionNotFound"),
    ({"split": "zz"}, 404, "NoSuchSplit"),
    ({"version": 1}, 200, None),
    ({"chat_template": "{% for"}, 400, "TokensMisfit"),
    ({"chat_template": "same for all"}, 400, "TokensMisfit"),
    ({"chat_template": "{{ messages[7].content.x.y }}"}, 200, None),
    ({"model_id": new_id()}, 404, "ModelNotFound"),
    ({"model_id": "x"}, 422, "InvalidRequest"),
]


async def test_what_can_not_be_asked(client: httpx.AsyncClient, dataset: UUID, model: UUID) -> None:
    for params, status, code in CASES:
        answer = await ask(client, dataset, **{"model_id": model, **params})
        assert (answer.status_code, answer.json().get("code")) == (status, code), params
    answer = await ask(
        client, dataset, model_id=model, chat_template="{{ messages[7].content.x.y }}"
    )
    assert all(item["error"] for item in answer.json()["items"])


async def test_rows_that_are_not_there(
    client: httpx.AsyncClient,
    sign_in: SignIn,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    dataset: UUID,
    model: UUID,
) -> None:
    other = await sign_in("bob", Role.MEMBER)
    for path in ("tokens", "lengths"):
        url = f"{API}/{dataset}/{path}?model_id={model}"
        answer = await other.get(url)
        assert (answer.status_code, answer.json()["code"]) == (404, "DatasetNotFound")
    unknown = await keep(
        sessions, settings, administrator.id, [], status="needs_mapping", record_type=None
    )
    answer = await ask(client, unknown.id, model_id=model)
    assert (answer.status_code, answer.json()["code"]) == (409, "RowsNotUnderstood")
    stepwise = await keep(sessions, settings, administrator.id, ROWS, "stepwise_supervision")
    answer = await ask(client, stepwise.id, model_id=model)
    assert (answer.status_code, answer.json()["code"]) == (400, "TokensMisfit")


async def test_another_version(
    client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    dataset: UUID,
    model: UUID,
) -> None:
    digest = write_version(version_dir(settings, dataset, 7), [chat("seventh", "version")])
    async with transaction(sessions) as session:
        facts = {"status": "ready", "record_type": "conversational", "num_rows": 1}
        session.add(DatasetVersionRow(dataset_id=dataset, version=7, sha256=digest, **facts))
    view = (await ask(client, dataset, model_id=model, version=7)).json()
    assert "seventh" in text_of(view["items"][0]["samples"][0])


async def test_a_broken_tokenizer_is_a_sentence(
    client: httpx.AsyncClient, sessions: SessionFactory, settings: Settings, dataset: UUID
) -> None:
    model, folder = await make_model(sessions, settings)
    (folder / "tokenizer.json").write_text("{")
    answer = await ask(client, dataset, model_id=model.id)
    assert (answer.status_code, answer.json()["code"]) == (409, "TokensRefused")
    assert "tokenizer" in answer.json()["detail"]
    assert str(settings.data_dir) not in answer.text


@pytest.mark.long
async def test_a_worker_that_dies_is_replaced(
    client: httpx.AsyncClient, app: FastAPI, dataset: UUID, model: UUID
) -> None:
    assert (await ask(client, dataset, model_id=model)).status_code == 200
    first = process_of(app)
    assert first.environ()["CUDA_VISIBLE_DEVICES"] == ""
    assert not {name for name in first.environ() if name.startswith("EASYTUNE")}
    assert first.nice() >= 10
    # Stopped first, so that it dies while it is asked.
    first.suspend()
    asked = asyncio.create_task(ask(client, dataset, model_id=model))
    await asyncio.sleep(0.5)
    assert not asked.done()
    first.send_signal(signal.SIGKILL)
    assert (await asked).status_code == 200
    second = process_of(app)
    assert second.pid != first.pid
    await gone(first)
    # Nobody asks: it is buried all the same.
    second.send_signal(signal.SIGKILL)
    await gone(second)
    assert (await ask(client, dataset, model_id=model)).status_code == 200


@pytest.mark.long
async def test_no_process_is_left(settings: Settings, tmp_path: Path) -> None:
    desk = TokenDesk(settings.sockets_dir / "other")
    await desk.start()
    request = RenderTokensRequest.model_validate(
        {"model_path": str(tmp_path), "records": [ROWS[0]]}
    )
    assert (await desk.render(request)).code == "model_not_found"  # type: ignore[union-attr]
    worker = desk._worker
    assert worker is not None
    assert worker._process is not None
    process = psutil.Process(worker._process.pid)
    await desk.close()
    assert not process.is_running()
    assert list(desk._folder.glob("*.sock")) == []


@pytest.mark.long
async def test_idle_it_ends(settings: Settings, tmp_path: Path) -> None:
    desk = TokenDesk(settings.sockets_dir / "other", idle_s=0.2)
    await desk.start()
    request = RenderTokensRequest.model_validate(
        {"model_path": str(tmp_path), "records": [ROWS[0]]}
    )
    await desk.render(request)
    process = psutil.Process(desk._worker._process.pid)  # type: ignore[union-attr]
    await gone(process)
    assert desk._worker is None
    await desk.render(request)
    await desk.close()


@pytest.mark.long
async def test_a_template_without_end(
    client: httpx.AsyncClient,
    app: FastAPI,
    dataset: UUID,
    model: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (await ask(client, dataset, model_id=model)).status_code == 200
    monkeypatch.setattr(app.state.token_desk, "_timeout_s", 2.0)
    loop = "{% for i in range(99999) %}" * 4 + "{{ messages[0].role }}" + "{% endfor %}" * 4
    process = process_of(app)
    answer = await ask(client, dataset, model_id=model, chat_template=loop)
    assert (answer.status_code, answer.json()["code"]) == (503, "TokensLate")
    await gone(process)
    monkeypatch.setattr(app.state.token_desk, "_timeout_s", 60.0)
    assert (await ask(client, dataset, model_id=model)).status_code == 200


async def test_a_worker_that_does_not_start(
    client: httpx.AsyncClient,
    app: FastAPI,
    dataset: UUID,
    model: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await app.state.token_desk._end()
    monkeypatch.setattr(serve_process, "MODULE", "tests.fakes.no_such_module")
    answer = await ask(client, dataset, model_id=model)
    assert (answer.status_code, answer.json()["code"]) == (503, "TokensUnavailable")
    lengths = await client.get(f"{API}/{dataset}/lengths", params={"model_id": str(model)})
    assert lengths.json()["status"] == "counting"


async def test_too_many_at_once(
    client: httpx.AsyncClient,
    app: FastAPI,
    dataset: UUID,
    model: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app.state.token_desk, "_asked", 16)
    answer = await ask(client, dataset, model_id=model)
    assert (answer.status_code, answer.json()["code"]) == (429, "TokensBusy")
