"""Every knob of a run, with defaults a beginner can trust; the fields stand in `knobs/`."""

from typing import Any

from pydantic import (
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails

from training_engine.contract.choices import LoraVariant, Optimizer
from training_engine.contract.knob_names import unknown
from training_engine.contract.knobs.computation import Computation
from training_engine.contract.knobs.length import Length
from training_engine.contract.knobs.objectives import OfObjectives
from training_engine.contract.knobs.optimization import Optimization
from training_engine.contract.knobs.watching import Watching
from training_engine.contract.knobs.weights import Weights
from training_engine.contract.mistakes import again, mistake

_PLAIN_ADAMW = frozenset({Optimizer.ADAMW, Optimizer.ADAMW_8BIT})


# The form shows the fields of the last base first.
class Hyperparameters(Computation, Watching, OfObjectives, Weights, Optimization, Length):
    """The knobs of a run; unknown names are refused with the one that was meant."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _all_is_told(cls, values: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        """Names that are not known, values that are wrong, values that exclude each other."""
        if not isinstance(values, dict):
            return handler(values)
        fields = cls.model_fields
        known = {name: value for name, value in values.items() if name in fields}
        errors = [
            InitErrorDetails(type=unknown(str(name), fields), loc=(name,), input=value)
            for name, value in values.items()
            if name not in known
        ]
        wrong: set[str] = set()
        try:
            found = handler(known)
        except ValidationError as invalid:
            errors += [again(item) for item in invalid.errors()]
            wrong = {str(item["loc"][0]) for item in invalid.errors() if item["loc"]}
            # What is right by itself may still exclude something else that is.
            found = handler({name: value for name, value in known.items() if name not in wrong})
        errors += found._contradictions(wrong)
        if errors:
            raise ValidationError.from_exception_data(cls.__name__, errors)
        return found

    def _contradictions(self, wrong: set[str]) -> list[InitErrorDetails]:
        """Values that are right by themselves and can not go together; of `wrong` none is told."""
        told: dict[str, tuple[str, str]] = {}
        micro = self.micro_batch_size
        if isinstance(micro, int) and micro < 1:
            told["micro_batch_size"] = (
                "micro_batch_too_small",
                "micro_batch_size must be at least 1",
            )
        elif isinstance(micro, int) and micro > self.batch_size and "batch_size" not in wrong:
            message = "micro_batch_size must not exceed batch_size"
            told["micro_batch_size"] = ("micro_batch_over_batch", message)
        plus = self.lora_variant is LoraVariant.LORA_PLUS
        if plus and self.optimizer not in _PLAIN_ADAMW:
            message = "lora_plus needs optimizer adamw or adamw_8bit"
            told["optimizer"] = ("lora_plus_optimizer", message)
        return [
            mistake((name,), message, getattr(self, name), code)
            for name, (code, message) in told.items()
        ]
