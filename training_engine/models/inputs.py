"""What a model reads: texts alone can be learnt here."""

from typing import Any

from training_engine.contract.names import FailureCode
from training_engine.failures import EngineFailure

# What stands in the names that transformers gives to the parts for images, films and sounds.
_OTHER_INPUTS = ("vision", "image", "video", "audio", "speech")


def require_text_alone(model: Any, name: str) -> None:
    """Raise `EngineFailure` when a model has parts that read something else than text.

    No text goes through them, so their adapters would learn nothing; and what counts words or
    layers would look for them in the configuration of the whole.
    """
    reads = model.input_modalities
    others = other_parts(model.config)
    # Text models made out of such a model keep its configuration, or the list of what it reads.
    if not others or reads == "text" or tuple(reads) == ("text",):
        return
    raise EngineFailure(
        FailureCode.BAD_SPEC,
        f"The model {name} reads more than text (it has {', '.join(others)}); only models that "
        "read text alone can be trained here.",
        "Choose a model of this family that reads text alone, or add the model's text part, saved "
        "as a model of its own.",
    )


def other_parts(config: Any) -> list[str]:
    """The parts of a transformers config that read no text, by their names in it."""
    found = []
    for name in config.sub_configs:
        part = getattr(config, name, None)
        if part is None:  # an optional one that this model does without
            continue
        if any(kind in name for kind in _OTHER_INPUTS):
            found.append(name)
        elif hasattr(part, "sub_configs"):
            found += other_parts(part)
    return found
