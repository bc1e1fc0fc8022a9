"""What belongs to one objective or a few."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from training_engine.contract.choices import PREFERENCE, LabelKind, Objective
from training_engine.contract.knobs import knob

BETA, SIMPO_BETA = 0.1, 2.0


class OfObjectives(BaseModel):
    """Constants of the preference losses, and what a classifier's labels are."""

    beta: Annotated[
        Annotated[float, Field(gt=0, le=100)] | Literal["auto"],
        Field(
            description="How firmly preferences are learnt: a large value keeps the model near "
            "where it started (with orpo: the weight of the preference). auto is the value of "
            "the method's paper.",
            json_schema_extra=knob("basic", objectives=[*PREFERENCE, Objective.KTO]),
        ),
    ] = "auto"
    simpo_gamma_ratio: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="By how much the chosen answer has to be ahead, as a share of beta: gamma "
            "divided by beta.",
            json_schema_extra=knob("advanced", objectives=[Objective.SIMPO]),
        ),
    ] = 0.5
    cpo_alpha: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            description="Weight of learning the chosen answer itself.",
            json_schema_extra=knob("advanced", objectives=[Objective.CPO]),
        ),
    ] = 1.0
    desirable_weight: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            description="Weight of good answers; raise it where they are the fewer.",
            json_schema_extra=knob("advanced", objectives=[Objective.KTO]),
        ),
    ] = 1.0
    undesirable_weight: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            description="Weight of bad answers; raise it where they are the fewer.",
            json_schema_extra=knob("advanced", objectives=[Objective.KTO]),
        ),
    ] = 1.0
    label_kind: Annotated[
        LabelKind,
        Field(
            description="One class per text, several, or a number; auto reads it from the rows.",
            json_schema_extra=knob("basic", objectives=[Objective.CLASSIFY]),
        ),
    ] = LabelKind.AUTO

    def beta_of(self, objective: Objective) -> float:
        """The number that `beta` stands for."""
        if self.beta != "auto":
            return self.beta
        return SIMPO_BETA if objective is Objective.SIMPO else BETA
