"""What a model can learn follows from its class, and is what transformers can load it as."""

import pytest
import transformers
from transformers.models.auto import modeling_auto

from backend.models.abilities import _ENCODER_DECODERS, _ENCODERS, heads_of, objectives_of
from training_engine.contract.choices import Head, Objective


@pytest.mark.parametrize(
    ("architecture", "some", "none"),
    [
        ("LlamaForCausalLM", Objective.SFT, Objective.SEQ2SEQ),
        ("LlamaForCausalLM", Objective.CLASSIFY, Objective.SEQ2SEQ),
        ("GPT2LMHeadModel", Objective.DPO, Objective.SEQ2SEQ),
        ("BertModel", Objective.CLASSIFY, Objective.SFT),
        ("BertForMaskedLM", Objective.REWARD, Objective.DPO),
        ("Qwen2ForSequenceClassification", Objective.CLASSIFY, Objective.SFT),
        ("T5ForConditionalGeneration", Objective.SEQ2SEQ, Objective.SFT),
        ("MarianMTModel", Objective.SEQ2SEQ, Objective.CLASSIFY),
    ],
)
def test_a_class_tells_what_can_be_learnt(
    architecture: str, some: Objective, none: Objective
) -> None:
    found = objectives_of(architecture)
    assert some in found
    assert none not in found


@pytest.mark.parametrize(
    "architecture",
    [None, "", "WhisperForConditionalGeneration", "LlavaForConditionalGeneration", "CLIPModel"],
)
def test_what_is_not_known_learns_nothing(architecture: str | None) -> None:
    assert objectives_of(architecture) == []


@pytest.mark.parametrize("name", _ENCODER_DECODERS)
def test_encoder_decoders_are_those_of_transformers(name: str) -> None:
    assert hasattr(transformers, name)
    assert name in modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES.values()
    assert heads_of(name) == {Head.SEQ2SEQ_LM}


@pytest.mark.parametrize("kin", _ENCODERS)
def test_encoders_can_get_a_head_of_scores(kin: str) -> None:
    assert hasattr(transformers, f"{kin}Model")
    assert hasattr(transformers, f"{kin}ForSequenceClassification")
