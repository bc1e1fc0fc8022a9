"""How it is computed; the result is the same."""

from typing import Annotated

from pydantic import BaseModel, Field

from training_engine.contract.knobs import knob


class Computation(BaseModel):
    """Memory against time."""

    gradient_checkpointing: Annotated[
        bool,
        Field(
            description="Computes activations again instead of keeping them: a third slower, "
            "much less memory.",
            json_schema_extra=knob("advanced"),
        ),
    ] = False
    activation_offload: Annotated[
        bool,
        Field(
            description="Keeps activations in the computer's memory instead of the GPU's.",
            json_schema_extra=knob("advanced"),
        ),
    ] = False
    compile: Annotated[
        bool,
        Field(
            description="Compiles the model before training (torch.compile): pays on a GPU for "
            "runs of many minutes.",
            json_schema_extra=knob("advanced"),
        ),
    ] = False
    recover_from_oom: Annotated[
        bool,
        Field(
            description="Computes fewer samples at once when memory runs out, and goes on; the "
            "effective batch and the result stay the same.",
            json_schema_extra=knob("advanced"),
        ),
    ] = True
