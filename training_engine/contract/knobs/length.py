"""How much is learnt from, and how much of it at once."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from training_engine.contract.choices import Head, Objective, head_of
from training_engine.contract.knobs import knob

# Classifiers are packed where they can be, encoder–decoders never: there is nothing to choose.
OF_DECODERS = [each for each in Objective if head_of(each) is Head.CAUSAL_LM]
# Plain text goes on in the next sample; classes and outputs have no answer inside the sample.
_WITHOUT_ANSWER = {Objective.PRETRAIN, Objective.CLASSIFY, Objective.SEQ2SEQ}
OF_ANSWERS = [each for each in Objective if each not in _WITHOUT_ANSWER]


class Length(BaseModel):
    """Epochs, batches and the longest sample."""

    epochs: Annotated[
        float,
        Field(
            gt=0,
            le=100,
            description="How often the model sees the whole data set.",
            json_schema_extra=knob("basic"),
        ),
    ] = 3
    max_steps: Annotated[
        int | None,
        Field(
            ge=1,
            le=10_000_000,
            description="Ends the run after this many optimizer steps, whatever the epochs say.",
            json_schema_extra=knob("advanced", unit="steps"),
        ),
    ] = None
    batch_size: Annotated[
        int,
        Field(
            ge=1,
            le=4096,
            description="Samples per optimizer step (the effective batch).",
            json_schema_extra=knob("basic", unit="samples"),
        ),
    ] = 8
    micro_batch_size: Annotated[
        int | Literal["auto"],
        Field(
            description="Samples computed at once; auto fits the memory. The result is the same.",
            json_schema_extra=knob("advanced", unit="samples"),
        ),
    ] = "auto"
    max_length: Annotated[
        int,
        Field(
            ge=16,
            le=1_048_576,
            description="Longest sample in tokens; longer ones are cut, and counted. Plain text "
            "is never cut: it goes on in the next sample.",
            json_schema_extra=knob("basic", unit="tokens"),
        ),
    ] = 1024
    max_target_length: Annotated[
        int,
        Field(
            ge=2,
            le=1_048_576,
            description="Longest output in tokens; longer ones are cut, and counted.",
            json_schema_extra=knob("basic", unit="tokens", objectives=[Objective.SEQ2SEQ]),
        ),
    ] = 256
    leave_out_overlong: Annotated[
        bool,
        Field(
            description="Leaves out rows whose whole answer lies beyond max_length, and counts "
            "them; otherwise one such row refuses the run.",
            json_schema_extra=knob("advanced", objectives=OF_ANSWERS),
        ),
    ] = False
    packing: Annotated[
        bool,
        Field(
            description="Lays samples end to end without padding; they do not see each other.",
            json_schema_extra=knob("advanced", objectives=OF_DECODERS),
        ),
    ] = True
    seed: Annotated[
        int,
        Field(
            ge=0,
            le=2**31 - 1,
            description="Fixes order, split and initial adapter; same seed, same run.",
            json_schema_extra=knob("advanced"),
        ),
    ] = 42
