"""Fills a platform's database as a year of use would: users, data sets, tasks that ended somehow.

Rows go straight into the tables; nothing of it has files. The same for the same numbers.
"""

from __future__ import annotations

import hashlib
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from client import ROOT
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.accounts.tables import SignInRow, UserRow
from backend.database import make_engine
from backend.datasets.tables import DatasetRow, DatasetUseRow
from backend.ids import new_id
from backend.jobs.tables import JobRow, JobTransitionRow
from backend.models.tables import ModelRow, ModelUseRow
from backend.tasks.tables import TaskRow
from training_engine.contract.hyperparameters import Hyperparameters

SPEC = json.loads((ROOT / "tests/contract/samples/spec-lora.json").read_text())
PURPOSES = ("support", "invoices", "triage", "summaries", "contracts", "translation", "search")
BASES = ("SmolLM2-135M-Instruct", "Qwen3-0.6B", "Llama-3.2-1B-Instruct", "bge-m3", "Qwen3-8B")
# A queue of 40, three that run, the others ended.
WAITING, RUNNING = 40, 3
OUTCOMES = {"COMPLETED": 86, "FAILED": 9, "STOPPED": 5}
ERROR = {
    "code": "out_of_memory",
    "message": "The accelerator has too little memory for this run.",
    "hint": "Halve the micro batch, or compute activations twice.",
    "params": {"needed_bytes": 9_400_000_000, "available_bytes": 8_100_000_000},
}
ESTIMATE: dict[str, Any] = {
    "memory_bytes": 3_211_000_000,
    "memory_available_bytes": 12_000_000_000,
    "memory_parts": [
        {"name": name, "size_bytes": 401_000_000}
        for name in ("weights", "adapters", "gradients", "optimizer", "activations", "reserve")
    ],
    "fit": "fits",
    "disk_bytes": 90_000_000,
    "disk_available_bytes": 400_000_000_000,
    "time_s": 840.5,
    "time_low_s": 600.0,
    "time_high_s": 1300.0,
    "total_steps": 300,
    "num_tokens": 1_228_800,
    "num_rows": 2400,
    "device": "cuda",
    "warnings": [],
    "smaller_settings": [],
}


