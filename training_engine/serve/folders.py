"""What is loaded at all: safetensors, and nothing that brings code of its own.

`auto_map` names Python files inside a model folder; they would run with the worker's rights, so
such a folder is refused wherever in its configuration the key stands.
"""

import json
from pathlib import Path
from typing import Any

from training_engine.serve.failures import ServeError

_PICKLED = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".joblib", ".npy", ".pt2"}
_CONFIG_FILES = ("config.json", "tokenizer_config.json", "generation_config.json")
_MAX_CONFIG_BYTES = 16 * 1024 * 1024


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a model folder; raises `ServeError` naming the file."""
    try:
        if path.stat().st_size > _MAX_CONFIG_BYTES:
            raise ValueError("too large")
        value = json.loads(path.read_text("utf-8"))
        if not isinstance(value, dict):
            raise ValueError("not an object")
    except (OSError, ValueError) as error:
        raise ServeError(
            "model_not_found",
            f"{path.parent.name}/{path.name} can not be read.",
            "Check that the model is still there and complete, or add it again.",
        ) from error
    return value


def check_model_folder(folder: Path) -> dict[str, Any]:
    """The config.json of a folder that is safe to load; raises `ServeError`."""
    if not folder.is_dir():
        raise ServeError(
            "model_not_found",
            f"The model folder {folder.name} does not exist.",
            "It may have been deleted. Choose another model or add it again.",
        )
    config = read_config(folder / "config.json")
    for name in _CONFIG_FILES:
        if (folder / name).is_file() and _has_key(read_config(folder / name), "auto_map"):
            raise ServeError(
                "unsafe_model",
                f"{folder.name} wants to run Python code that it brings along ({name}).",
                "Choose a model that transformers supports without code of its own.",
            )
    _check_weights(folder)
    return config


def check_adapter_folder(folder: Path) -> dict[str, Any]:
    """The adapter_config.json of an adapter folder; raises `ServeError`."""
    if not folder.is_dir():
        raise ServeError(
            "model_not_found",
            f"The tuned model's folder {folder.name} does not exist.",
            "It may have been deleted. Train again or choose another one.",
        )
    config = read_config(folder / "adapter_config.json")
    _check_weights(folder)
    return config


def _check_weights(folder: Path) -> None:
    if any(folder.glob("*.safetensors")):
        return
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLED)
    if pickled:
        raise ServeError(
            "unsafe_model",
            f"{folder.name} holds its weights as {pickled[0]}, a format that can run code.",
            "Use a version of the model with .safetensors files.",
        )
    raise ServeError(
        "model_not_found",
        f"{folder.name} holds no weights (.safetensors).",
        "The copy is incomplete; add the model again.",
    )


def _has_key(value: Any, key: str) -> bool:
    if isinstance(value, dict):
        return key in value or any(_has_key(item, key) for item in value.values())
    if isinstance(value, list):
        return any(_has_key(item, key) for item in value)
    return False
