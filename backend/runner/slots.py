"""How many jobs may live at the same time on each host, and which accelerator each may see."""

import os
from collections import Counter
from collections.abc import Collection, Mapping

import pynvml

from backend.jobs.schemas import Slot
from backend.settings import Settings

LIGHT_SLOTS = 2
BACKGROUND_SLOTS = 1
# Host → kind of slot → how many there are.
Slots = Mapping[str, Mapping[Slot, int]]
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


def totals(slots: Slots) -> dict[str, int]:
    """Slots of each kind over all hosts."""
    found: Counter[str] = Counter()
    for host in slots.values():
        found.update({slot.value: count for slot, count in host.items()})
    return dict(found)


def free_places(
    slots: Slots, slot: Slot, used: Collection[tuple[str, int | None]]
) -> list[tuple[str, int]]:
    """Host and index of the slots of a kind that no live job holds; `used` is (host, index) of
    each that lives. One whose index is not known holds some slot of its host.
    """
    free = []
    for host, counts in slots.items():
        here = [index for at, index in used if at == host]
        unused = [index for index in range(counts.get(slot, 0)) if index not in here]
        free += [(host, index) for index in unused][: max(0, counts.get(slot, 0) - len(here))]
    return free


def variables_of(slot: Slot, slot_index: int | None, gpus: list[str]) -> dict[str, str]:
    """With several GPUs a training sees its own; other work sees none."""
    if slot is not Slot.TRAINING:
        return {VISIBLE: ""}
    if len(gpus) < 2 or slot_index is None:
        return {}
    return {VISIBLE: gpus[slot_index % len(gpus)]}
