"""What can go wrong, as a closed code, a plain sentence and the next action.

`EngineFailure` is raised where the reason is known; `explain` names the reason of everything else
at the one place that catches it.
"""

import errno
import re
from dataclasses import dataclass, field

from training_engine.contract.events import Scalar
from training_engine.contract.names import FailureCode

# What torch says of it, in lower case; NVIDIA's libraries have words of their own.
NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
)
SMALLER = "Use a smaller maximum length, a smaller micro-batch or a smaller model."


@dataclass
class EngineFailure(Exception):
    """The run cannot go on. `message` says what and where, `hint` what to do."""

    code: FailureCode
    message: str
    hint: str
    params: dict[str, Scalar] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message


def explain(error: BaseException) -> EngineFailure:
    """The failure that an exception means to the user."""
    if isinstance(error, EngineFailure):
        return error
    text = str(error).strip()
    first = text.splitlines()[0][:300] if text else type(error).__name__
    no_memory = isinstance(error, MemoryError) or _errno(error) == errno.ENOMEM
    if no_memory or "can't allocate memory" in text:
        return EngineFailure(
            FailureCode.HOST_OUT_OF_MEMORY, "The machine has not enough memory.", SMALLER
        )
    if is_out_of_memory(error):
        return EngineFailure(
            FailureCode.OUT_OF_MEMORY, "The accelerator has not enough memory.", SMALLER
        )
    if _errno(error) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        detail = error.args[1] if isinstance(error, OSError) and len(error.args) > 1 else first
        return EngineFailure(
            FailureCode.DISK_FULL,
            f"The disk is full: {detail}",
            "Free disk space, then resume the run.",
        )
    if type(error).__name__ == "CorruptCheckpoint":  # by name: its module needs torch
        return EngineFailure(
            FailureCode.CHECKPOINT_CORRUPT,
            f"What was written can not be read back as it was: {first}.",
            "Check the disk, then resume the run from an earlier checkpoint.",
        )
    if isinstance(error, ImportError):
        return EngineFailure(
            FailureCode.DEPENDENCY,
            f"A Python package is missing or broken: {first}",
            "Run `easytune doctor`, install what it names, then restart.",
        )
    return EngineFailure(
        FailureCode.INTERNAL,
        f"The engine met an error that it does not know: {type(error).__name__}: {first}",
        "The log shows where. Report it together with the versions at its beginning.",
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch found no memory, on a GPU or on the CPU."""
    text = str(error).lower()
    return any(sign in text for sign in NO_MEMORY)


def _errno(error: BaseException) -> int | None:
    """The system's number of an error; safetensors tells it only in its text."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"os error (\d+)", str(error))
    return int(found[1]) if found else None
