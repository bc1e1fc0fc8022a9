"""Every way a run can end, with the real run host: one terminal state, one true reason."""

import json
import signal

import pytest

from backend.jobs.event_file import read_events
from backend.jobs.schemas import JobStatus
from backend.runner.supervisor import Supervisor
from tests.backend.runner import outcome
from tests.backend.runner.conftest import ENDLESS, Bench

pytestmark = pytest.mark.usefixtures("supervisor")


async def test_a_run_completes(bench: Bench) -> None:
    job_id = await bench.queue(steps=4)
    job = await bench.until_ended(job_id)
    assert (job.status, job.progress, job.step, job.total_steps) == (JobStatus.COMPLETED, 1.0, 4, 4)
    assert (job.device, job.dtype, job.device_reason) == ("cpu", "float32", "fake")
    assert job.metrics == {"loss": 0.5, "learning_rate": 2e-4, "eval_loss": 0.5}
    assert (job.error, job.phase, job.resumable) == (None, None, False)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.peak_memory_bytes is not None
    assert job.peak_memory_bytes > 1024 * 1024
    assert [(m.from_status, m.to_status, m.reason) for m in await bench.history(job_id)] == [
        (None, "PENDING", "created"),
        ("PENDING", "PREPARING", "claimed"),
        ("PREPARING", "RUNNING", "first_step"),
        ("RUNNING", "COMPLETED", "finished"),
    ]
    assert outcome.told == [(str(job_id), 1, "COMPLETED")]
    folder = bench.folder(job)
    spec = json.loads(folder.spec_file.read_bytes())
    assert (spec["run_id"], spec["attempt"], spec["kind"]) == (str(job_id), 1, "fake")
    _events, end = read_events(folder.events_file, 0)
    assert job.event_offset == end
    assert bench.processes(job) == []


async def test_on_a_gpu_its_own_memory_counts(bench: Bench) -> None:
    gpu = {"steps": 2, "device": "cuda:0", "peak_device_bytes": 3_000_000_000}
    job = await bench.until_ended(await bench.queue(**gpu))
    assert job.peak_memory_bytes == 3_000_000_000
    crashed = await bench.until_ended(await bench.queue(**gpu | {"steps": 9}, crash_at=4))
    # As last told while it ran: the main memory would say nothing.
    assert crashed.peak_memory_bytes == 3_000_000_000


async def test_a_crash_is_a_failure_with_the_way_on(bench: Bench) -> None:
    job = await bench.until_ended(await bench.queue(steps=9, crash_at=4))
    assert job.status == JobStatus.FAILED
    assert job.error is not None
    assert job.error["code"] == "engine_crashed"
    assert job.error["params"] == {"exit_code": 1}
    assert job.resumable
    assert job.checkpoint is not None
    assert (job.checkpoint["name"], job.checkpoint["attempt"]) == ("step-00000002", 1)
    lines = bench.folder(job).log_file.read_bytes()
    attempt, offset = map(int, job.error["log_line"].split("-"))
    assert attempt == 1
    assert b"asked to crash at step 4" in lines[offset:]
    assert outcome.told == [(str(job.id), 1, "FAILED")]


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
async def test_a_signal_is_named(bench: Bench, number: signal.Signals) -> None:
    job = await bench.until_ended(await bench.queue(steps=9, kill_at=3, signal=int(number)))
    assert job.error is not None
    assert (job.status, job.error["code"]) == (JobStatus.FAILED, "engine_crashed")
    assert job.error["params"] == {"signal": number.name}
    assert number.name in job.error["message"]


async def test_killed_from_outside_is_seen_and_named(bench: Bench) -> None:
    job = await bench.until_step(await bench.queue(**ENDLESS), 5)
    _, engine = bench.host_and_engine(job)
    engine.kill()
    job = await bench.until_ended(job.id)
    assert job.error is not None
    assert (job.error["code"], job.error["params"]) == ("engine_crashed", {"signal": "SIGKILL"})
    assert job.resumable


async def test_what_the_engine_says_is_what_the_user_reads(bench: Bench) -> None:
    job = await bench.until_ended(await bench.queue(steps=5, fail_at=2, code="nan_loss"))
    assert job.error is not None
    assert {key: job.error[key] for key in ("code", "message", "hint")} == {
        "code": "nan_loss",
        "message": "It failed.",
        "hint": "Retry.",
    }
    assert not job.resumable


@pytest.mark.long
@pytest.mark.parametrize(
    ("exit_code", "status", "code"),
    [(0, "FAILED", "engine_crashed"), (2, "FAILED", "bad_spec"), (7, "FAILED", "engine_crashed"),
     (3, "STOPPED", None)],
)  # fmt: skip
async def test_exit_codes_without_a_last_event(
    bench: Bench, exit_code: int, status: str, code: str | None
) -> None:
    job = await bench.until_ended(await bench.queue(steps=5, exit_at=1, exit_code=exit_code))
    assert job.status == status
    assert (job.error or {}).get("code") == code


async def test_an_engine_that_can_not_be_imported_fails_with_a_log(bench: Bench) -> None:
    job = await bench.until_ended(await bench.queue("missing"))
    assert job.error is not None
    assert job.error["code"] == "engine_crashed"
    assert b"no_such_engine" in bench.folder(job).log_file.read_bytes()


async def test_a_run_host_that_can_not_start_is_a_launch_failure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.runner.executors.local.HOST_MODULE", "no_such_host")
    job = await bench.until_ended(await bench.queue())
    assert job.error is not None
    assert job.error["code"] == "dependency"
    assert "no_such_host" in job.error["message"]


async def test_a_missing_interpreter_is_a_launch_failure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/does/not/exist")
    job = await bench.until_ended(await bench.queue())
    assert job.error is not None
    assert (job.error["code"], job.attempt) == ("dependency", 1)
    assert "No such file" in job.error["message"]


@pytest.mark.long
async def test_one_broken_run_does_not_reach_the_next(bench: Bench, supervisor: Supervisor) -> None:
    broken = await bench.queue(outcome="broken")
    once = await bench.queue(outcome="broken once")
    good = await bench.queue(steps=1)
    job = await bench.until_ended(broken)
    assert job.error is not None
    assert (job.status, job.error["code"]) == (JobStatus.FAILED, "internal")
    assert (await bench.until_ended(once)).status == JobStatus.FAILED
    assert (await bench.until_ended(good)).status == JobStatus.COMPLETED
    assert outcome.told == [(str(once), 1, "FAILED"), (str(good), 1, "COMPLETED")]
    assert supervisor.leading


async def test_children_of_the_engine_end_with_it(bench: Bench) -> None:
    job = await bench.until_ended(await bench.queue(steps=3, spawn_at=1))
    assert job.status == JobStatus.COMPLETED
    assert bench.processes(job) == []
