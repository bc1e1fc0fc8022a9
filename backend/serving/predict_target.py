"""What `easytune predict` is asked to use: a run, its result, or any model folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from backend.models.starters import STARTERS
from backend.settings import Settings
from backend.tasks.local_models import cached_model
from training_engine.contract.model_folder import (
    ADAPTER_CONFIG_FILE,
    CONFIG_FILE,
    UnfitFolder,
    read_object,
)
from training_engine.contract.names import OUTPUT_DIR, SPEC_FILE


class NoTarget(Exception):
    """There is no model to ask here; the message says why and what to do."""


@dataclass(frozen=True)
class PredictTarget:
    """The folders that the worker loads, and whether the model gives classes or scores."""

    model: Path
    adapter: Path | None
    classifies: bool


def find(place: Path, base: Path | None, settings: Settings) -> PredictTarget:
    """The model of a run folder, an output folder or a model folder; raises `NoTarget`.

    `base`: the model that an adapter was tuned from, where nothing beside it says so.
    """
    folder = place.expanduser().resolve()
    if not folder.is_dir():
        raise NoTarget(f"There is no folder {place}. Name a run, its output or a model folder.")
    if (folder / SPEC_FILE).is_file():
        if not (folder / OUTPUT_DIR).is_dir():
            raise NoTarget(f"The run in {place} has no result; it has one when it has finished.")
        folder = folder / OUTPUT_DIR
    if (folder / ADAPTER_CONFIG_FILE).is_file():
        found = base.expanduser().resolve() if base else _base_of(folder, settings)
        if not (found / CONFIG_FILE).is_file():
            raise NoTarget(f"The base model {found} is not there. Name its folder with --base.")
        head = _read(folder / ADAPTER_CONFIG_FILE).get("task_type")
        return PredictTarget(found, folder, head == "SEQ_CLS")
    if not (folder / CONFIG_FILE).is_file():
        raise NoTarget(f"{place} holds no model ({CONFIG_FILE} is missing) and no finished run.")
    names = _read(folder / CONFIG_FILE).get("architectures")
    named = str(names[0]) if isinstance(names, list) and names else ""
    return PredictTarget(folder, None, named.endswith("ForSequenceClassification"))


def _base_of(adapter: Path, settings: Settings) -> Path:
    """Where the base of an adapter is: the run says so, else the adapter names it."""
    try:
        spec = orjson.loads((adapter.parent / SPEC_FILE).read_bytes())
        return Path(spec["model"]["path"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # an adapter that was moved or downloaded
    name = str(_read(adapter / ADAPTER_CONFIG_FILE).get("base_model_name_or_path") or "")
    for starter in STARTERS.values():
        folder = settings.models_dir / starter.reference
        if starter.name == name and folder.is_dir():
            return folder
    cached = cached_model(name) if name.count("/") == 1 else None
    if cached is None:
        raise NoTarget(f"The base model {name or 'of this adapter'} is not here; name its folder "
                       "with --base.")  # fmt: skip
    return cached


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_object(file)
    except UnfitFolder as error:
        raise NoTarget(f"{error.message} {error.hint}") from error
