"""How many jobs may live at the same time, and which accelerator each may see."""

import os
from collections.abc import Mapping

import pynvml

from backend.jobs.schemas import Slot
from backend.settings import Settings

LIGHT_SLOTS = 2
BACKGROUND_SLOTS = 1
VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible_gpus() -> list[str]:
    """Ids of the NVIDIA GPUs that this process may use, as CUDA names them."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        every = [str(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()
    given = os.environ.get(VISIBLE)
    if given is None:
        return every
    return [part.strip() for part in given.split(",") if part.strip() not in {"", "-1"}]


def slots_of(settings: Settings, gpus: list[str]) -> Mapping[Slot, int]:
    """Slots per kind: as set, else one training per GPU, else one."""
    return {
        Slot.TRAINING: settings.training_slots or len(gpus) or 1,
        Slot.LIGHT: LIGHT_SLOTS,
        Slot.BACKGROUND: BACKGROUND_SLOTS,
    }


def variables_of(slot: Slot, slot_index: int | None, gpus: list[str]) -> dict[str, str]:
    """With several GPUs a training sees its own; other work sees none."""
    if slot is not Slot.TRAINING:
        return {VISIBLE: ""}
    if len(gpus) < 2 or slot_index is None:
        return {}
    return {VISIBLE: gpus[slot_index % len(gpus)]}
