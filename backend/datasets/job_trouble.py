"""How jobs about data fail, in words about data: the codes of runs, and what they advise, speak of
training.

Runs and these jobs end in the same few ways, which `runner.endings` and the jobs' children tell.
Here such an end gets a code of its own, and as next step the way to start this kind of work again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from training_engine.contract.names import FailureCode


class Work(StrEnum):
    """What can be done with data in the background."""

    IMPORT = "import"
    FETCH = "fetch"
    PREPARATION = "preparation"
    EXAMINATION = "examination"


_SUBJECTS = {
    Work.IMPORT: "The import",
    Work.FETCH: "Fetching the data set",
    Work.PREPARATION: "The preparation",
    Work.EXAMINATION: "The examination",
}
_AGAIN = {
    Work.IMPORT: "Import the file again, or delete the data set.",
    Work.FETCH: "Fetch it again, or delete the data set.",
    Work.PREPARATION: "Prepare the data set again.",
    Work.EXAMINATION: "Examine the data set again; it can be used as it is.",
}


@dataclass(frozen=True)
class _End:
    """`hint` is None where the job itself has said what to do; `{again}` is to start it again."""

    code: str
    hint: str | None = None


_CRASHED = _End(
    "data_work_crashed",
    "{again} If it ends like this again, this machine may have too little memory for it: the "
    "server's folder of the job has the details in its log.",
)
_ENDS = {
    FailureCode.ENGINE_CRASHED: _CRASHED,
    FailureCode.BAD_SPEC: _CRASHED,
    FailureCode.ENGINE_HUNG: _End(
        "data_work_hung", "{again} If it hangs again, check the disk of the data folder."
    ),
    FailureCode.LAUNCH_TIMEOUT: _End(
        "data_work_late", "The machine may be overloaded: wait until it has less to do. {again}"
    ),
    FailureCode.DEPENDENCY: _End(
        "data_work_not_started", "Run `easytune doctor` and repair what it names. {again}"
    ),
    FailureCode.SUPERVISOR_LOST: _End(
        "data_work_lost", "{again} If it happens again, check the data folder and its disk."
    ),
    FailureCode.HOST_REBOOTED: _End("data_work_interrupted", "{again}"),
    FailureCode.HOST_OUT_OF_MEMORY: _End("data_work_out_of_memory"),
    FailureCode.DISK_FULL: _End("data_work_disk_full"),
    FailureCode.BAD_DATASET: _End("data_work_nothing_to_read"),
    FailureCode.INTERNAL: _End("data_work_failed"),
}
_OUT_OF_MEMORY_HINT = "Free some memory. {again}"
_STOPPED_FETCH = {
    "code": "fetch_stopped",
    "message": "Fetching the data set was stopped before it had ended.",
    "hint": _AGAIN[Work.FETCH],
    "params": {},
}


def told(error: Mapping[str, Any], work: Work) -> dict[str, Any]:
    """`{code, message, hint, params}` of a job that did `work`, as the user reads it.

    `params.work` names the work, `params.reason` keeps the sentence that came with it. Errors that
    speak of data already stay as they are.
    """
    if work is Work.FETCH and error["code"] == "import_stopped":  # it ends as imports do
        return dict(_STOPPED_FETCH)
    end = _ENDS.get(error["code"])
    if end is None:
        return dict(error)
    message = _of_this_work(str(error["message"]), _SUBJECTS[work])
    hint = end.hint
    params = error.get("params") or {}
    if end.code == "data_work_out_of_memory" and "signal" in params:
        hint = _OUT_OF_MEMORY_HINT  # what ended it knows no data, and advises a smaller batch
    return {
        "code": end.code,
        "message": message,
        "hint": error["hint"] if hint is None else hint.format(again=_AGAIN[work]),
        "params": {"reason": message, **params, "work": work.value},
    }


def _of_this_work(message: str, subject: str) -> str:
    """What is said of an engine, said of the work instead."""
    inside = subject[0].lower() + subject[1:]
    return message.replace("The engine", subject).replace("the engine", inside)
