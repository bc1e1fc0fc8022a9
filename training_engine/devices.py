"""Which device and number type a run computes with, and why."""

import os
import time
from dataclasses import dataclass, replace

import torch

from training_engine.contract.choices import Device, Precision
from training_engine.contract.names import FailureCode
from training_engine.failures import EngineFailure
from training_engine.run_host import family

# bfloat16 must beat float32 by this factor on a CPU without instructions for it.
WORTH_IT = 1.2


@dataclass(frozen=True)
class Placement:
    """Where and in which type the model computes; `reason` is for people."""

    device: torch.device
    dtype: torch.dtype
    reason: str

    @property
    def dtype_name(self) -> str:
        """`bfloat16`, `float32`."""
        return str(self.dtype).removeprefix("torch.")


def on_host(placement: Placement) -> Placement:
    """The same number type in the machine's own memory."""
    return replace(placement, device=torch.device("cpu"))


def peak_bytes(device: torch.device) -> int | None:
    """The most of a GPU's own memory that this process held; None where there is no such memory."""
    return torch.cuda.max_memory_reserved(device) if device.type == "cuda" else None


def peak_so_far(device: torch.device, *, shared: bool) -> int | None:
    """The most memory that was held until now; None where the system does not tell.

    On a GPU its own; elsewhere the main memory of the run, as the run host measures it. `shared`:
    this process is one of several, started by one that belongs to the run too.
    """
    held = peak_bytes(device)
    if held is not None:
        return held
    return family.peak_bytes(os.getppid() if shared else os.getpid()) or None


def choose(device: Device, precision: Precision = Precision.AUTO) -> Placement:
    """The best device of the wish and the best type of the device.

    Raises `EngineFailure` when a device is asked for that is not there.
    """
    kind, why_device = _device(device)
    if precision != Precision.AUTO:
        dtype = torch.float32 if precision == Precision.FLOAT32 else torch.bfloat16
        return Placement(torch.device(kind), dtype, f"{why_device}; {precision} was asked for.")
    half, why_type = {"cuda": _cuda_type, "mps": _mps_type, "cpu": _cpu_type}[kind]()
    dtype = torch.bfloat16 if half else torch.float32
    return Placement(torch.device(kind), dtype, f"{why_device}; {why_type}.")


def _device(wish: Device) -> tuple[str, str]:
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if (wish == Device.CUDA and not cuda) or (wish == Device.MPS and not mps):
        raise EngineFailure(
            FailureCode.BAD_SPEC,
            f"This run asks for the device {wish}, which this machine does not have.",
            "Choose “auto” or “cpu” as the device; `easytune doctor` shows what works.",
            {"device": wish.value},
        )
    if wish == Device.CUDA or (wish == Device.AUTO and cuda):
        return "cuda", f"NVIDIA GPU {torch.cuda.get_device_name()}"
    if wish == Device.MPS or (wish == Device.AUTO and mps):
        return "mps", "Apple GPU"
    return "cpu", "CPU, as asked for" if wish == Device.CPU else "CPU, because no GPU was found"


def _cuda_type() -> tuple[bool, str]:
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return True, "bfloat16, which this GPU computes natively"
    return False, "float32, because this GPU does not compute bfloat16"


def _mps_type() -> tuple[bool, str]:
    try:
        one = torch.ones(2, 2, dtype=torch.bfloat16, device="mps")
        works = bool((one @ one).sum().item() == 8)
    except (RuntimeError, TypeError):
        works = False
    return works, "bfloat16 works" if works else "float32, because bfloat16 does not work here"


def _cpu_type() -> tuple[bool, str]:
    if torch.cpu._is_amx_tile_supported():
        return True, "bfloat16, which this processor multiplies natively (AMX)"
    if torch.cpu._is_avx512_bf16_supported():
        return True, "bfloat16, which this processor multiplies natively (AVX-512)"
    ratio = _matmul_s(torch.float32) / _matmul_s(torch.bfloat16)
    if ratio >= WORTH_IT:
        return True, f"bfloat16, measured {ratio:.1f} times as fast as float32"
    return False, "float32, because bfloat16 is not faster on this processor"


def _matmul_s(dtype: torch.dtype) -> float:
    a, b = torch.ones(512, 512, dtype=dtype), torch.ones(512, 512, dtype=dtype)
    a @ b
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return best
