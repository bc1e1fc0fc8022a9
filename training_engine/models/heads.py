"""The model of an objective: which head it ends in, and how rows go through it."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from training_engine.contract.choices import Head, LabelKind, head_of
from training_engine.contract.spec import RunSpec
from training_engine.data.reading import Reading
from training_engine.devices import Placement
from training_engine.models import attention, load, method, unpadded
from training_engine.models.forward import Decoder, EncoderDecoder, Forward, Scorer
from training_engine.models.inputs import require_text_alone
from training_engine.models.trial import alike, random_row
from training_engine.objectives.labels import Labels

PROBLEM_TYPES = {
    LabelKind.SINGLE: "single_label_classification",
    LabelKind.MULTI: "multi_label_classification",
    LabelKind.REGRESSION: "regression",
}
_FORWARDS: dict[Head, type[Forward]] = {
    Head.CAUSAL_LM: Decoder,
    Head.SEQUENCE_CLASSIFICATION: Scorer,
    Head.SEQ2SEQ_LM: EncoderDecoder,
}
TRIED_LENGTHS = (9, 3, 14)
_ONE_SCORE = Labels(LabelKind.REGRESSION, ["reward"])


def load_model(spec: RunSpec, placement: Placement, reading: Reading) -> tuple[Any, bool]:
    """The stock model with the head that the objective needs, and whether its rows are packed.

    Raises `EngineFailure`.
    """
    head = head_of(spec.objective)
    if head is Head.CAUSAL_LM:
        model = _stock(spec, placement, attention.NAME)
        packed = load.packing_works(model)
        if model.config.model_type not in load.KNOWN_FAMILIES:
            load.set_attention(model, attention.NAME if packed else "sdpa")
            model.plain_head = Decoder(model, packed=packed).plain_head_suffices()
    elif head is Head.SEQUENCE_CLASSIFICATION:
        tokenizer = reading.template.tokenizer
        labels: Labels = getattr(reading, "classes", _ONE_SCORE)
        model = _stock(spec, placement, "sdpa", **_label_settings(labels))
        set_padding(model, tokenizer)
        packed = scores_packed(model)
        if not packed:
            load.set_attention(model, "sdpa")
            unpad(model)
            return model, False
    else:
        return _stock(spec, placement, "sdpa"), False
    load.set_attention(model, attention.NAME if packed else "sdpa")
    return model, packed


def _stock(spec: RunSpec, placement: Placement, attention_name: str, **options: Any) -> Any:
    """The stock model of a run, which reads text alone; raises `EngineFailure`."""
    how = {**method.loading_options(spec), **options}
    path, head = Path(spec.model.path), head_of(spec.objective)
    model = load.load_stock(path, placement, head, attention_name, **how)
    require_text_alone(model, spec.model.name)
    return model


def forward_of(spec: RunSpec, model: nn.Module, *, packed: bool, alone: bool = False) -> Forward:
    """How rows go through the model of this run, whose weights stay where they are from here on.

    `alone`: no text shares a pass with another.
    """
    knobs = spec.hyperparameters
    return _FORWARDS[head_of(spec.objective)](
        model,
        packed=packed,
        alone=alone,
        neftune=knobs.neftune_noise_alpha,
        offload=knobs.activation_offload and model.device.type == "cuda",
    )


def plain_forward_of(spec: RunSpec, model: nn.Module, *, packed: bool) -> Forward:
    """The same without what a run does besides: to look at what the model computes."""
    return _FORWARDS[head_of(spec.objective)](model, packed=packed)


def _label_settings(labels: Labels) -> dict[str, Any]:
    """What stock transformers keeps of labels in a model's configuration."""
    return {
        "num_labels": labels.count,
        "id2label": dict(enumerate(labels.names)),
        "label2id": {name: i for i, name in enumerate(labels.names)},
        "problem_type": PROBLEM_TYPES[labels.kind],
    }


def set_padding(model: Any, tokenizer: Any) -> None:
    """Have the model know the token that shorter texts of a batch are filled up with.

    Stock decoders read their score at the last token that is another one, so it stays the token
    that the tokenizer fills up with, also where texts may end with it (`Scorer`).
    """
    config, text = model.config, model.config.get_text_config()
    own = (getattr(each, "pad_token_id", None) for each in (config, text))
    known = (tokenizer.pad_token_id, *own, tokenizer.eos_token_id, 0)
    padding = next(int(token) for token in known if isinstance(token, int))
    config.pad_token_id = text.pad_token_id = padding


def unpad(model: Any) -> None:
    """Have the layers of an encoder compute without padding, where that gives the same scores."""
    stack = unpadded.stack_of(model)
    if stack is None:
        return
    row, scorer = random_row(model, TRIED_LENGTHS), Scorer(model, packed=False)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        wanted = scorer.scores(row)
        load.set_attention(model, unpadded.NAME)
        model.unpadded = unpadded.Unpadded(stack)
        try:
            same = alike(scorer.scores(row), wanted, model.dtype)
        except (ValueError, TypeError, RuntimeError, AttributeError):
            same = False
    if not same:
        model.unpadded.remove()
        model.unpadded = None
        load.set_attention(model, "sdpa")
    model.train(was_training)


def scores_packed(model: Any) -> bool:
    """Whether it is a decoder with a plain score on the last token, whose rows can be packed.

    Tried with our attention, which is left switched on where the model has such a score.
    """
    if not isinstance(getattr(model, "score", None), nn.Linear):
        return False
    load.set_attention(model, attention.NAME)
    return load.packing_works(model)
