"""The worker as a process: its socket, its answers side by side, its ends."""

import asyncio
import itertools
import json
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.tiny_model import build_tiny_model
from tests.training_engine.serve.worker import Worker, request, running, start

LONG = 800


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Names of sockets may not be long."""
    with tempfile.TemporaryDirectory(prefix="easytune-") as folder:
        yield Path(folder)


def wait(process: "subprocess.Popen[bytes]") -> int:
    return process.wait(timeout=30)


@pytest.mark.long
def test_health_tells_device_and_models(worker: Worker, tiny_model: Path) -> None:
    worker.answer(tiny_model, "Hi", max_new_tokens=1)
    health = worker.wait_until(lambda health: not health["busy"])
    assert health["status"] == "ready"
    assert health["device"] == "cpu" or health["device"].startswith(("cuda", "mps"))
    assert health["dtype"] in {"bfloat16", "float32"}
    assert health["device_reason"]
    assert str(tiny_model) in [model["model_path"] for model in health["loaded"]]
    assert all(model["memory_bytes"] > 0 for model in health["loaded"])


def test_the_socket_answers_before_the_libraries_are_loaded(tiny_model: Path) -> None:
    with running() as worker:
        first = worker.wait_until(lambda _: True)
        assert first["status"] == "starting"
        mode = stat.S_IMODE(worker.socket.stat().st_mode)
        assert mode == 0o600
        # A request that comes this early is answered all the same.
        assert worker.answer(tiny_model, "Hi", max_new_tokens=2)[1]["finish_reason"] == "length"


def test_done_counts_and_times(worker: Worker, tiny_model: Path) -> None:
    _, done = worker.answer(tiny_model, "Hello", max_new_tokens=7)
    prompt = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    specials = 3
    letters = len(prompt) - 2 * len("<|im_start|>") - len("<|im_end|>")
    assert done["prompt_tokens"] == letters + specials
    assert done["completion_tokens"] == 7
    assert done["finish_reason"] == "length"
    assert done["tokens_per_s"] > 0
    assert done["time_to_first_token_s"] > 0


def test_a_seed_repeats_an_answer(worker: Worker, tiny_model: Path) -> None:
    options: dict[str, Any] = {"temperature": 1.0, "top_p": 0.9, "max_new_tokens": 30}
    first = worker.answer(tiny_model, "Hi", seed=5, **options)[0]
    assert worker.answer(tiny_model, "Hi", seed=5, **options)[0] == first
    assert worker.answer(tiny_model, "Hi", seed=6, **options)[0] != first


def test_a_stop_word_ends_the_answer_before_it(worker: Worker, tiny_model: Path) -> None:
    whole = worker.answer(tiny_model, "Hello", max_new_tokens=40)[0]
    word = whole[20:22]
    text, done = worker.answer(tiny_model, "Hello", max_new_tokens=40, stop=[word])
    assert text == whole[: whole.find(word)]
    assert done["finish_reason"] == "stop"


async def test_two_answers_take_turns(worker: Worker, tiny_model: Path, adapter: Path) -> None:
    """Side by side: neither waits for the other, and each says what it says alone."""
    alone = {
        None: worker.answer(tiny_model, "Hello", max_new_tokens=200)[0],
        str(adapter): worker.answer(tiny_model, "Hello", max_new_tokens=200, adapter_path=adapter)[
            0
        ],
    }
    order: list[str | None] = []
    texts: dict[str | None, str] = {None: "", str(adapter): ""}

    async def follow(client: httpx.AsyncClient, path: str | None) -> None:
        body = request(tiny_model, "Hello", max_new_tokens=200, adapter_path=path)
        body["adapter_path"] = path
        async with client.stream("POST", "/generate", json=body) as response:
            async for line in response.aiter_lines():
                item = json.loads(line)
                if item["type"] == "token":
                    order.append(path)
                    texts[path] += item["text"]

    async with worker.async_client() as client:
        await asyncio.gather(follow(client, None), follow(client, str(adapter)))
    assert texts == alone
    first_end = min(
        max(i for i, path in enumerate(order) if path == wanted) for wanted in (None, str(adapter))
    )
    both = order[order.index(order[-1]) : first_end]
    changes = sum(a != b for a, b in itertools.pairwise(both))
    # The reader may take several lines at once; blocks of one side's whole answer it never sees.
    assert changes > 20


async def test_a_client_that_goes_away_ends_its_answer(worker: Worker, tiny_model: Path) -> None:
    async with worker.async_client() as client:
        body = request(tiny_model, "Hello", max_new_tokens=LONG)
        async with client.stream("POST", "/generate", json=body) as response:
            lines = response.aiter_lines()
            for _ in range(3):
                await anext(lines)
            assert (await client.get("/health")).json()["active"] == 1
    started = time.monotonic()
    worker.wait_until(lambda health: health["active"] == 0)
    gone_after = time.monotonic() - started
    started = time.monotonic()
    worker.answer(tiny_model, "Hello", max_new_tokens=LONG)
    assert gone_after < (time.monotonic() - started) / 2


def test_unload_gives_back_and_loads_again(worker: Worker, tiny_model: Path) -> None:
    before = worker.answer(tiny_model, "Hi")[0]
    worker.wait_until(lambda health: not health["busy"])
    reply = worker.client.post("/unload", json={"model_path": str(tiny_model)}).json()
    assert reply == {"unloaded": [str(tiny_model)]}
    loaded = worker.client.get("/health").json()["loaded"]
    assert str(tiny_model) not in [model["model_path"] for model in loaded]
    assert worker.answer(tiny_model, "Hi")[0] == before


def test_load_makes_ready(worker: Worker, tiny_model: Path, adapter: Path) -> None:
    worker.client.post("/unload", json={})
    reply = worker.client.post(
        "/load", json={"model_path": str(tiny_model), "adapter_path": str(adapter)}
    ).json()
    assert reply["loaded"][0]["adapters"] == [str(adapter)]


def test_a_folder_that_changed_is_loaded_again(
    worker: Worker, tiny_model: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "changing")
    assert worker.answer(folder, "Hi", max_new_tokens=3)[1]["finish_reason"] == "length"
    path = folder / "generation_config.json"
    every_token = list(range(260))
    path.write_text(json.dumps({"eos_token_id": every_token}))
    assert worker.answer(folder, "Hi", max_new_tokens=3)[1]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("gone", "model_not_found"),
        ("no config", "model_not_found"),
        ("no weights", "model_not_found"),
        ("pickle", "unsafe_model"),
        ("code in config", "unsafe_model"),
        ("code in tokenizer", "unsafe_model"),
        ("cut weights", "model_not_found"),
        ("cut tokenizer", "model_not_found"),
        ("no template", "bad_spec"),
    ],
)
def test_what_can_not_be_served_is_refused_plainly(
    worker: Worker, tiny_model: Path, tmp_path: Path, damage: str, code: str
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "damaged")
    weights = folder / "model.safetensors"
    if damage == "gone":
        shutil.rmtree(folder)
    elif damage == "no config":
        (folder / "config.json").unlink()
    elif damage == "no weights":
        weights.unlink()
    elif damage == "pickle":
        weights.rename(folder / "pytorch_model.bin")
    elif damage == "cut weights":
        weights.write_bytes(weights.read_bytes()[:5000])
    elif damage == "cut tokenizer":
        (folder / "tokenizer.json").write_text('{"version": "1.0", "model"')
    elif damage == "no template":
        (folder / "chat_template.jinja").unlink()
    else:
        path = folder / ("config.json" if "config" in damage else "tokenizer_config.json")
        nested = {"deep": [{"auto_map": {"AutoModelForCausalLM": "code.Model"}}]}
        path.write_text(json.dumps(json.loads(path.read_text()) | nested))
    items = worker.items(folder, "Hi")
    assert [item["type"] for item in items] == ["error"]
    assert items[0]["code"] == code
    assert items[0]["message"].endswith(".") or ":" in items[0]["message"]
    assert items[0]["hint"]
    assert worker.answer(tiny_model, "Hi", max_new_tokens=1)[1]["type"] == "done"


def test_a_conversation_that_is_too_long_is_refused(worker: Worker, tiny_model: Path) -> None:
    items = worker.items(tiny_model, "x" * 2100)
    assert items[-1]["code"] == "prompt_too_long"
    assert "2048" in items[-1]["message"]


def test_a_prompt_longer_than_one_piece_is_read_whole(worker: Worker, tiny_model: Path) -> None:
    _, done = worker.answer(tiny_model, "x" * 1500, max_new_tokens=3)
    assert done["prompt_tokens"] > 1500
    assert done["completion_tokens"] == 3


def test_the_end_of_the_context_ends_the_answer(worker: Worker, tiny_model: Path) -> None:
    _, done = worker.answer(tiny_model, "x" * 2000, max_new_tokens=LONG)
    assert done["finish_reason"] == "length"
    assert done["prompt_tokens"] + done["completion_tokens"] == 2048


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"model_path": "x"}',
        b'{"model_path": "x", "messages": []}',
        b'{"model_path": "x", "messages": [{"role": "user", "content": "a"}], "top_p": 0}',
        b'{"model_path": "x", "messages": [{"role": "user", "content": "a"}], "api_base": "b"}',
        b'{"model_path": "x", "messages": [{"role": "robot", "content": "a"}]}',
    ],
)
def test_a_wrong_request_names_what_is_wrong(worker: Worker, body: bytes) -> None:
    response = worker.client.post("/generate", content=body)
    assert response.status_code == 422
    assert response.json()["type"] == "error"
    assert response.json()["code"] == "bad_request"


@pytest.mark.long
def test_sigterm_ends_cleanly_in_the_middle_of_an_answer(tiny_model: Path) -> None:
    with running() as worker:
        worker.wait_ready()
        body = request(tiny_model, "Hello", max_new_tokens=LONG)
        with worker.client.stream("POST", "/generate", json=body) as response:
            lines = response.iter_lines()
            next(lines)
            worker.process.terminate()
            *_, last = lines
        assert json.loads(last)["finish_reason"] == "cancelled"
        assert wait(worker.process) == 0
        assert not worker.socket.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_the_worker_can_gain_nothing(worker: Worker) -> None:
    status = Path(f"/proc/{worker.process.pid}/status").read_text().split("\n")
    assert "NoNewPrivs:\t1" in status
    assert "Umask:\t0077" in status
    threads = Path(f"/proc/{worker.process.pid}/task").glob("*/status")
    assert all("NoNewPrivs:\t1\n" in thread.read_text() for thread in threads)


@pytest.mark.long
def test_a_dead_worker_leaves_no_obstacle(short_folder: Path) -> None:
    path = short_folder / "serve.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    process = start(path)
    worker = Worker(process, path)
    try:
        assert worker.wait_until(lambda _: True)
        second = start(path, stderr=subprocess.PIPE)
        _, told = second.communicate(timeout=30)
        assert second.returncode == 2
        assert b"Another worker answers" in told
        assert worker.client.get("/health").status_code == 200
    finally:
        worker.client.close()
        process.kill()
        process.wait()


def test_a_file_in_the_way_is_left_alone(short_folder: Path) -> None:
    path = short_folder / "serve.sock"
    path.write_text("precious")
    process = start(path, stderr=subprocess.PIPE)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 2
    assert b"is no socket" in told
    assert path.read_text() == "precious"


def alive(pid: int) -> bool:
    """Whether a process that is not our child runs, zombies not counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.long
def test_it_ends_when_its_parent_is_killed(short_folder: Path) -> None:
    path = short_folder / "serve.sock"
    code = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, '-m', 'training_engine.serve', {str(path)!r}])\n"
        "print(p.pid, flush=True)\ntime.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    worker = Worker(parent, path)
    worker.wait_until(lambda _: True)
    worker.client.close()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and path.exists():
        time.sleep(0.05)
    assert not path.exists()
    while time.monotonic() < deadline and alive(child):
        time.sleep(0.05)
    assert not alive(child)


def test_models_make_room_for_each_other_only_when_needed(worker: Worker, tmp_path: Path) -> None:
    worker.client.post("/unload", json={})
    folders = [build_tiny_model(tmp_path / name) for name in ("one", "two")]
    for folder in folders:
        worker.answer(folder, "Hi", max_new_tokens=1)
    loaded = worker.wait_until(lambda health: not health["busy"])["loaded"]
    assert [model["model_path"] for model in loaded] == sorted(map(str, folders))
