"""How a run is measured while it goes on, and what is kept of it."""

from typing import Annotated

from pydantic import BaseModel, Field

from training_engine.contract.choices import Objective, OutputCheckpoint
from training_engine.contract.knobs import knob

# A score alone tells a person nothing.
SHOWN = [each for each in Objective if each is not Objective.REWARD]


class Watching(BaseModel):
    """Evaluation, checkpoints, early stopping, sample answers."""

    evaluation_fraction: Annotated[
        float,
        Field(
            ge=0,
            le=0.5,
            description="Share of rows held out to measure on when no validation set is given.",
            json_schema_extra=knob("basic"),
        ),
    ] = 0.05
    evaluation_steps: Annotated[
        int | None,
        Field(
            ge=1,
            description="Steps between evaluations; empty means about ten over the run, fewer "
            "where they would take more than a quarter of the training time.",
            json_schema_extra=knob("advanced", unit="steps"),
        ),
    ] = None
    save_steps: Annotated[
        int | None,
        Field(
            ge=1,
            description="Steps between checkpoints; empty means about ten over the run, and with "
            "every evaluation.",
            json_schema_extra=knob("advanced", unit="steps"),
        ),
    ] = None
    sample_steps: Annotated[
        int | None,
        Field(
            ge=1,
            description="Steps between sample answers to held-out prompts; empty means at the "
            "end only.",
            json_schema_extra=knob("advanced", unit="steps", objectives=SHOWN),
        ),
    ] = None
    early_stopping_patience: Annotated[
        int | None,
        Field(
            ge=1,
            le=100,
            description="Evaluations without improvement after which the run ends; empty never.",
            json_schema_extra=knob("advanced", unit="evaluations"),
        ),
    ] = 3
    output_checkpoint: Annotated[
        OutputCheckpoint,
        Field(
            description="Which state becomes the result: the best on held-out rows, the last, or "
            "the fastest (an early one stays until a later one is over one per cent better).",
            json_schema_extra=knob("advanced"),
        ),
    ] = OutputCheckpoint.BEST
