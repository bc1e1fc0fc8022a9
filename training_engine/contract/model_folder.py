"""What makes a folder a model that may be opened: whole safetensors, readable JSON, no code.

`auto_map` names Python files inside a model folder; they would run with the engine's rights, so a
folder is refused wherever in its configuration the key stands, unless an administrator has allowed
exactly these files. Weights that are stored as pickles
run code when they are opened. Standard library only: both programs ask here.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
ADAPTER_CONFIG_FILE = "adapter_config.json"
ADAPTER_WEIGHTS_FILE = "adapter_model.safetensors"
PICKLED = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".joblib", ".npy", ".pt2"})
MAX_JSON_BYTES = 64 * 1024 * 1024
MAX_HEADER_BYTES = 100 * 1024 * 1024


class Unfit(StrEnum):
    """Why a folder is not opened."""

    MISSING = "missing"
    DAMAGED = "damaged"
    UNSAFE = "unsafe"


HINTS = {
    Unfit.MISSING: "Add the model again: the copy is incomplete, or the folder was removed.",
    Unfit.DAMAGED: "Add the model again: the copy is cut off or was changed.",
    Unfit.UNSAFE: "Choose a model with safetensors weights that transformers supports by itself.",
}
CODE_HINT = (
    "Choose a model that transformers supports by itself, or ask an administrator to read the "
    "program files of this one and to allow them."
)


class UnfitFolder(Exception):
    """A folder that is not opened; the text is a sentence that names `file`."""

    def __init__(self, reason: Unfit, file: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.reason, self.file, self.message = reason, file, message
        self.hint = hint or HINTS[reason]


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as a safetensors header tells it; `dtype` in the format's words (F32, BF16 …)."""

    dtype: str
    shape: tuple[int, ...]


def code_files(folder: Path) -> list[Path]:
    """The program files of a model folder, by name."""
    return sorted(path for path in folder.rglob("*.py") if path.is_file())


def code_sha256(folder: Path) -> str | None:
    """What a consent is given to: names and contents of every *.py file; None without any.

    Each name (relative, with /) and each content goes in after its length, as eight bytes with the
    lowest first, in the order of the names.
    """
    files = {path.relative_to(folder).as_posix(): path for path in code_files(folder)}
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name].read_bytes()):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    return digest.hexdigest() if files else None


def names_code(value: Any) -> bool:
    """Whether `auto_map` stands anywhere in a configuration."""
    return bool(_code_maps(value))


def _code_maps(value: Any) -> list[Any]:
    """Everything that stands under `auto_map` in a configuration."""
    todo, found = [value], []
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if "auto_map" in item:
                found.append(item["auto_map"])
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return found


def runs_code(folder: Path) -> bool:
    """Whether a model can only be opened by executing program files; raises `UnfitFolder`."""
    return any(names_code(read_object(path)) for path in sorted(folder.glob("*config.json")))


def check_code(folder: Path, trusted_code_sha256: str | None = None) -> None:
    """Refuse a folder that names code, unless it is the code that is trusted.

    Raises `UnfitFolder` naming the configuration that does.
    """
    for path in sorted(folder.glob("*config.json")):
        _check_code_of(folder, path, trusted_code_sha256)