class Population:
    """What was put in: cookies by user, ids of tasks by owner."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.cookies: dict[UUID, str] = {}
        self.administrators: set[UUID] = set()
        self.tasks: dict[UUID, list[UUID]] = {}
        self.datasets: list[tuple[UUID, str]] = []
        self.models: list[tuple[UUID, str]] = []
        self.now = datetime.now(UTC)

    def some_time(self) -> datetime:
        """A moment of the last year."""
        return self.now - timedelta(seconds=self.chance.randint(3600, 365 * 86_400))


async def fill(url: str, users: int, tasks: int, datasets: int) -> Population:
    """Write it all; every second user is an administrator and sees everything."""
    made = Population(seed=1)
    engine = make_engine(url)
    async with engine.begin() as connection:
        # On a busy machine it takes longer than any transaction of the platform.
        await connection.execute(text("SET LOCAL transaction_timeout = 0"))
        await _add_users(connection, made, users)
        await _add_sources(connection, made, datasets)
        await _add_tasks(connection, made, tasks)
        # Somebody else leads: the platform's own supervisor would start what waits.
        await connection.execute(
            text(
                "INSERT INTO supervisor_lease (id, epoch, holder, expires_at) "
                "VALUES (1, 1, 'benchmark', now() + interval '1 day') "
                "ON CONFLICT (id) DO UPDATE SET epoch = supervisor_lease.epoch + 1, "
                "holder = excluded.holder, expires_at = excluded.expires_at"
            )
        )
    async with engine.connect() as connection:  # as autovacuum does within minutes
        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text("VACUUM ANALYZE"))
    await engine.dispose()
    return made


async def _put(connection: AsyncConnection, table: type, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), 500):
        await connection.execute(insert(table), rows[start : start + 500])


async def _add_users(connection: AsyncConnection, made: Population, count: int) -> None:
    users, sign_ins = [], []
    for number in range(count):
        id_, secret = new_id(), f"bench-{number}-{made.chance.getrandbits(128):x}"
        role = "administrator" if number % 2 else "member"
        users.append(
            {"id": id_, "username": f"user{number}", "role": role, "password_hash": "none"}
        )
        sign_ins.append(
            {
                "user_id": id_,
                "secret_hash": hashlib.sha256(secret.encode()).hexdigest(),
                "expires_at": made.now + timedelta(days=7),
                "user_agent": "benchmark",
            }
        )
        made.cookies[id_] = secret
        if number % 2:
            made.administrators.add(id_)
    await _put(connection, UserRow, users)
    await _put(connection, SignInRow, sign_ins)


async def _add_sources(connection: AsyncConnection, made: Population, count: int) -> None:
    owners = list(made.cookies)
    models = [
        {"id": new_id(), "name": base, "source": "huggingface", "reference": f"org/{base}",
         "revision": "0" * 40, "status": "ready", "architecture": "LlamaForCausalLM",
         "num_parameters": 135_000_000, "context_length": 8192, "size_bytes": 270_000_000,
         "licence": "apache-2.0", "has_chat_template": True}
        for base in BASES
    ]  # fmt: skip
    await _put(connection, ModelRow, models)
    made.models = [(row["id"], row["name"]) for row in models]
    rows = []
    for number in range(count):
        purpose = made.chance.choice(PURPOSES)
        status = made.chance.choices(("ready", "blocked", "failed"), (94, 3, 3))[0]
        size = made.chance.randint(10_000, 900_000_000)
        rows.append(
            {"id": new_id(), "owner_id": owners[number % len(owners)], "status": status,
             "name": f"{purpose} {number}", "description": f"Conversations about {purpose}.",
             "filename": f"{purpose}-{number}.jsonl", "size_bytes": size,
             "upload_sha256": f"{number:064x}", "sha256": f"{number:064x}",
             "record_type": "conversational", "num_rows": size // 900, "encoding": "utf-8",
             "format": "openai_messages", "columns": ["messages", "id", "source"],
             "counts": {"kept": size // 900, "repaired": 12, "truncated": 0, "dropped": 0},
             "error": {**ERROR, "code": "too_many_dropped"} if status != "ready" else None}
        )  # fmt: skip
    await _put(connection, DatasetRow, rows)
    made.datasets = [(row["id"], row["name"]) for row in rows]


async def _add_tasks(connection: AsyncConnection, made: Population, count: int) -> None:
    jobs: list[dict[str, Any]] = []
    tasks: list[dict[str, Any]] = []
    moves: list[dict[str, Any]] = []
    uses: list[dict[str, Any]] = []
    bases: list[dict[str, Any]] = []
    owners = list(made.cookies)
    for number in range(count):
        left = count - number
        status = made.chance.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
        if left <= WAITING:
            status = "PENDING"
        elif left <= WAITING + RUNNING:
            status = "RUNNING"
        owner = owners[number % len(owners)]
        task, job, edges = _one_task(made, number, owner, status, left - WAITING - 1)
        tasks.append(task)
        jobs.append(job)
        moves += _moves(job)
        uses.append({"dataset_id": task["dataset_id"], "version": 1, **edges})
        bases.append({"model_id": task["model_id"], **edges})
        made.tasks.setdefault(owner, []).append(task["id"])
    for table, rows in ((JobRow, jobs), (TaskRow, tasks), (JobTransitionRow, moves),
                        (DatasetUseRow, uses), (ModelUseRow, bases)):  # fmt: skip
        await _put(connection, table, rows)


def _one_task(
    made: Population, number: int, owner: UUID, status: str, slot: int
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A task, its job, and what an edge to its data and its model has."""
    chance, task_id, job_id = made.chance, new_id(), new_id()
    dataset, model = made.datasets[number % len(made.datasets)], chance.choice(made.models)
    purpose, begun, steps = chance.choice(PURPOSES), made.some_time(), chance.randint(20, 3000)
    rate, name = round(chance.uniform(1e-5, 5e-4), 7), f"{purpose} with {model[1]}, try {number}"
    given = Hyperparameters(learning_rate=rate, max_length=1024).model_dump(mode="json")
    waits = status == "PENDING"
    task = {
        "id": task_id, "owner_id": owner, "job_id": job_id, "name": name,
        "description": f"What changes with a rate of {rate} for {purpose}?",
        "intent": "chat", "objective": "sft", "method": "lora", "device": "auto",
        "hyperparameters": given, "output_name": f"{purpose}-{number}",
        "model_id": model[0], "model_name": model[1], "dataset_id": dataset[0],
        "dataset_name": dataset[1], "dataset_version": 1, "estimate": ESTIMATE,
        "created_at": begun,
    }  # fmt: skip
    job = {
        "id": job_id, "kind": "train", "status": status, "attempt": 1 + (number % 10 == 0),
        "slot": "training", "slot_index": slot if status == "RUNNING" else None,
        "owner_id": owner, "subject_id": task_id, "spec": {**SPEC, "hyperparameters": given},
        "phase": "train" if status == "RUNNING" else None,
        "progress": 0.0 if waits else round(chance.random(), 3), "step": 0 if waits else steps,
        "total_steps": steps, "epoch": 2.5, "tokens_per_s": 1833.2,
        "metrics": {} if waits else {
            "loss": 1.234, "grad_norm": 0.71, "learning_rate": rate, "eval_loss": 1.31,
            "mean_token_accuracy": 0.71, "memory_bytes": 3_000_000_000.0},
        "error": ERROR if status == "FAILED" else None, "resumable": status == "STOPPED",
        "device": "cuda:0", "dtype": "bfloat16", "device_reason": "The first free accelerator.",
        "peak_memory_bytes": 3_100_000_000, "queued_at": begun,
        "started_at": None if waits else begun + timedelta(seconds=9),
        "finished_at": None if waits or status == "RUNNING" else begun + timedelta(minutes=14),
    }  # fmt: skip
    return task, job, {"task_id": task_id, "job_id": job_id, "task_name": name}


def _moves(job: dict[str, Any]) -> list[dict[str, Any]]:
    """As a job of this status has come there."""
    way = ["PENDING"]
    if job["status"] != "PENDING":
        way += ["PREPARING", "RUNNING"]
    if job["status"] not in way:
        way.append(job["status"])
    return [
        {"job_id": job["id"], "attempt": job["attempt"], "from_status": before,
         "to_status": after, "reason": "benchmark", "at": job["queued_at"]}
        for before, after in zip([None, *way], way, strict=False)
    ]  # fmt: skip
