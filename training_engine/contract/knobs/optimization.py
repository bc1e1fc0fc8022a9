"""How gradients become updates."""

from typing import Annotated

from pydantic import BaseModel, Field

from training_engine.contract.choices import Objective, Optimizer, Schedule
from training_engine.contract.knobs import knob


class Optimization(BaseModel):
    """Learning rate, optimizer and what keeps them in bounds."""

    learning_rate: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="Size of an update. LoRA: 1e-4 to 5e-4; full tuning: 1e-5 to 5e-5; "
            "preferences: a tenth of these.",
            json_schema_extra=knob("basic"),
        ),
    ] = 2e-4
    warmup_ratio: Annotated[
        float,
        Field(
            ge=0,
            le=0.5,
            description="Share of the steps in which the learning rate rises from zero.",
            json_schema_extra=knob("advanced"),
        ),
    ] = 0.05
    schedule: Annotated[
        Schedule,
        Field(
            description="How the learning rate falls after warm-up; wsd holds it and lets it "
            "fall at the end.",
            json_schema_extra=knob("advanced"),
        ),
    ] = Schedule.COSINE
    decay_ratio: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="Share of the steps at the end in which wsd lets the learning rate fall.",
            json_schema_extra=knob("advanced", variants=[Schedule.WSD]),
        ),
    ] = 0.2
    optimizer: Annotated[
        Optimizer,
        Field(
            description="AdamW suits nearly everything. adamw_8bit and adafactor take less "
            "memory; muon is for the matrices of full tuning.",
            json_schema_extra=knob("advanced"),
        ),
    ] = Optimizer.ADAMW
    weight_decay: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Pulls weights towards zero.",
            json_schema_extra=knob("advanced"),
        ),
    ] = 0.0
    max_grad_norm: Annotated[
        float,
        Field(
            gt=0,
            le=1000,
            description="Gradients longer than this are shortened to it.",
            json_schema_extra=knob("advanced"),
        ),
    ] = 1.0
    label_smoothing: Annotated[
        float,
        Field(
            ge=0,
            lt=0.5,
            description="Share of the certainty that is spread over all words or classes.",
            json_schema_extra=knob(
                "advanced",
                objectives=[
                    Objective.SFT,
                    Objective.PRETRAIN,
                    Objective.CLASSIFY,
                    Objective.SEQ2SEQ,
                ],
            ),
        ),
    ] = 0.0
    neftune_noise_alpha: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            description="Noise on the word vectors in training (NEFTune), 5 to 15; 0 is none.",
            json_schema_extra=knob("advanced"),
        ),
    ] = 0.0
