"""What lies in a model folder: its facts, and whether it may be loaded here at all.

Only safetensors weights, and never code of the repository's own: a config that names a class to
import (`auto_map`) is refused wherever it stands.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.hubs.repository import card_header
from training_engine.contract.context import context_of
from training_engine.contract.model_folder import names_code
from training_engine.contract.names import MANIFEST_FILE

MAX_JSON_BYTES = 64 * 1024 * 1024
MAX_HEADER_BYTES = 100 * 1024 * 1024
CONFIG_FILE = "config.json"
INDEX_FILE = "model.safetensors.index.json"
WEIGHTS_FILE = "model.safetensors"
# What a download writes beside a model: {"reference": its id at the hub, "revision": the commit}.
ORIGIN_FILE = "origin.json"
CODE_FILES = (CONFIG_FILE, "tokenizer_config.json", "processor_config.json")
TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt",
    "spiece.model", "spm.model", "sentencepiece.bpe.model", "source.spm",
)  # fmt: skip


class UnusableFolder(Exception):
    """A folder that is no model for us; `reason` is a code, the message a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class ModelFacts:
    """What the files say; None where they say nothing."""

    architecture: str | None
    num_parameters: int | None
    context_length: int | None
    size_bytes: int
    licence: str | None
    has_chat_template: bool


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files; raises `UnusableFolder` when there are none or some are missing."""
    index = folder / INDEX_FILE
    if index.is_file():
        mapping = _read_json(index).get("weight_map")
        names = sorted(set(mapping.values())) if isinstance(mapping, dict) else []
        if not all(isinstance(name, str) and Path(name).name == name for name in names):
            raise UnusableFolder("incomplete", "The index of the weights names odd files.")
        missing = [name for name in names if not (folder / name).is_file()]
        if missing or not names:
            raise UnusableFolder(
                "incomplete", f"Weights are missing: {', '.join(missing[:3]) or 'all'}."
            )
        return [folder / name for name in names]
    if (folder / WEIGHTS_FILE).is_file():
        return [folder / WEIGHTS_FILE]
    raise UnusableFolder("no_safetensors", "The folder holds no safetensors weights.")


def require_usable(folder: Path, root: Path) -> None:
    """Raise `UnusableFolder` unless `folder` holds a model whose files all lie below `root`."""
    # An adapter of a classifier has a config.json too: the names of its classes stand there.
    adapter = (folder / "adapter_config.json").is_file()
    weights = any((folder / name).is_file() for name in (WEIGHTS_FILE, INDEX_FILE))
    if adapter and not (weights and (folder / CONFIG_FILE).is_file()):
        raise UnusableFolder("adapter", "This is an adapter, not a whole model.")
    if not (folder / CONFIG_FILE).is_file():
        raise UnusableFolder("no_config", "The folder holds no config.json.")
    needed = [folder / CONFIG_FILE, *weight_files(folder)]
    tokenizers = [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]
    if not tokenizers:
        raise UnusableFolder("no_tokenizer", "The folder holds no tokenizer.")
    for file in (*needed, *tokenizers):
        if not file.resolve().is_relative_to(root.resolve()):
            raise UnusableFolder("outside", f"{file.name} is a link out of the allowed folder.")
    for name in CODE_FILES:
        if (folder / name).is_file() and names_code(_read_json(folder / name)):
            raise UnusableFolder("needs_code", "The model needs code of its own to be loaded.")


def read_facts(folder: Path) -> ModelFacts:
    """The facts of a usable folder; raises `UnusableFolder` for damaged files."""
    config = _read_json(folder / CONFIG_FILE)
    weights = weight_files(folder)
    return ModelFacts(
        architecture=architecture_of(config),
        num_parameters=sum(_parameters(file) for file in weights),
        context_length=context_of(config),
        size_bytes=sum(
            file.stat().st_size
            for file in folder.iterdir()
            if file.is_file() and file.name != ORIGIN_FILE
        ),
        licence=_licence(folder),
        has_chat_template=_has_chat_template(folder),
    )


def architecture_of(config: dict[str, Any]) -> str | None:
    """The class name in a config.json."""
    names = config.get("architectures")
    return str(names[0])[:200] if isinstance(names, list) and names else None


def _parameters(file: Path) -> int:
    """Numbers in a safetensors file, from its header alone."""
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if not 2 <= size <= MAX_HEADER_BYTES:
            raise UnusableFolder("damaged", f"{file.name} is not a safetensors file.")
        try:
            header = json.loads(stream.read(size))
        except ValueError:
            raise UnusableFolder("damaged", f"The header of {file.name} is damaged.") from None
    tensors: Iterable[Any] = (v for k, v in header.items() if k != "__metadata__")
    ends, total = [0], 0
    for tensor in tensors:
        total += math.prod(tensor["shape"])
        ends.append(tensor["data_offsets"][1])
    if file.stat().st_size < 8 + size + max(ends):
        raise UnusableFolder("incomplete", f"{file.name} is cut off.")
    return total


def _has_chat_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    file = folder / "tokenizer_config.json"
    return file.is_file() and bool(_read_json(file).get("chat_template"))


def _licence(folder: Path) -> str | None:
    """From the model card's header, or from the manifest of a conversion."""
    found: Any = None
    card = folder / "README.md"
    if card.is_file():
        found = _card_header(card).get("license")
    if not found and (folder / MANIFEST_FILE).is_file():
        found = _read_json(folder / MANIFEST_FILE).get("license")
    if isinstance(found, list):
        found = ", ".join(str(one) for one in found)
    return str(found)[:200] if found else None


def _card_header(card: Path) -> dict[str, Any]:
    with card.open(encoding="utf-8", errors="replace") as file:
        text = file.read(64 * 1024)
    return card_header(text)


def _read_json(file: Path) -> dict[str, Any]:
    if file.stat().st_size > MAX_JSON_BYTES:
        raise UnusableFolder("damaged", f"{file.name} is too large.")
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise UnusableFolder("damaged", f"{file.name} is not valid JSON.") from None
    if not isinstance(value, dict):
        raise UnusableFolder("damaged", f"{file.name} is not a JSON object.")
    return value