def _check_code_of(folder: Path, path: Path, trusted_code_sha256: str | None) -> None:
    maps = _code_maps(read_object(path))
    if not maps:
        return
    if "--" in json.dumps(maps):  # OWNER/NAME--FILE: files that are not in the folder
        message = f"The model wants to run Python code from somewhere else ({path.name})."
        raise UnfitFolder(Unfit.UNSAFE, path.name, message)
    if trusted_code_sha256 is None:
        message = f"The model wants to run Python code that it brings along ({path.name})."
        raise UnfitFolder(Unfit.UNSAFE, path.name, message, CODE_HINT)
    if code_sha256(folder) != trusted_code_sha256:
        message = "The model's Python code is not the code that an administrator has allowed."
        raise UnfitFolder(Unfit.UNSAFE, path.name, message, CODE_HINT)


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a folder; raises `UnfitFolder` naming the file."""
    shown = f"{path.parent.name}/{path.name}"
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise UnfitFolder(Unfit.DAMAGED, path.name, f"{shown} is too large.")
        value = json.loads(path.read_bytes())
    except OSError as error:
        why = error.strerror or "unknown error"
        message = f"{shown} can not be read: {why}."
        raise UnfitFolder(Unfit.MISSING, path.name, message) from error
    except (ValueError, RecursionError) as error:
        message = f"{shown} is not valid JSON."
        raise UnfitFolder(Unfit.DAMAGED, path.name, message) from error
    if not isinstance(value, dict):
        raise UnfitFolder(Unfit.DAMAGED, path.name, f"{shown} is not a JSON object.")
    return value


def check_model(folder: Path, trusted_code_sha256: str | None = None) -> dict[str, Any]:
    """The config.json of a folder that is safe to load and whole; raises `UnfitFolder`.

    Reads every configuration and the headers of the weights, never the weights themselves.
    `trusted_code_sha256`: `code_sha256` of the program files that may be executed.
    """
    config = read_object(folder / CONFIG_FILE)
    check_code(folder, trusted_code_sha256)
    tokenizer = folder / "tokenizer.json"
    if tokenizer.is_file():
        read_object(tokenizer)
    for file in weight_files(folder):
        read_header(file)
    return config


def check_adapter(folder: Path) -> dict[str, Any]:
    """The adapter_config.json of a folder whose weights are whole; raises `UnfitFolder`."""
    config = read_object(folder / ADAPTER_CONFIG_FILE)
    if not (folder / ADAPTER_WEIGHTS_FILE).is_file():
        raise _no_weights(folder)
    read_header(folder / ADAPTER_WEIGHTS_FILE)
    return config


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model; raises `UnfitFolder` when there are none or some lack."""
    index = folder / INDEX_FILE
    if (folder / WEIGHTS_FILE).is_file():
        return [folder / WEIGHTS_FILE]
    if not index.is_file():
        raise _no_weights(folder)
    mapping = read_object(index).get("weight_map")
    names = list(mapping.values()) if isinstance(mapping, dict) else []
    if not names or not all(isinstance(name, str) and Path(name).name == name for name in names):
        message = f"{folder.name}/{INDEX_FILE} does not say where the weights are."
        raise UnfitFolder(Unfit.DAMAGED, INDEX_FILE, message)
    files = [folder / name for name in sorted(set(names))]
    for file in files:
        if not file.is_file():
            message = f"{folder.name}/{file.name} is missing; {INDEX_FILE} names it."
            raise UnfitFolder(Unfit.MISSING, file.name, message)
    return files


def _no_weights(folder: Path) -> UnfitFolder:
    try:
        pickled = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in PICKLED)
    except OSError:
        pickled = []
    if pickled:
        message = f"{folder.name} has no safetensors weights but {pickled[0]}, which can run code."
        return UnfitFolder(Unfit.UNSAFE, pickled[0], message)
    return UnfitFolder(Unfit.MISSING, WEIGHTS_FILE, f"{folder.name} has no safetensors weights.")


def read_header(file: Path) -> dict[str, StoredTensor]:
    """Names, types and shapes of a safetensors file; raises `UnfitFolder` unless it is whole.

    https://huggingface.co/docs/safetensors: eight bytes of length, a JSON header, the tensors.
    """
    shown = f"{file.parent.name}/{file.name}"
    try:
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            if not 2 <= size <= MAX_HEADER_BYTES:
                raise ValueError("not the length of a header")
            header = json.loads(stream.read(size))
        entries = {k: v for k, v in header.items() if k != "__metadata__"}
        tensors = {
            k: StoredTensor(v["dtype"], tuple(int(n) for n in v["shape"]))
            for k, v in entries.items()
        }
        end = max((int(v["data_offsets"][1]) for v in entries.values()), default=0)
        stored = file.stat().st_size
    except OSError as error:
        why = error.strerror or "unknown error"
        message = f"{shown} can not be read: {why}."
        raise UnfitFolder(Unfit.MISSING, file.name, message) from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        message = f"{shown} is damaged: its header can not be read."
        raise UnfitFolder(Unfit.DAMAGED, file.name, message) from error
    if stored != 8 + size + end:
        message = f"{shown} is damaged: it has {stored} bytes and must have {8 + size + end}."
        raise UnfitFolder(Unfit.DAMAGED, file.name, message)
    return tensors
