"""Every knob of a run, with defaults a beginner can trust; the fields stand in `knobs/`."""

from typing import Any

from pydantic import ConfigDict, model_validator

from training_engine.contract.choices import LoraVariant, Optimizer
from training_engine.contract.knob_names import refuse_unknown
from training_engine.contract.knobs.computation import Computation
from training_engine.contract.knobs.length import Length
from training_engine.contract.knobs.objectives import OfObjectives
from training_engine.contract.knobs.optimization import Optimization
from training_engine.contract.knobs.watching import Watching
from training_engine.contract.knobs.weights import Weights


# The form shows the fields of the last base first.
class Hyperparameters(Computation, Watching, OfObjectives, Weights, Optimization, Length):
    """The knobs of a run; unknown names are refused with the one that was meant."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _names_are_known(cls, values: Any) -> Any:
        if isinstance(values, dict):
            refuse_unknown(values, cls.model_fields)
        return values

    @model_validator(mode="after")
    def _micro_batch_fits(self) -> "Hyperparameters":
        if isinstance(self.micro_batch_size, int):
            if self.micro_batch_size < 1:
                raise ValueError("micro_batch_size must be at least 1")
            if self.micro_batch_size > self.batch_size:
                raise ValueError("micro_batch_size must not exceed batch_size")
        return self

    @model_validator(mode="after")
    def _optimizer_fits(self) -> "Hyperparameters":
        plus = self.lora_variant is LoraVariant.LORA_PLUS
        if plus and self.optimizer in (Optimizer.ADAFACTOR, Optimizer.MUON):
            raise ValueError("lora_plus needs optimizer adamw or adamw_8bit")
        return self
