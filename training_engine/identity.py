"""What makes a checkpoint one of this very run, and how it is told what is different."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.knob_names import under_former_names, under_present_names
from training_engine.contract.model_folder import (
    CONFIG_FILE,
    UnfitFolder,
    read_object,
    weight_files,
)
from training_engine.contract.spec import RunSpec

# Knobs that change how a result is computed or watched, not what it is.
FREE_ON_RESUME = {
    "micro_batch_size", "evaluation_steps", "save_steps", "sample_steps", "early_stopping_patience",
    "output_checkpoint", "gradient_checkpointing", "activation_offload", "compile",
    "recover_from_oom",
}  # fmt: skip
# Of each file of weights so many pieces are looked at, evenly spread: all of them would take as
# long as loading the model does.
PIECES, PIECE_BYTES = 16, 64 * 1024
_CALLED = {
    "weights": "version of the base model's weights (files in its folder were replaced)",
    "template": "chat template",
}


def identity_of(spec: RunSpec) -> dict[str, Any]:
    """What must be equal for a checkpoint to continue the run of a spec, as JSON."""
    return {
        "dataset": spec.dataset.sha256,
        "validation_dataset": spec.validation_dataset.sha256 if spec.validation_dataset else "",
        "model": f"{spec.model.name}@{spec.model.revision or ''}",
        "weights": weights_digest(Path(spec.model.path)),
        "precision": spec.precision,
        "settings": {
            "objective": spec.objective,
            "method": spec.method,
            "knobs": spec.hyperparameters.model_dump(mode="json", exclude=FREE_ON_RESUME),
            "template": spec.chat_template,
        },
    }


def weights_digest(folder: Path) -> str:
    """A hash of a model's configuration and of samples of its weights; empty where there are none.

    Not the files' times: a copy of the folder is the same model.
    """
    digest = hashlib.sha256()
    try:
        digest.update(json.dumps(read_object(folder / CONFIG_FILE), sort_keys=True).encode())
        for path in weight_files(folder):
            size = path.stat().st_size
            digest.update(f"/{path.name}/{size}/".encode())
            with path.open("rb") as file:
                for piece in range(PIECES):
                    file.seek(piece * max(0, size - PIECE_BYTES) // (PIECES - 1))
                    digest.update(file.read(PIECE_BYTES))
    except (UnfitFolder, OSError):  # whoever opens the model says what is wrong with it
        return ""
    return digest.hexdigest()


def differing(known: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What of a checkpoint's identity is another than now, for a sentence; empty: nothing.

    What an older version did not note is not asked for.
    """
    known, now = dict(known), dict(now)
    if not known.get("weights") or not now.get("weights"):
        known.pop("weights", None)
    before, settings = known.pop("settings", None), now.get("settings")
    if before is None and settings is not None:
        now["configuration"] = _hash_of(settings)
    names = sorted(name for name in known if known[name] != now.get(name))
    if before is not None and settings is not None:
        names += _other_settings(before, settings)
    return ", ".join(_CALLED.get(name, name) for name in names)


def _hash_of(settings: Mapping[str, Any]) -> str:
    """What older versions noted in place of the settings themselves."""
    then = {**settings, "knobs": under_former_names(settings["knobs"])}
    return hashlib.sha256(json.dumps(then, sort_keys=True).encode()).hexdigest()


def _other_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Names of those that differ; a knob that is younger than the checkpoint had its default."""
    defaults = Hyperparameters().model_dump(mode="json")
    knobs = {**defaults, **under_present_names(before["knobs"])}
    others = [name for name in ("objective", "method", "template") if before[name] != now[name]]
    return others + [name for name, value in now["knobs"].items() if knobs[name] != value]
