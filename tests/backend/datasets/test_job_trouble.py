"""Whatever ends a job about data, the user reads of data, and how to begin again."""

import re
import signal
from typing import Any

import httpx
import pytest

from backend.database import SessionFactory, transaction
from backend.datasets import queries
from backend.datasets.hygiene import service as examinations
from backend.datasets.hygiene.outcome import apply as examined
from backend.datasets.importing.outcome import apply as imported
from backend.datasets.job_trouble import Work, told
from backend.datasets.preparing.outcome import apply as prepared
from backend.jobs import service as jobs
from backend.jobs.schemas import JobStatus
from backend.runner.endings import Cause, Evidence, judge
from tests.backend.datasets.conftest import API, Import

OF_TRAINING = re.compile(r"engine|checkpoint|batch|training|resume|model", re.IGNORECASE)
KILLED = {"signal": signal.SIGKILL, "oom_killed": False}
ENDS = [
    Evidence(exit_facts=KILLED),
    Evidence(exit_facts={**KILLED, "oom_killed": True}),
    Evidence(exit_facts={"exit_code": 1}),
    Evidence(exit_facts={"exit_code": 2}),
    Evidence(exit_facts={"exit_code": 0}),
    *(Evidence(cause=cause, detail="no such file") for cause in Cause),
]


@pytest.mark.parametrize("work", Work)
@pytest.mark.parametrize("end", ENDS, ids=lambda end: str(end.cause or end.exit_facts))
def test_no_end_speaks_of_training(end: Evidence, work: Work) -> None:
    error = judge(end).error
    assert error is not None
    words = told(error, work)
    assert not OF_TRAINING.search(words["message"] + words["hint"])
    assert words["code"].startswith("data_work_")
    assert "again" in words["hint"]
    assert words["params"]["work"] == work
    assert told(words, work) == words


def test_what_is_known_of_the_end_is_kept() -> None:
    error = judge(Evidence(exit_facts=KILLED)).error
    assert error is not None
    words = told(error, Work.PREPARATION)
    assert words["message"] == "The preparation was ended by SIGKILL."
    assert words["params"]["signal"] == "SIGKILL"
    full = {"code": "disk_full", "message": "No space.", "hint": "Free some.", "params": {}}
    words = told(full, Work.IMPORT)
    assert (words["message"], words["hint"]) == ("No space.", "Free some.")


LINES = '{"instruction": "Who?", "output": "I"}\n' * 3
TOLD = {
    queries.IMPORT: (imported, "import"),
    queries.PREPARE: (prepared, "preparation"),
    examinations.EXAMINE: (examined, "examination"),
}


@pytest.mark.parametrize("kind", TOLD)
async def test_killed(
    client: httpx.AsyncClient, sessions: SessionFactory, upload: Import, kind: str
) -> None:
    if kind == queries.IMPORT:
        answer = await client.post(API, files={"file": ("a.jsonl", LINES.encode())})
        dataset = answer.json()
    else:
        dataset = await upload("a.jsonl", LINES)
    url = f"{API}/{dataset['id']}"
    if kind == queries.PREPARE:
        steps = [{"kind": "shuffle", "seed": 1}]
        assert (await client.post(f"{url}/prepare", json={"steps": steps})).status_code == 202
    apply, work = TOLD[kind]
    ending = judge(Evidence(exit_facts=KILLED))
    async with transaction(sessions) as session:
        job = await jobs.newest_of(session, dataset["id"], kind)
        assert job is not None
        await jobs.move(session, job.id, job.attempt, JobStatus.PREPARING, "claimed")
        values: dict[str, Any] = {"error": ending.error}
        job = await jobs.move(session, job.id, job.attempt, ending.status, "ended", **values)
        await apply(session, job)
    found = (await client.get(url)).json()
    error = {
        queries.IMPORT: lambda: found["error"],
        queries.PREPARE: lambda: found["preparation"]["error"],
    }.get(kind)
    shown = error() if error else (await client.get(f"{url}/hygiene")).json()["error"]
    assert (shown["code"], shown["params"]["work"]) == ("data_work_crashed", work)
    assert "SIGKILL" in shown["message"]
    listed = (await client.get(API)).json()["items"][0]
    assert listed["error"] == found["error"]
