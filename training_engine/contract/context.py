"""The most tokens that a model can read at once, from its config.json. Standard library only."""

from collections.abc import Mapping
from typing import Any

_NAMES = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
# Their positions are counted from behind the padding token: the table's first rows are never read.
_BEHIND_PADDING = frozenset(
    {
        "camembert", "data2vec-text", "esm", "ibert", "lilt", "longformer", "luke", "markuplm",
        "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod",
    }
)  # fmt: skip
# They learnt distances between tokens, of any length, whatever their configurations say besides.
_RELATIVE = frozenset({"t5", "mt5", "umt5", "longt5", "switch_transformers"})
_PADDING = 1  # RoBERTa's, where a configuration does not say
_LEAST = 16  # -1 and the like stand for "no end"


def context_of(config: Mapping[str, Any]) -> int | None:
    """Tokens of the longest text; None when it has no end, or none that is told."""
    nested = config.get("text_config")
    sizes = {**config, **nested} if isinstance(nested, dict) else config
    family = str(sizes.get("model_type"))
    if family in _RELATIVE:
        return None
    given = (sizes.get(name) for name in _NAMES)
    longest = next((n for n in given if isinstance(n, int) and not isinstance(n, bool)), None)
    if longest is None:
        return None
    if family in _BEHIND_PADDING:
        padding = sizes.get("pad_token_id")
        longest -= (padding if isinstance(padding, int) else _PADDING) + 1
    return longest if longest > _LEAST else None
