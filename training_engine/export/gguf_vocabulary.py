"""A model's tokenizer as GGUF describes it: tokens, kinds, scores, merges, how text is split.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. llama.cpp knows ways of splitting text by
name only; a tokenizer that splits in another way would give other tokens there, and is refused.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gguf import GGUFWriter, Keys, SpecialVocab, TokenType

from training_engine.tokenizer_files import FIRST_TEMPLATE, templates_of

# Names that GGUF files use, by the expression that transformers keeps for each.
_SPLITS = ("llama-bpe", "qwen2", "qwen35", "tekken", "gpt-4o")
# What a template's name may not hold in a GGUF file.
_NOT_IN_NAMES = re.compile("[^a-zA-Z0-9]")


class OtherTokenizer(ValueError):
    """GGUF can not describe this tokenizer; the text says why."""


@dataclass(frozen=True)
class Vocabulary:
    """`model`: `gpt2` (bytes, merges) or `llama` (SentencePiece); a token's place is its id."""

    model: str
    pre: str
    tokens: list[str]
    kinds: list[int]
    scores: list[float] | None


def read(folder: Path, rows: int) -> Vocabulary:
    """The tokenizer of a model whose embedding has `rows`; raises `OtherTokenizer` or `OSError`."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise OtherTokenizer("its tokenizer has no tokenizer.json")
    stored: dict[str, Any] = json.loads(path.read_text("utf-8"))
    model = stored["model"]
    if model.get("type") != "BPE":
        raise OtherTokenizer(f"its tokenizer is of the kind {model.get('type')}, not BPE")
    tokens, kinds = _tokens(stored, rows)
    if model.get("byte_fallback"):
        return Vocabulary("llama", "default", tokens, kinds, _scores(model, tokens, kinds))
    # Readers that find no merges derive some from the scores: equal ones give none.
    scores = None if model.get("merges") else [0.0] * rows
    return Vocabulary("gpt2", _split_name(stored), tokens, kinds, scores)


def write(writer: GGUFWriter, vocabulary: Vocabulary, folder: Path) -> None:
    """Put tokens, merges, special tokens and the chat template into the file's header."""
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.kinds)
    if vocabulary.scores is not None:
        writer.add_token_scores(vocabulary.scores)
    special = SpecialVocab(
        folder, load_merges=vocabulary.scores is None, n_vocab=len(vocabulary.tokens)
    )
    # By itself it would take the configuration's before those in files, which transformers takes.
    templates = as_named(templates_of(folder)).items()
    special.chat_template = [{"name": name, "template": text} for name, text in templates] or None
    special.add_to_gguf(writer, quiet=True)


def as_named(templates: str | Mapping[str, str] | None) -> dict[str, str]:
    """A tokenizer's chat templates under the names that they have in a GGUF file."""
    named = {FIRST_TEMPLATE: templates} if isinstance(templates, str) else templates or {}
    return {_NOT_IN_NAMES.sub("_", name): text for name, text in named.items() if text}


def templates_in(file: Path) -> dict[str, str]:
    """The chat templates of a GGUF file by name."""
    from transformers.integrations.gguf.reader import read_gguf_metadata

    fields, _ = read_gguf_metadata(str(file))
    first, others = Keys.Tokenizer.CHAT_TEMPLATE, Keys.Tokenizer.CHAT_TEMPLATE_N.format(name="")
    keys = {key: key.removeprefix(others) for key in fields if key.startswith(others)}
    if first in fields:
        keys[first] = FIRST_TEMPLATE
    return {name: fields[key] for key, name in keys.items()}


def _tokens(stored: dict[str, Any], rows: int) -> tuple[list[str], list[int]]:
    """Texts and kinds by id; rows of the embedding that no token uses get placeholders."""
    byte_fallback = bool(stored["model"].get("byte_fallback"))
    texts: dict[int, str] = {id_: text for text, id_ in stored["model"]["vocab"].items()}
    kinds = dict.fromkeys(texts, TokenType.NORMAL)
    if byte_fallback:
        kinds |= {i: TokenType.BYTE for i, text in texts.items() if _is_byte(text)}
        unknown = stored["model"].get("unk_token")
        kinds |= {i: TokenType.UNKNOWN for i, text in texts.items() if text == unknown}
    for token in stored.get("added_tokens") or ():
        known = kinds.get(token["id"])
        texts[token["id"]] = token["content"]
        if known != TokenType.UNKNOWN:
            special = bool(token.get("special"))
            kinds[token["id"]] = TokenType.CONTROL if special else TokenType.USER_DEFINED
    if texts and max(texts) >= rows:
        raise OtherTokenizer(f"its tokenizer has {max(texts) + 1} tokens and its model {rows}")
    for id_ in range(rows):
        if id_ not in texts:
            texts[id_], kinds[id_] = f"[PAD{id_}]", TokenType.UNUSED
    return [texts[i] for i in range(rows)], [int(kinds[i]) for i in range(rows)]


def _is_byte(text: str) -> bool:
    return len(text) == 6 and text.startswith("<0x") and text.endswith(">")


def _scores(model: dict[str, Any], tokens: list[str], kinds: list[int]) -> list[float]:
    """SentencePiece joins the pair with the best score: the earlier a merge, the better."""
    ranks: dict[str, float] = {}
    for rank, pair in enumerate(model["merges"]):
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        ranks.setdefault(left + right, -float(rank))
    last = -float(len(ranks) + 1)
    normal = int(TokenType.NORMAL)
    return [
        ranks.get(token, last) if kind == normal else 0.0
        for token, kind in zip(tokens, kinds, strict=True)
    ]


def _split_name(stored: dict[str, Any]) -> str:
    """What llama.cpp calls the way this tokenizer cuts text before it merges."""
    if not stored["model"].get("merges"):
        return "gpt-2"  # every byte a token: however it is cut, the tokens are the same
    outer = stored.get("pre_tokenizer") or {}
    parts = outer.get("pretokenizers") or [outer]
    kinds = [part.get("type") for part in parts]
    if kinds == ["ByteLevel"] and parts[0].get("use_regex", True):
        return "gpt-2"
    if kinds == ["Digits", "ByteLevel"] and parts[1].get("use_regex", True):
        if parts[0].get("individual_digits"):
            return "smollm"
    elif kinds == ["Split", "ByteLevel"] and (name := _known_split(parts[0])) is not None:
        return name
    raise OtherTokenizer("its tokenizer cuts text in a way that has no name in GGUF")


def _known_split(part: dict[str, Any]) -> str | None:
    from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

    pattern = part.get("pattern", {}).get("Regex")
    return next((name for name in _SPLITS if GGUF_PRE_TOKENIZER_SPLITS[name] == pattern), None)
