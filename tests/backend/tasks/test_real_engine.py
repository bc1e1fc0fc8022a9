"""The whole way with the real engine on a tiny model: what comes out is what PEFT understands."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.accounts.tables import UserRow
from backend.database import SessionFactory, transaction
from backend.jobs.run_folder import RunFolder
from backend.models.tables import ModelRow
from backend.processes.identity import with_nonce
from backend.runner.executors.local import nonce_of
from backend.runner.supervisor import Supervisor
from backend.runner.timeouts import Timeouts
from backend.settings import Settings
from backend.tasks.run_spec import model_folder
from tests.backend.tasks.sources import add_dataset, add_model
from tests.backend.tasks.test_flow import ENDED, Flow

QUICK = Timeouts(tick_live_s=0.05, tick_idle_s=0.2, orphan_s=3.0)
# Loads an adapter as its README says, in a process that knows nothing of this project.
LOAD = """\
import sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
base, folder = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder)
learnt = sum(float(v.abs().sum()) for n, v in model.named_parameters() if "lora_B" in n)
turn = [{"role": "user", "content": "Do you sell 3 lamps?"}]
ids = tokenizer.apply_chat_template(turn, add_generation_prompt=True, return_tensors="pt")
answer = model.generate(**ids, max_new_tokens=3, do_sample=False)
print(learnt, answer.shape[1] - ids["input_ids"].shape[1])
"""


@pytest.fixture
async def model(sessions: SessionFactory, settings: Settings) -> ModelRow:
    async with transaction(sessions) as session:
        return await add_model(session, settings)


@pytest.fixture
async def flow(
    live_client: httpx.AsyncClient,
    sessions: SessionFactory,
    settings: Settings,
    administrator: UserRow,
    model: ModelRow,
) -> AsyncIterator[Flow]:
    async with transaction(sessions) as session:
        data = await add_dataset(session, settings, administrator.id, rows=64)
    body: dict[str, Any] = {
        "name": "Lamp bot",
        "model_id": str(model.id),
        "dataset_id": str(data.id),
        "output_name": "lamp-bot",
        "device": "cpu",
        "hyperparameters": {"epochs": 2, "max_length": 256, "learning_rate": 0.01},
    }
    yield Flow(live_client, sessions, body)
    for folder in settings.runs_dir.glob("*/*"):
        for process in with_nonce(nonce_of(RunFolder(folder, 1))):
            process.kill()


@pytest.fixture
async def supervisor(settings: Settings, sessions: SessionFactory) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(settings, sessions, timeouts=QUICK)
    running = asyncio.create_task(supervisor.run())
    yield supervisor
    supervisor.stop()
    await running


def _loads(base: Path, folder: Path) -> tuple[float, int]:
    """How much the adapter learnt, and how many tokens the model then says."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOAD, str(base), str(folder)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    learnt, tokens = done.stdout.split()
    return float(learnt), int(tokens)


@pytest.mark.long
async def test_create_train_download_load(
    flow: Flow, supervisor: Supervisor, settings: Settings, model: ModelRow, tmp_path: Path
) -> None:
    path = await flow.create()
    task = await flow.until(path, *ENDED)
    assert (task["status"], task["error"]) == ("COMPLETED", None)
    assert task["total_steps"] == task["step"] == task["estimate"]["total_steps"]
    curve = (await flow.client.get(f"{path}/metrics")).json()["series"]["loss"]
    assert curve[-1]["value"] < curve[0]["value"]
    zipped = await flow.client.get(f"{path}/artifact")
    zipfile.ZipFile(io.BytesIO(zipped.content)).extractall(tmp_path)
    learnt, tokens = _loads(model_folder(settings, model), tmp_path / "lamp-bot" / "artifacts")
    assert learnt > 0
    assert tokens > 0
    log = (await flow.client.get(f"{path}/logs", params={"q": "step"})).json()
    assert log["matched"] > 0


@pytest.mark.long
async def test_killed_in_the_middle_resumed_to_the_end(
    flow: Flow, supervisor: Supervisor, settings: Settings, model: ModelRow, tmp_path: Path
) -> None:
    flow.body["hyperparameters"] |= {"epochs": 15, "save_steps": 5, "evaluation_fraction": 0}
    path = await flow.create()
    await flow.until(path, "RUNNING", step=12)
    (folder,) = settings.runs_dir.glob("*/1")
    killed_at = time.monotonic()
    os.kill((RunFolder(folder, 1).identity() or {})["child_pid"], signal.SIGKILL)
    task = await flow.until(path, *ENDED)
    assert (task["status"], task["resumable"]) == ("FAILED", True)
    assert time.monotonic() - killed_at < 5
    await flow.post(path, "resume")
    await flow.until(path, "RUNNING")
    await flow.post(path, "stop", save=True)
    assert (await flow.until(path, *ENDED))["status"] == "STOPPED"
    await flow.post(path, "resume")
    task = await flow.until(path, *ENDED)
    assert (task["status"], task["attempt"]) == ("COMPLETED", 3)
    curve = (await flow.client.get(f"{path}/metrics")).json()
    steps = [point["step"] for point in curve["series"]["loss"]]
    assert steps == sorted(set(steps))
    assert steps[-1] == task["total_steps"]
    assert curve["attempts"]["1"] == 0
    assert 0 < curve["attempts"]["2"] <= curve["attempts"]["3"]
    zipped = await flow.client.get(f"{path}/artifact")
    zipfile.ZipFile(io.BytesIO(zipped.content)).extractall(tmp_path)
    assert _loads(model_folder(settings, model), tmp_path / "lamp-bot" / "artifacts")[0] > 0
