"""Models that place the words of a long text in another way than those of a short one."""

from typing import Any


def alike_up_to(config: Any) -> int | None:
    """Tokens up to which texts of a transformers config may share a pass; None: of any length.

    Rotations that are chosen (longrope) or stretched (dynamic) by the longest text of a pass would
    be other ones for the short texts beside it.
    """
    text = config.get_text_config()
    told = getattr(text, "rope_parameters", None) or getattr(text, "rope_scaling", None) or {}
    limits = []
    for each in (told, *(part for part in told.values() if isinstance(part, dict))):
        kind = str(each.get("rope_type", each.get("type")))
        if kind == "longrope":
            limits.append(each.get("original_max_position_embeddings"))
        elif "dynamic" in kind:
            limits.append(text.max_position_embeddings)
    return min((int(limit) for limit in limits if limit), default=None)
