"""What a job's state is called everywhere, and how jobs look to the things they are about."""

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel

# The name of the machine that the supervisor runs on. Not its host name: that of a container is
# another one after every start.
THIS_HOST = "local"


class JobStatus(StrEnum):
    """Where a piece of background work stands; a task shows its job's status."""

    PENDING = "PENDING"  # in the queue
    PREPARING = "PREPARING"  # claimed: launching, loading
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"  # asked to stop, still alive
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


TERMINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED})
LIVE = frozenset({JobStatus.PREPARING, JobStatus.RUNNING, JobStatus.STOPPING})


class Slot(StrEnum):
    """What a job occupies while it lives; each kind of slot has its own queue."""

    TRAINING = "training"  # the accelerator, or the whole CPU
    LIGHT = "light"  # imports, downloads, conversions
    BACKGROUND = "background"  # what nobody waits for


class Priority(StrEnum):
    """Who goes first in the queue, whatever the shares of the owners."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """As it is stored: the higher number goes first."""
        return {Priority.LOW: -1, Priority.NORMAL: 0, Priority.HIGH: 1}[self]

    @classmethod
    def of(cls, rank: int) -> "Priority":
        """The nearest name of a stored number."""
        return cls.HIGH if rank > 0 else cls.LOW if rank < 0 else cls.NORMAL


class StopMode(StrEnum):
    """How a live job was asked to stop."""

    SAVE = "save"  # write a checkpoint to resume from
    DISCARD = "discard"  # end as soon as possible


class Use(BaseModel):
    """A task that uses it."""

    task_id: UUID
    name: str
    status: str


class Trouble(BaseModel):
    """Why it can not be used."""

    code: str
    message: str
    hint: str
    params: dict[str, str | int | float | bool | None] = {}
