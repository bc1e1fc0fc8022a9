"""From a GGUF file to a standard model folder: bf16 safetensors, tokenizer, template, config.

`transformers` reads the file and undoes its quantisation. Left to itself it would refuse to save
the result (it counts as quantised), and would lose two things the file says: that digits are split
off before merging, and how long a text may be.
"""

import importlib.util
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Vocabularies whose merges were learnt on text with every digit on its own, by the name the file
# gives in `tokenizer.ggml.pre`. Without the split "\n\n1." falls into other tokens than the model
# saw in training.
_DIGITS_APART = frozenset({"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"})


@dataclass(frozen=True)
class GgufFacts:
    """What a GGUF file says about itself."""

    name: str
    license: str
    languages: list[str]
    pre_tokenizer: str | None
    context_length: int | None


def packaged_gguf(package: str) -> Path | None:
    """The one GGUF file inside an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    return None


def read_facts(source: Path) -> GgufFacts:
    """Read the header; raises `ValueError` when `source` is not a whole GGUF header."""
    from transformers.integrations.gguf.reader import read_gguf_metadata

    try:
        fields, _ = read_gguf_metadata(str(source), ("general.languages",))
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"its header is damaged ({error})") from error
    architecture = fields["general.architecture"]
    return GgufFacts(
        name=str(fields.get("general.name") or source.stem),
        license=str(fields.get("general.license") or "unknown"),
        languages=list(fields.get("general.languages") or []),
        pre_tokenizer=fields.get("tokenizer.ggml.pre"),
        context_length=fields.get(f"{architecture}.context_length"),
    )


def convert_gguf(
    source: Path, folder: Path, facts: GgufFacts, report: Callable[[float, str], None]
) -> None:
    """Write the model in `source` to `folder`; `report(fraction, what)` is told on the way."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    report(0.1, "Reading the tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    restore_digits(tokenizer, facts.pre_tokenizer)
    if facts.context_length:
        tokenizer.model_max_length = facts.context_length
    tokenizer.save_pretrained(folder)
    report(0.25, "Reading the weights")
    model = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    report(0.7, "Writing safetensors")
    model.save_pretrained(folder)
    _tidy(folder)


def restore_digits(tokenizer: Any, pre_tokenizer: str | None) -> None:
    """Split off every digit where the file says so; transformers leaves that out."""
    if pre_tokenizer not in _DIGITS_APART:
        return
    from tokenizers import pre_tokenizers

    backend = tokenizer.backend_tokenizer
    digits = pre_tokenizers.Digits(individual_digits=True)
    backend.pre_tokenizer = pre_tokenizers.Sequence([digits, backend.pre_tokenizer])


def _tidy(folder: Path) -> None:
    """Drop what only this machine knows, and the noise single precision left in the numbers."""
    config_path = folder / "config.json"
    config = json.loads(config_path.read_text("utf-8"))
    config.pop("_model_name_or_path", None)
    config = {
        key: float(f"{value:.7g}") if isinstance(value, float) else value
        for key, value in config.items()
    }
    config_path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
    tokenizer_path = folder / "tokenizer_config.json"
    tokenizer = json.loads(tokenizer_path.read_text("utf-8"))
    for key in ("is_local", "local_files_only", "backend"):
        tokenizer.pop(key, None)
    # The plain wrapper around tokenizer.json, by the name that older readers know as well.
    tokenizer["tokenizer_class"] = "PreTrainedTokenizerFast"
    tokenizer_path.write_text(json.dumps(tokenizer, indent=2, sort_keys=True) + "\n", "utf-8")
