"""API shapes of host facts."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class Gpu(BaseModel):
    """One accelerator."""

    index: int
    name: str
    memory_used_bytes: int
    memory_total_bytes: int
    utilization: float | None = Field(description="0–1")
    temperature_c: float | None


class Cpu(BaseModel):
    """The processor as this process may use it."""

    name: str
    cores: int
    utilization: float = Field(description="0–1 over all cores")


class Memory(BaseModel):
    """Main memory, or the container's limit."""

    used_bytes: int
    total_bytes: int


class Disk(BaseModel):
    """The volume of the data folder."""

    used_bytes: int
    free_bytes: int
    total_bytes: int
    low_bytes: int = Field(description="With less than this free a run may not finish")
    easytune_bytes: int | None = Field(description="What EasyTune keeps there")


class SystemFacts(BaseModel):
    """This host, now."""

    at: datetime
    version: str
    hostname: str
    platform: str
    python: str
    database: str = Field(description="embedded or external, with its version")
    started_at: datetime
    cpu: Cpu
    memory: Memory
    disk: Disk
    gpus: list[Gpu]
    gpu_error: str | None
    training_slots: int
    training_slots_used: int
    supervisor: Literal["leading", "standby", "absent"]
    unknown_runs: int = Field(
        description="Run folders of jobs that the database does not know, as of the last start; "
        "the log names them"
    )
    isolation: list[str] = Field(description="What holds the engine back: uid, no_new_privs, …")
    offline: bool
    insecure_http: bool
    model_roots: list[str]


class Overview(BaseModel):
    """Counts for the first page."""

    datasets: int
    models: int
    tasks: dict[str, int] = Field(description="Status → count")


class Health(BaseModel):
    """`ok`, or the checks that fail."""

    status: Literal["ok", "unavailable"]
    checks: dict[str, str] = {}
