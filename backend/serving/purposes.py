"""What a model that can be asked is for: it talks, turns texts into others, sorts or scores."""

from typing import Literal

from backend.models.abilities import heads_of
from training_engine.contract.choices import Head, Objective, head_of

Purpose = Literal["chat", "seq2seq", "classify", "score"]


def of_objective(objective: str) -> Purpose:
    """What a model is for that was trained so."""
    wanted = Objective(objective)
    if wanted is Objective.REWARD:
        return "score"
    if head_of(wanted) is Head.SEQUENCE_CLASSIFICATION:
        return "classify"
    return "seq2seq" if wanted is Objective.SEQ2SEQ else "chat"


def of_architecture(architecture: str | None) -> Purpose | None:
    """What a base model is for; None for one that answers nothing until it was trained."""
    if architecture and architecture.endswith("ForSequenceClassification"):
        return "classify"
    heads = heads_of(architecture)
    if Head.SEQ2SEQ_LM in heads:
        return "seq2seq"
    return None if heads == {Head.SEQUENCE_CLASSIFICATION} else "chat"
