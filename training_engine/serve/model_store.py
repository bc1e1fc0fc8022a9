"""The models in memory: loaded when asked for, let go when room is needed and nobody uses them."""

from collections.abc import Callable
from pathlib import Path

import psutil

from training_engine.contract.choices import Quantization
from training_engine.contract.serving import LoadedModelInfo
from training_engine.devices import Placement
from training_engine.models.quantised import read_quantization
from training_engine.serve.failures import ServeError
from training_engine.serve.loaded_model import LoadedModel, fingerprint
from training_engine.tuning import return_freed_memory

# Room that must stay free beside the weights, for the cache of conversations and the system.
_RESERVE_BYTES = 400_000_000


Key = tuple[str, Quantization | None]  # folder, and how its weights are packed


class ModelStore:
    """Owned by the computing thread. `in_use` tells which base models have answers under way."""

    def __init__(self, place: Placement, in_use: Callable[[], set[str]]) -> None:
        self.place = place
        self._in_use = in_use
        self._models: dict[Key, LoadedModel] = {}

    def get(self, path: str, adapter: str | None = None) -> LoadedModel:
        """The model of a folder, from memory or from disk; raises `ServeError`.

        Packed when `adapter` was trained on it so: the answers are those that were trained.
        """
        folder = Path(path).resolve()
        key = (str(folder), _quantization(adapter))
        found = self._models.get(key)
        if found is not None and folder.is_dir() and found.fingerprint == fingerprint(folder):
            return found
        if found is not None and key[0] not in self._in_use():
            del self._models[key]
        self._make_room(folder)
        loaded = self._models[key] = LoadedModel(folder, self.place, key[1])
        return loaded

    def unload(self, path: str | None) -> list[str]:
        """Forget one model, or all; those with answers under way stay. Returns what went."""
        wanted = None if path is None else str(Path(path).resolve())
        gone = [key for key in self._idle() if wanted in (None, key[0])]
        for key in gone:
            del self._models[key]
        if gone:
            return_freed_memory()
        return sorted({folder for folder, _ in gone})

    def _idle(self) -> set[Key]:
        """Models that no answer needs now."""
        in_use = self._in_use()
        return {key for key in self._models if key[0] not in in_use}

    def describe(self) -> list[LoadedModelInfo]:
        """What is loaded."""
        return [
            LoadedModelInfo(model_path=key, adapters=m.adapters, memory_bytes=m.memory_bytes)
            for (key, _), m in sorted(self._models.items(), key=lambda item: item[0][0])
        ]

    def _make_room(self, folder: Path) -> None:
        """Let go of idle models, the longest unused first, until the new one fits."""
        stored = sum(f.stat().st_size for f in folder.glob("*.safetensors"))
        # Stored halves may be computed with as fp32, and the other way round.
        width = self.place.dtype.itemsize
        needed = stored * max(1, width // 2) + _RESERVE_BYTES
        while (free := self._free_bytes()) < needed:
            idle = self._idle()
            if not idle:
                raise ServeError(
                    "out_of_memory",
                    f"Loading {folder.name} needs about {needed / 1e9:.1f} GB of memory and "
                    f"{free / 1e9:.1f} GB are free.",
                    "Stop a running task or close other programs, or choose a smaller model.",
                )
            del self._models[min(idle, key=lambda key: self._models[key].last_used)]
            return_freed_memory()

    def _free_bytes(self) -> int:
        if self.place.device.type == "cuda":
            import torch

            torch.cuda.empty_cache()
            return int(torch.cuda.mem_get_info()[0])
        return int(psutil.virtual_memory().available)


def _quantization(adapter: str | None) -> Quantization | None:
    """How the base of an adapter has to be packed; raises `ServeError` when that is not known."""
    if adapter is None:
        return None
    try:
        return read_quantization(Path(adapter))
    except (OSError, ValueError) as error:
        raise ServeError(
            "adapter_not_supported",
            f"The adapter {Path(adapter).name} can not be switched on: {error}.",
            "Merge it into the base model and serve the merged model.",
        ) from error
