"""What a model can be trained for, from the class that its config.json names.

A decoder continues texts, and gets a new head to sort or to score them; an encoder sorts and
scores; an encoder–decoder turns one text into another.
"""

from training_engine.contract.choices import Head, Objective, head_of

_ENCODERS = (
    "Albert",
    "Bert",
    "Camembert",
    "DebertaV2",
    "Deberta",
    "DistilBert",
    "Electra",
    "MPNet",
    "ModernBert",
    "Roberta",
    "XLMRoberta",
)
_ENCODER_ENDS = ("Model", "ForMaskedLM", "ForPreTraining")
# Others that end in ForConditionalGeneration look at pictures or listen.
_ENCODER_DECODERS = (
    "BartForConditionalGeneration",
    "BlenderbotForConditionalGeneration",
    "LongT5ForConditionalGeneration",
    "M2M100ForConditionalGeneration",
    "MBartForConditionalGeneration",
    "MT5ForConditionalGeneration",
    "MarianMTModel",
    "PLBartForConditionalGeneration",
    "PegasusForConditionalGeneration",
    "T5ForConditionalGeneration",
    "UMT5ForConditionalGeneration",
)


def heads_of(architecture: str | None) -> frozenset[Head]:
    """The heads that the engine can train on a model of this class; empty for unknown kinds."""
    name = architecture or ""
    if name in _ENCODER_DECODERS:
        return frozenset({Head.SEQ2SEQ_LM})
    if name.endswith(("ForCausalLM", "LMHeadModel")):
        return frozenset({Head.CAUSAL_LM, Head.SEQUENCE_CLASSIFICATION})
    encoder = any(name == kin + end for kin in _ENCODERS for end in _ENCODER_ENDS)
    if encoder or name.endswith("ForSequenceClassification"):
        return frozenset({Head.SEQUENCE_CLASSIFICATION})
    return frozenset()


def objectives_of(architecture: str | None) -> list[Objective]:
    """What a model of this class can be trained for, in the order of the contract."""
    heads = heads_of(architecture)
    return [objective for objective in Objective if head_of(objective) in heads]
