"""Which weights learn, and in what form."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from training_engine.contract.choices import LoraVariant, Method, Quantization
from training_engine.contract.knobs import LORA_METHODS, knob


class Weights(BaseModel):
    """Adapters, quantisation, the layers that are not frozen."""

    lora_rank: Annotated[
        int,
        Field(
            ge=1,
            le=512,
            description="Width of the adapter: more can learn more and costs memory.",
            json_schema_extra=knob("basic", methods=LORA_METHODS),
        ),
    ] = 16
    lora_alpha: Annotated[
        float,
        Field(
            gt=0,
            le=2048,
            description="Strength of the adapter; usually twice the rank.",
            json_schema_extra=knob("advanced", methods=LORA_METHODS),
        ),
    ] = 32
    lora_dropout: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="Share of adapter inputs dropped in training.",
            json_schema_extra=knob("advanced", methods=LORA_METHODS),
        ),
    ] = 0.0
    lora_variant: Annotated[
        LoraVariant,
        Field(
            description="lora is the usual one. rslora: for ranks above 64. dora: learns length "
            "and direction apart, slower. lora_plus: a higher rate for one half. pissa: starts "
            "from the weights' main directions.",
            json_schema_extra=knob("advanced", methods=LORA_METHODS),
        ),
    ] = LoraVariant.LORA
    lora_plus_ratio: Annotated[
        float,
        Field(
            ge=1,
            le=64,
            description="How many times higher the learning rate of B is than that of A.",
            json_schema_extra=knob(
                "advanced", methods=LORA_METHODS, variants=[LoraVariant.LORA_PLUS]
            ),
        ),
    ] = 16.0
    target_modules: Annotated[
        Annotated[list[str], Field(min_length=1)] | Literal["all-linear"],
        Field(
            description="Layers that get an adapter, by name; all-linear takes every one.",
            json_schema_extra=knob("advanced", methods=LORA_METHODS),
        ),
    ] = "all-linear"
    quantization: Annotated[
        Quantization,
        Field(
            description="How the frozen weights are stored: nf4 takes a quarter of the memory of "
            "bfloat16, int8 half.",
            json_schema_extra=knob("basic", methods=[Method.QLORA]),
        ),
    ] = Quantization.NF4
    trainable_layers: Annotated[
        int,
        Field(
            ge=1,
            le=1000,
            description="How many of the last layers learn; the others stay as they are.",
            json_schema_extra=knob("basic", unit="layers", methods=[Method.FREEZE]),
        ),
    ] = 2
