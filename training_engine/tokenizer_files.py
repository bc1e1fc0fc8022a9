"""Which files of a folder make up its tokenizer: decided here, for whatever copies or watches one.

A tokenizer that is loaded names its own files, so that none is forgotten; the names below stand for
those that are not loaded.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training_engine.contract.model_folder import CONFIG_FILE

TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
TEMPLATE_FILE = "chat_template.jinja"
# Further templates, each in a file that is called as the template is.
TEMPLATES_DIR = "additional_chat_templates"
# Where older folders have theirs, in the tokenizer's configuration; the first one's name.
TEMPLATE_KEY, FIRST_TEMPLATE = "chat_template", "default"
# What transformers reads for every tokenizer, then the vocabularies of its families.
KNOWN = (
    "tokenizer.json", TOKENIZER_CONFIG_FILE, "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "spm.model",
    "sentencepiece.bpe.model", "sentencepiece.model", "spm_char.model", "source.spm", "target.spm",
    "target_vocab.json", "vocab-src.json", "vocab-tgt.json", "bpe.codes", "dict.txt",
    "byte_maps.json", "emoji.json", "entity_vocab.json", "normalizer.json", "prophetnet.tokenizer",
    "word_shape.json", "word_pronunciation.json", "tekken.json", "tiktoken.model",
)  # fmt: skip
# Beside `tokenizer.json`, for other versions of transformers; numbered vocabularies of Mistral's.
VERSIONED = ("tokenizer.*.json", "tokenizer.model.*")
# Without a class of its own: what transformers falls back to anyway.
GENERIC_CLASS = "TokenizersBackend"


def tokenizer_files(folder: Path, tokenizer: Any = None) -> list[str]:
    """What `folder` has of a tokenizer without its chat templates, by name.

    `tokenizer`: the one that was loaded from there, if it was; it may read files of its own.
    """
    own: list[str] = [*getattr(tokenizer, "vocab_files_names", {}).values()]
    names = [*KNOWN, *(name for name in own if name and Path(name).name == name)]
    names += [path.name for pattern in VERSIONED for path in sorted(folder.glob(pattern))]
    return [name for name in dict.fromkeys(names) if (folder / name).is_file()]


def template_files(folder: Path) -> list[str]:
    """The chat templates in `folder` that are files of their own, relative to it."""
    found = [TEMPLATE_FILE] if (folder / TEMPLATE_FILE).is_file() else []
    more = sorted((folder / TEMPLATES_DIR).glob("*.jinja"))
    return [*found, *(f"{TEMPLATES_DIR}/{path.name}" for path in more if path.is_file())]


def templates_of(folder: Path) -> dict[str, str]:
    """The chat templates of record in `folder` by name, as transformers finds them.

    Those in files are all there are; the configuration's count where there is no such file.
    """
    if files := template_files(folder):
        names = [FIRST_TEMPLATE if file == TEMPLATE_FILE else Path(file).stem for file in files]
        texts = [(folder / file).read_text("utf-8") for file in files]
        return dict(zip(names, texts, strict=True))
    said = _configuration(folder).get(TEMPLATE_KEY) or {}
    if isinstance(said, list):
        return {each["name"]: each["template"] for each in said}
    return {FIRST_TEMPLATE: said} if isinstance(said, str) else dict(said)


def copy_tokenizer(sources: Sequence[Path], target: Path, tokenizer: Any = None) -> None:
    """The tokenizer as it is, byte for byte, with its templates: those of record.

    Each file comes from the first of `sources` that has it, and the templates together from the
    first that has a tokenizer or a template: those of two do not mix. What is in `target` stays.
    Only templates in the configuration that files of templates overrule are left out.
    """
    for source in sources:
        for name in tokenizer_files(source, tokenizer):
            _copy(source, target, name)
    for source in sources:
        templates = template_files(source)
        if templates or (source / TOKENIZER_CONFIG_FILE).is_file():
            for name in templates:
                _copy(source, target, name)
            break
    leave_to_files(target)


def replace_templates(target: Path, template: str) -> None:
    """Make `template` the only one of a tokenizer in `target`."""
    shutil.rmtree(target / TEMPLATES_DIR, ignore_errors=True)
    (target / TEMPLATE_FILE).write_text(template, "utf-8")
    leave_to_files(target)


def leave_to_files(target: Path) -> None:
    """Take the templates out of the configuration in `target` where there are files of them.

    transformers does not look at them then; programs around llama.cpp look at them first.
    """
    if not template_files(target):
        return
    said = _configuration(target)
    if TEMPLATE_KEY in said:
        del said[TEMPLATE_KEY]
        text = json.dumps(said, indent=2, ensure_ascii=False)
        (target / TOKENIZER_CONFIG_FILE).write_text(text, "utf-8")


def name_class(target: Path, tokenizer: Any) -> None:
    """Say in `target` which class the tokenizer has, where only the model's config.json told it.

    An adapter's folder has none, and its tokenizer would be taken for a general one.
    """
    path, name = target / TOKENIZER_CONFIG_FILE, type(tokenizer).__name__
    if name == GENERIC_CLASS or (target / CONFIG_FILE).is_file():
        return
    said = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if "tokenizer_class" not in said and "auto_map" not in said:
        path.write_text(json.dumps({**said, "tokenizer_class": name}, indent=2), "utf-8")


def _configuration(folder: Path) -> dict[str, Any]:
    """The tokenizer's own; empty where there is none, or none that can be read."""
    try:
        said = json.loads((folder / TOKENIZER_CONFIG_FILE).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _copy(source: Path, target: Path, name: str) -> None:
    if (target / name).exists():
        return
    (target / name).parent.mkdir(exist_ok=True)
    shutil.copyfile(source / name, target / name)
