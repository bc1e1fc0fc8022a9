"""What a job's state is called, everywhere."""

from enum import StrEnum


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
