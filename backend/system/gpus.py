"""NVIDIA GPUs through NVML. That there are none, or no driver, is normal."""

import pynvml

from backend.system.schemas import Gpu

NORMAL = (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED)


class GpuFacts:
    """Keeps NVML open: opening it takes longer than asking."""

    def __init__(self) -> None:
        self._open = False

    def now(self) -> tuple[list[Gpu], str | None]:
        """The GPUs, and a sentence when there should be some but they can not be asked."""
        try:
            if not self._open:
                pynvml.nvmlInit()
                self._open = True
            return [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())], None
        except pynvml.NVMLError as error:
            self.close()
            if error.value in NORMAL:
                return [], None
            return [], f"The NVIDIA driver does not answer ({error}); try nvidia-smi."

    def close(self) -> None:
        """Let go of NVML."""
        if self._open:
            self._open = False
            pynvml.nvmlShutdown()


def _gpu(index: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    name = pynvml.nvmlDeviceGetName(handle)
    return Gpu(
        index=index,
        name=name if isinstance(name, str) else name.decode(),
        memory_used_bytes=memory.used,
        memory_total_bytes=memory.total,
        utilization=_utilization(handle),
        temperature_c=_temperature(handle),
    )


def _utilization(handle: object) -> float | None:
    try:
        return float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
    except pynvml.NVMLError:  # parts of a shared card do not say
        return None


def _temperature(handle: object) -> float | None:
    try:
        return float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    except pynvml.NVMLError:
        return None
