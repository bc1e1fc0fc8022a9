"""What this host has to train with, now: device, memory, disk, and how its CPU counts."""

import asyncio
import platform
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import FieldError
from backend.jobs import service as jobs
from backend.jobs.schemas import Slot
from backend.settings import Settings
from backend.system import host
from backend.system.schemas import Gpu
from backend.system.sources import Sources
from backend.tasks.host_speed import Speed
from training_engine.contract.choices import Device

# What a training that runs now will have given back when this one begins.
SHARE_AFTER_ANOTHER = 0.85
CPU_INFO = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})


@dataclass(frozen=True)
class HostFacts:
    """Bytes that a new run can have, on the device it would get."""

    settings: Settings
    gpus: list[Gpu]
    cores: int
    memory_bytes: int
    disk_free_bytes: int
    # A training or the playground holds memory that it will have given back.
    busy: bool
    speed: Speed | None = None  # as far as it was tried

    def device(self, wish: Device) -> Device:
        """What the engine will choose."""
        if wish is not Device.AUTO:
            return wish
        if self.gpus:
            return Device.CUDA
        apple = platform.system() == "Darwin" and platform.machine() == "arm64"
        return Device.MPS if apple else Device.CPU

    def available_bytes(self, device: Device) -> int:
        """Memory for a run on that device."""
        if device is not Device.CUDA or not self.gpus:
            return self.memory_bytes
        gpu = self.gpus[0]
        free = gpu.memory_total_bytes - gpu.memory_used_bytes
        return int(gpu.memory_total_bytes * SHARE_AFTER_ANOTHER) if self.busy else free

    def device_errors(self, wish: Device) -> list[FieldError]:
        """A device that is asked for and not there."""
        missing = wish is Device.CUDA and not self.gpus
        if not missing and not (wish is Device.MPS and platform.system() != "Darwin"):
            return []
        message = f"This machine has no {wish.value} device; choose auto or cpu."
        params: dict[str, str | int | float | bool | None] = {"device": wish.value}
        return [
            FieldError(pointer="/device", code="device_missing", message=message, params=params)
        ]

    def process_errors(self, wish: Device, processes: int) -> list[FieldError]:
        """More processes than there is hardware for."""
        device = self.device(wish)
        most = {Device.CUDA: len(self.gpus), Device.CPU: self.cores}.get(device, 1)
        if processes <= max(1, most):
            return []
        params: dict[str, str | int | float | bool | None] = {
            "processes": processes,
            "most": max(1, most),
            "device": device.value,
        }
        message = (
            f"{processes} processes are too many for {device.value} here; choose at most "
            f"{max(1, most)}."
        )
        return [
            FieldError(
                pointer="/distributed/processes",
                code="too_many_processes",
                message=message,
                params=params,
            )
        ]


async def facts_of(app: FastAPI, session: AsyncSession) -> HostFacts:
    """Look at the host."""
    settings: Settings = app.state.settings
    gpus, _ = await asyncio.to_thread(app.state.gpu_facts.now)
    memory = host.memory()
    sources: Sources = app.state.sources
    # The playground makes room before a run starts.
    lent = await asyncio.to_thread(sources.lent_bytes)
    training = await jobs.live_count(session, Slot.TRAINING) > 0
    free = min(memory.total_bytes, memory.total_bytes - memory.used_bytes + lent)
    return HostFacts(
        settings=settings,
        gpus=gpus,
        cores=host.cores(),
        memory_bytes=int(memory.total_bytes * SHARE_AFTER_ANOTHER) if training else free,
        disk_free_bytes=shutil.disk_usage(settings.data_dir).free,
        busy=training or lent > 0,
        speed=app.state.host_speed.known,
    )


@cache
def cpu_type() -> str:
    """`bfloat16` where the processor has instructions for it, else `float32`."""
    try:
        flags = next(
            (line for line in CPU_INFO.read_text().splitlines() if line.startswith("flags")), ""
        )
    except OSError:
        return "float32"
    return "bfloat16" if BFLOAT16_FLAGS & set(flags.split()) else "float32"
