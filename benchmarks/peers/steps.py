"""Notes when each optimizer step of a Hugging Face Trainer ends, and its gradient norm.

Every peer is built on that Trainer; `record()` gives all of them the same witness.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import transformers.trainer
from transformers import TrainerCallback


class _Witness(TrainerCallback):
    """Appends a line per step to the file that `BENCHMARK_STEPS` names."""

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """The step's number and the time."""
        _write({"step": state.global_step, "at": time.time()})

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any) -> None:
        """The gradient norm and loss that the trainer reports."""
        known = {key: float(logs[key]) for key in ("grad_norm", "loss") if key in (logs or {})}
        if known:
            _write({"log": state.global_step, **known})


def _write(facts: dict[str, Any]) -> None:
    with Path(os.environ["BENCHMARK_STEPS"]).open("a") as file:
        file.write(json.dumps(facts) + "\n")


def record() -> None:
    """Let every Trainer of this process have the witness."""
    transformers.trainer.DEFAULT_CALLBACKS.append(_Witness)
