"""How it is computed; the result is the same."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from training_engine.contract.choices import Compilation
from training_engine.contract.knobs import knob


def _of_switch(value: Any) -> Any:
    """It was a switch once, and YAML reads `on` and `off` as one."""
    return (Compilation.ON if value else Compilation.OFF) if isinstance(value, bool) else value


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
        Compilation,
        BeforeValidator(_of_switch),
        Field(
            description="Compiles layers on a GPU before training (torch.compile). auto does so "
            "when the run is expected to take ten minutes or more, and leaves it where Liger's "
            "kernels do the same.",
            json_schema_extra=knob("advanced"),
        ),
    ] = Compilation.AUTO
    recover_from_oom: Annotated[
        bool,
        Field(
            description="Computes fewer samples at once when memory runs out, and goes on; the "
            "effective batch and the result stay the same. With one process only.",
            json_schema_extra=knob("advanced"),
        ),
    ] = True
