"""The models in memory: loaded when asked for, let go when room is needed and nobody uses them."""

from collections.abc import Callable
from pathlib import Path

import psutil

from training_engine.contract.serving import LoadedModelInfo
from training_engine.devices import Placement
from training_engine.serve.failures import ServeError
from training_engine.serve.loaded_model import LoadedModel, fingerprint
from training_engine.tuning import return_freed_memory

# Room that must stay free beside the weights, for the cache of conversations and the system.
_RESERVE_BYTES = 400_000_000


class ModelStore:
    """Owned by the computing thread. `in_use` tells which base models have answers under way."""

    def __init__(self, place: Placement, in_use: Callable[[], set[str]]) -> None:
        self.place = place
        self._in_use = in_use
        self._models: dict[str, LoadedModel] = {}

    def get(self, path: str) -> LoadedModel:
        """The model of a folder, from memory or from disk; raises `ServeError`."""
        key = str(Path(path).resolve())
        found = self._models.get(key)
        if found is not None and Path(key).is_dir() and found.fingerprint == fingerprint(Path(key)):
            return found
        if found is not None and key not in self._in_use():
            del self._models[key]
        self._make_room(Path(key))
        loaded = self._models[key] = LoadedModel(Path(key), self.place)
        return loaded

    def unload(self, path: str | None) -> list[str]:
        """Forget one model, or all; those with answers under way stay. Returns what went."""
        wanted = set(self._models) if path is None else {str(Path(path).resolve())}
        gone = sorted((wanted & set(self._models)) - self._in_use())
        for key in gone:
            del self._models[key]
        if gone:
            return_freed_memory()
        return gone

    def describe(self) -> list[LoadedModelInfo]:
        """What is loaded."""
        return [
            LoadedModelInfo(model_path=key, adapters=m.adapters, memory_bytes=m.memory_bytes)
            for key, m in sorted(self._models.items())
        ]

    def _make_room(self, folder: Path) -> None:
        """Let go of idle models, the longest unused first, until the new one fits."""
        stored = sum(f.stat().st_size for f in folder.glob("*.safetensors"))
        # Stored halves may be computed with as fp32, and the other way round.
        width = self.place.dtype.itemsize
        needed = stored * max(1, width // 2) + _RESERVE_BYTES
        while (free := self._free_bytes()) < needed:
            idle = set(self._models) - self._in_use()
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
