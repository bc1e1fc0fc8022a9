"""A base model in memory with its tokenizer, its end tokens and the adapters that share it."""

import inspect
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch

from training_engine.contract.choices import Head, Quantization
from training_engine.data.chat import ChatTemplate, terminators
from training_engine.devices import Placement
from training_engine.failures import EngineFailure
from training_engine.models.load import STOCK_ATTENTION, load_stock
from training_engine.models.quantised import weight_bytes
from training_engine.serve.adapters import Switch, add_adapter, drop_adapter
from training_engine.serve.failures import from_engine
from training_engine.serve.folders import check_adapter_folder, check_model_folder, read_config
from training_engine.serve.tokenizers import load_template

Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass
class _Adapter:
    fingerprint: Fingerprint
    size_bytes: int
    template: ChatTemplate


class LoadedModel:
    """Computes with the base alone or with one adapter at a time; used by one thread."""

    head: ClassVar[Head] = Head.CAUSAL_LM

    def __init__(
        self,
        folder: Path,
        place: Placement,
        quantization: Quantization | None = None,
        trusted_code_sha256: str | None = None,
    ) -> None:
        """Raises `ServeError` for a folder that is missing, unsafe or not a language model.

        `quantization`: packed, as the adapters that were trained so need it.
        """
        self.folder = folder
        self.config = check_model_folder(folder, trusted_code_sha256)
        self._trusted = trusted_code_sha256 is not None
        self.fingerprint = fingerprint(folder)
        self.template = self._template(folder)
        self.ends = terminators(self.template.tokenizer, folder)
        self.model = load_whole(
            folder,
            place,
            self.head,
            quantization=quantization,
            trusted_code_sha256=trusted_code_sha256,
        )
        self.context_length = _context_length(self.model.config)
        self.repetition_penalty = _repetition_penalty(folder)
        self.last_used = time.monotonic()
        self._adapters: dict[str, _Adapter] = {}
        self._switch = Switch()
        self._base_bytes = weight_bytes(self.model)
        names = inspect.signature(self.model.forward).parameters
        # Only the last position's scores are needed; a few families do not know how to skip.
        self._forward_options = {"logits_to_keep": 1} if "logits_to_keep" in names else {}

    def is_current(self) -> bool:
        """Whether the files are still those that were loaded."""
        return self.folder.is_dir() and self.fingerprint == fingerprint(self.folder)

    @property
    def memory_bytes(self) -> int:
        """Weights of the base and of all adapters."""
        adapters = sum(a.size_bytes for a in self._adapters.values())
        return self._base_bytes + adapters

    @property
    def adapters(self) -> list[str]:
        """Paths of the adapters beside the base."""
        return sorted(self._adapters)

    def use(self, adapter: str | None) -> ChatTemplate:
        """Make sure `adapter` is loaded; returns the template to talk to it with."""
        self.last_used = time.monotonic()
        if adapter is None:
            return self.template
        folder = Path(adapter)
        check_adapter_folder(folder)
        now, known = fingerprint(folder), self._adapters.get(adapter)
        if known is None or known.fingerprint != now:
            drop_adapter(self.model, adapter)
            self._adapters.pop(adapter, None)
            size = add_adapter(self.model, self._switch, adapter, folder)
            # A run stores tokenizer and template beside its adapter: the ones it was trained with.
            own = (folder / "tokenizer_config.json").is_file()
            template = self._template(folder) if own else self.template
            known = self._adapters[adapter] = _Adapter(now, size, template)
        return known.template

    def _template(self, folder: Path) -> ChatTemplate:
        required = self.head is Head.CAUSAL_LM
        return load_template(folder, required=required, trusted=self._trusted)

    def activate(self, adapter: str | None) -> None:
        """Compute with `adapter` (see `use`), or with the base alone, from now on."""
        self._switch.active = adapter
        self.last_used = time.monotonic()

    def step(self, adapter: str | None, tokens: list[int], cache: Any) -> tuple[torch.Tensor, Any]:
        """Read `tokens` after what `cache` holds; returns scores (vocabulary,) and the cache."""
        self.activate(adapter)
        ids = torch.tensor([tokens], device=self.model.device)
        with torch.inference_mode():
            out = self.model(
                input_ids=ids, past_key_values=cache, use_cache=True, **self._forward_options
            )
        return out.logits[0, -1], out.past_key_values


def fingerprint(folder: Path) -> Fingerprint:
    """Names, times and sizes of weights, configuration and code: changed means load again."""
    files = [*folder.glob("*.safetensors"), *folder.glob("*config.json"), *folder.rglob("*.py")]
    return tuple(sorted((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files))


def load_whole(folder: Path, place: Placement, head: Head, **options: Any) -> Any:
    """A stock model for answers; raises `ServeError`."""
    try:
        return load_stock(folder, place, head, STOCK_ATTENTION, **options).eval()
    except EngineFailure as failure:
        raise from_engine(failure) from failure


def _context_length(config: Any) -> int:
    text = config.get_text_config()
    return int(getattr(text, "max_position_embeddings", None) or 1_048_576)


def _repetition_penalty(folder: Path) -> float:
    path = folder / "generation_config.json"
    value = read_config(path).get("repetition_penalty") if path.is_file() else None
    return float(value) if isinstance(value, int | float) and value > 0 else 1.0
