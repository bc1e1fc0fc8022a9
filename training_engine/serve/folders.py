"""What the worker loads at all, in its own words: safetensors, whole, and no code but trusted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from training_engine.contract import model_folder
from training_engine.contract.choices import Head
from training_engine.contract.model_folder import Unfit, UnfitFolder
from training_engine.serve.failures import ServeError


def _told(check: Callable[[Path], dict[str, Any]], path: Path) -> dict[str, Any]:
    try:
        return check(path)
    except UnfitFolder as error:
        code = "unsafe_model" if error.reason is Unfit.UNSAFE else "model_not_found"
        raise ServeError(code, error.message, error.hint) from error


def read_config(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a model folder; raises `ServeError` naming the file."""
    return _told(model_folder.read_object, path)


def check_model_folder(folder: Path, trusted_code_sha256: str | None = None) -> dict[str, Any]:
    """The config.json of a folder that is safe to load; raises `ServeError`."""
    if not folder.is_dir():
        raise ServeError(
            "model_not_found",
            f"The model folder {folder.name} does not exist.",
            "It may have been deleted. Choose another model or add it again.",
        )
    return _told(lambda path: model_folder.check_model(path, trusted_code_sha256), folder)


def check_adapter_folder(folder: Path) -> dict[str, Any]:
    """The adapter_config.json of an adapter folder; raises `ServeError`."""
    if not folder.is_dir():
        raise ServeError(
            "model_not_found",
            f"The tuned model's folder {folder.name} does not exist.",
            "It may have been deleted. Train again or choose another one.",
        )
    return _told(model_folder.check_adapter, folder)


def head_of_model(folder: Path, adapter: Path | None) -> Head:
    """What the model of a folder ends in, from the configurations alone; raises `ServeError`.

    An adapter says for which head it was made: a classifier's base need not be one.
    """
    if adapter is not None:
        task = check_adapter_folder(adapter).get("task_type")
        if task == "SEQ_CLS":
            return Head.SEQUENCE_CLASSIFICATION
    if not (folder / model_folder.CONFIG_FILE).is_file():
        check_model_folder(folder)
    config = read_config(folder / model_folder.CONFIG_FILE)
    names = config.get("architectures")
    named = str(names[0]) if isinstance(names, list) and names else ""
    if named.endswith("ForSequenceClassification"):
        return Head.SEQUENCE_CLASSIFICATION
    return Head.SEQ2SEQ_LM if config.get("is_encoder_decoder") is True else Head.CAUSAL_LM
