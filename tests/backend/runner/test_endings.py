"""The judgement on how an attempt ended, from every kind of evidence."""

from datetime import UTC, datetime
from typing import Any

import pytest

from backend.jobs.schemas import JobStatus
from backend.runner.endings import Cause, Evidence, judge
from training_engine.contract.events import Failed, Finished, Progress, Stopped
from training_engine.contract.names import FailureCode, Phase

BASE: dict[str, Any] = {"seq": 9, "at": datetime.now(UTC)}
FINISHED = Finished(**BASE, step=5)
STOPPED = Stopped(**BASE, step=5)
FAILED = Failed(**BASE, code=FailureCode.DISK_FULL, message="Full.", hint="Free.", step=5)
PROGRESS = Progress(**BASE, phase=Phase.TRAINING)
KILLED = {"exit_code": None, "signal": 9, "oom_killed": False}
OOM = {"exit_code": None, "signal": 9, "oom_killed": True}


@pytest.mark.parametrize(
    ("evidence", "status", "code"),
    [
        # The last event decides, whatever else is known.
        (Evidence(FINISHED, {"exit_code": 0}), "COMPLETED", None),
        (Evidence(FINISHED, KILLED, stop_requested=True), "COMPLETED", None),
        (Evidence(FINISHED, None, cause=Cause.LOST), "COMPLETED", None),
        (Evidence(FAILED, {"exit_code": 1}), "FAILED", "disk_full"),
        (Evidence(FAILED, {"exit_code": 1}, stop_requested=True), "FAILED", "disk_full"),
        (Evidence(STOPPED, {"exit_code": 3}, stop_requested=True), "STOPPED", None),
        (Evidence(STOPPED, {"exit_code": 3}), "STOPPED", None),
        # It saved because its host was killed: nobody asked for that.
        (Evidence(STOPPED, None, cause=Cause.LOST), "FAILED", "supervisor_lost"),
        # Whoever asked for a stop gets one, by force or not.
        (Evidence(PROGRESS, KILLED, stop_requested=True), "STOPPED", None),
        (Evidence(PROGRESS, None, stop_requested=True, cause=Cause.LOST), "STOPPED", None),
        (Evidence(PROGRESS, None, stop_requested=True, cause=Cause.REBOOTED), "FAILED",
         "host_rebooted"),
        # Else how the process ended.
        (Evidence(PROGRESS, {"exit_code": 0}), "FAILED", "engine_crashed"),
        (Evidence(None, {"exit_code": 0}), "FAILED", "engine_crashed"),
        (Evidence(None, {"exit_code": 2}), "FAILED", "bad_spec"),
        (Evidence(None, {"exit_code": 3}), "STOPPED", None),
        (Evidence(PROGRESS, {"exit_code": 1}), "FAILED", "engine_crashed"),
        (Evidence(PROGRESS, {"exit_code": 1, "disk_full": False}), "FAILED", "engine_crashed"),
        (Evidence(PROGRESS, {"exit_code": 1, "disk_full": True}), "FAILED", "disk_full"),
        (Evidence(PROGRESS, {"signal": 9, "disk_full": False}), "FAILED", "engine_crashed"),
        (Evidence(PROGRESS, KILLED), "FAILED", "engine_crashed"),
        (Evidence(PROGRESS, OOM), "FAILED", "host_out_of_memory"),
        (Evidence(PROGRESS, {"signal": 11, "oom_killed": True}), "FAILED", "engine_crashed"),
        (Evidence(PROGRESS, {"signal": 200}), "FAILED", "engine_crashed"),
        (Evidence(PROGRESS, {"signal": True, "exit_code": "x"}), "FAILED", "engine_crashed"),
        (Evidence(PROGRESS, {}), "FAILED", "engine_crashed"),
        # Else it is lost.
        (Evidence(PROGRESS, None, cause=Cause.LOST), "FAILED", "supervisor_lost"),
        (Evidence(PROGRESS, None, cause=Cause.REBOOTED), "FAILED", "host_rebooted"),
        (Evidence(PROGRESS, None, cause=Cause.FOLDER_GONE), "FAILED", "supervisor_lost"),
        (Evidence(PROGRESS, KILLED, cause=Cause.HUNG), "FAILED", "engine_hung"),
        (Evidence(None, None, cause=Cause.LAUNCH_TIMEOUT), "FAILED", "launch_timeout"),
        (Evidence(None, None, cause=Cause.LAUNCH_FAILED, detail="x"), "FAILED", "dependency"),
    ],
)  # fmt: skip
def test_judgement(evidence: Evidence, status: JobStatus, code: str | None) -> None:
    ending = judge(evidence)
    assert ending.status == status
    assert (ending.error or {}).get("code") == code
    if ending.error is not None:
        for key in ("message", "hint"):
            text = ending.error[key]
            assert text[0].isupper()
            assert text.endswith(".")
