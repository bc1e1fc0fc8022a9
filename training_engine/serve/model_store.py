"""The models in memory: loaded when asked for, let go when room is needed and nobody uses them."""

from collections.abc import Callable
from pathlib import Path

import psutil

from training_engine.contract.choices import Head, Quantization
from training_engine.contract.serving import LoadedModelInfo
from training_engine.devices import Placement
from training_engine.models.quantised import read_quantization
from training_engine.serve.classifier import LoadedClassifier
from training_engine.serve.failures import ServeError
from training_engine.serve.folders import head_of_model
from training_engine.serve.loaded_model import LoadedModel
from training_engine.serve.translator import LoadedTranslator
from training_engine.tuning import return_freed_memory

# Room that must stay free beside the weights, for the cache of conversations and the system.
_RESERVE_BYTES = 400_000_000


Loaded = LoadedModel | LoadedClassifier
# Folder, how its weights are packed, the adapter of a classifier (it comes with its own head), and
# the program that may be executed.
Key = tuple[str, Quantization | None, str | None, str | None]


class ModelStore:
    """Owned by the computing thread. `in_use` tells which base models have answers under way."""

    def __init__(self, place: Placement, in_use: Callable[[], set[str]]) -> None:
        self.place = place
        self._in_use = in_use
        self._models: dict[Key, Loaded] = {}

    def get(self, path: str, adapter: str | None = None, trusted: str | None = None) -> Loaded:
        """The model of a folder, from memory or from disk; raises `ServeError`.

        Of the kind that its files say: a language model, an encoder–decoder or a classifier. Packed
        when `adapter` was trained on it so: the answers are those that were trained.
        `trusted`: hash of the program in the folder that may be executed.
        """
        folder, own = Path(path).resolve(), Path(adapter) if adapter is not None else None
        head = head_of_model(folder, own)
        classifies = head is Head.SEQUENCE_CLASSIFICATION
        key = (str(folder), _quantization(adapter), adapter if classifies else None, trusted)
        found = self._models.get(key)
        if found is not None and found.is_current():
            return found
        if found is not None and key[0] not in self._in_use():
            del self._models[key]
        self._make_room(folder)
        loaded: Loaded
        if classifies:
            loaded = LoadedClassifier(folder, own, self.place, key[1], trusted)
        elif head is Head.SEQ2SEQ_LM:
            loaded = LoadedTranslator(folder, self.place, key[1], trusted)
        else:
            loaded = LoadedModel(folder, self.place, key[1], trusted)
        self._models[key] = loaded
        return loaded

    def unload(self, path: str | None) -> list[str]:
        """Forget one model, or all; those with answers under way stay. Returns what went."""
        wanted = None if path is None else str(Path(path).resolve())
        gone = [key for key in self._idle() if wanted in (None, key[0])]
        for key in gone:
            del self._models[key]
        if gone:
            return_freed_memory()
        return sorted({key[0] for key in gone})

    def _idle(self) -> set[Key]:
        """Models that no answer needs now."""
        in_use = self._in_use()
        return {key for key in self._models if key[0] not in in_use}

    def describe(self) -> list[LoadedModelInfo]:
        """What is loaded."""
        return [
            LoadedModelInfo(model_path=key[0], adapters=m.adapters, memory_bytes=m.memory_bytes)
            for key, m in sorted(self._models.items(), key=lambda item: item[0][0])
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
