"""Values a beginner can trust, each with the code of its reason.

Rules of thumb with a source: LoRA wants about ten times the learning rate of full tuning and
tolerates less of it the larger the model (Hu et al. 2021, arXiv:2106.09685; Biderman et al. 2024,
arXiv:2405.09673, who also find that harder material needs more rank); alpha is twice the rank;
small sets are seen several times, large ones once or twice, because loss on held-out rows turns
after that. Preferences take about a tenth of the rate and fewer passes, or the model forgets what
it was (Rafailov et al. 2023, arXiv:2305.18290, use 1e-6 and one pass on whole models). An encoder
is small enough to be tuned whole (Devlin et al. 2018, arXiv:1810.04805: 2e-5 to 5e-5).
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from training_engine.contract.choices import (
    ADAPTED,
    PREFERENCE,
    Method,
    Objective,
    Schedule,
)
from training_engine.contract.hyperparameters import Hyperparameters

Complexity = Literal["simple", "medium", "complex"]
Scalar = str | int | float | bool | None
# By name: a value, and the code of its reason where there is one.
Reasoned = dict[str, tuple[Any, str | None]]

_LORA_RATES = ((5e8, 5e-4), (3e9, 3e-4), (1.5e10, 2e-4))
_FULL_RATES = ((5e7, 1e-4), (5e8, 5e-5), (3e9, 2e-5), (1.5e10, 1e-5))
_LARGEST_LORA_RATE, _LARGEST_FULL_RATE = 1e-4, 5e-6
_OF_PREFERENCES = frozenset({*PREFERENCE, Objective.KTO})
# Times the rate for answers, by what is learnt.
_RATE_OF = {
    **dict.fromkeys(_OF_PREFERENCES, 0.1),
    Objective.PRETRAIN: 0.5,
    Objective.REWARD: 0.5,
    Objective.SEQ2SEQ: 2.0,
}
# A classifier of at most so many parameters is tuned whole: it costs little and learns most.
_SMALL_ENCODER = 120_000_000
_RANKS = {"simple": 8, "medium": 16, "complex": 32}
# Rows up to which so many epochs are worth it.
_EPOCHS = ((100, 6.0), (500, 4.0), (5_000, 3.0), (50_000, 2.0))
_MANY_ROWS_EPOCHS, _MOST_PREFERENCE_EPOCHS = 1.0, 3.0
_EFFORT = {"simple": 0.5, "medium": 1.0, "complex": 1.5}
# So many updates per epoch should remain; a larger batch is steadier but learns in fewer steps.
_STEPS_PER_EPOCH = 25
_BATCH_SIZES = (4, 8, 16, 32)
_LARGEST_OF_CLASSES = 16
_MAX_LENGTHS = (128, 256, 512, 1024, 2048, 4096, 8192)
_EVALUATION_ROWS = (10, 500)


@dataclass(frozen=True)
class Recommendation:
    """`reasons`: field → code of the reason; `params`: numbers the reasons speak of."""

    method: Method
    hyperparameters: Hyperparameters
    reasons: dict[str, str]
    params: dict[str, Scalar] = field(default_factory=dict)


def recommend(
    num_params: int,
    num_rows: int,
    mean_tokens: float,
    method: Method | None = None,
    complexity: Complexity = "medium",
    *,
    objective: Objective = Objective.SFT,
    longest_tokens: int | None = None,
    longest_target: int | None = None,
    context_length: int | None = None,
    held_out_apart: bool = False,
) -> Recommendation:
    """Values for this model, this data, this objective and this difficulty.

    `mean_tokens`, `longest_tokens`: per row (per answer where a row has two); `longest_target`: of
    what a decoder writes to what an encoder reads. `context_length`: the most the model can read.
    `held_out_apart`: there is a separate validation set. Without `method` it is LoRA, which learns
    what small data can teach at a fraction of the memory; a small classifier is tuned whole.
    """
    chosen = method or _method(num_params, objective)
    epochs = _epochs(num_rows, complexity, objective)
    batch_size = _batch_size(num_rows, objective)
    max_length = _max_length(mean_tokens, longest_tokens, context_length)
    steps = max(1.0, num_rows * epochs / batch_size)
    found: Reasoned = {
        "learning_rate": _learning_rate(num_params, chosen, objective),
        "epochs": (epochs, "epochs_by_rows_and_complexity"),
        "batch_size": (batch_size, "batch_size_by_rows"),
        "max_length": (max_length, "max_length_by_row_length"),
        "warmup_ratio": (0.1 if steps < 100 else 0.05, "warmup_longer_in_short_runs"),
        "schedule": (Schedule.COSINE, None),
        "weight_decay": (0.0 if chosen in ADAPTED else 0.01, None),
        **_watching(num_rows, held_out_apart),
        **(_adapter(complexity) if chosen in ADAPTED else {}),
    }
    if objective is Objective.SEQ2SEQ and longest_target:
        length = _max_length(longest_target, longest_target, context_length)
        found["max_target_length"] = (length, "max_target_length_by_outputs")
    reasons = {name: why for name, (_, why) in found.items() if why}
    if method is None and chosen is Method.FULL:
        reasons["method"] = "small_classifier_is_tuned_whole"
    params: dict[str, Scalar] = {
        "num_parameters": num_params,
        "num_rows": num_rows,
        "mean_tokens": round(mean_tokens),
        "complexity": complexity,
        "steps": round(steps),
    }
    knobs = Hyperparameters(**{name: value for name, (value, _) in found.items()})
    return Recommendation(chosen, knobs, reasons, params)


def _watching(num_rows: int, held_out_apart: bool) -> Reasoned:
    """What is held out, and when the run ends for it."""
    fraction = 0.0 if held_out_apart else _evaluation_fraction(num_rows)
    why = "evaluation_enough_rows" if fraction else "too_few_rows"
    measured = held_out_apart or fraction > 0
    patience = (3, "stop_when_no_better") if measured else (None, "too_few_rows")
    return {
        "evaluation_fraction": (fraction, None if held_out_apart else why),
        "early_stopping_patience": patience,
    }


def _adapter(complexity: Complexity) -> Reasoned:
    """How wide and how strong it is."""
    rank = _RANKS[complexity]
    return {
        "lora_rank": (rank, "rank_by_complexity"),
        "lora_alpha": (2.0 * rank, "alpha_twice_rank"),
    }


def _method(num_params: int, objective: Objective) -> Method:
    small = 0 < num_params <= _SMALL_ENCODER
    return Method.FULL if small and objective is Objective.CLASSIFY else Method.LORA


def _learning_rate(num_params: int, method: Method, objective: Objective) -> tuple[float, str]:
    adapted = method in ADAPTED
    largest = _LARGEST_LORA_RATE if adapted else _LARGEST_FULL_RATE
    rates = _LORA_RATES if adapted else _FULL_RATES
    rate = next((rate for most, rate in rates if num_params <= most), largest)
    factor = _RATE_OF.get(objective, 1.0)
    # Adapters of an encoder–decoder want no more than those of a decoder.
    found = float(f"{rate * (min(factor, 1.0) if adapted else factor):.2g}")
    return found, _why_learning_rate(method, objective)


def _why_learning_rate(method: Method, objective: Objective) -> str:
    if objective in _OF_PREFERENCES:
        return "learning_rate_of_preferences"
    kind = "lora" if method in ADAPTED else method.value
    return f"learning_rate_{kind}_by_model_size"


def _epochs(num_rows: int, complexity: Complexity, objective: Objective) -> float:
    base = next((epochs for rows, epochs in _EPOCHS if num_rows <= rows), _MANY_ROWS_EPOCHS)
    if objective in _OF_PREFERENCES or objective is Objective.REWARD:
        base = min(base, _MOST_PREFERENCE_EPOCHS)
    return float(max(1, round(base * _EFFORT[complexity])))


def _batch_size(num_rows: int, objective: Objective) -> int:
    """The largest usual batch that leaves enough updates per epoch; a new head wants many."""
    most = _LARGEST_OF_CLASSES if objective is Objective.CLASSIFY else _BATCH_SIZES[-1]
    fitting = [n for n in _BATCH_SIZES if n <= most and num_rows / n >= _STEPS_PER_EPOCH]
    return max(fitting, default=_BATCH_SIZES[0])


def _max_length(mean_tokens: float, longest: int | None, context: int | None) -> int:
    """Room for the longest row, or for four times the mean where the longest is not known."""
    wanted = min(longest or 4 * mean_tokens, _MAX_LENGTHS[-1])
    length = next(size for size in _MAX_LENGTHS if size >= wanted)
    return min(length, max(16, context)) if context else length


def _evaluation_fraction(num_rows: int) -> float:
    """A twentieth, but enough rows to mean something and no more than needed."""
    few, many = _EVALUATION_ROWS
    if num_rows < 2 * few:
        return 0.0
    rows = min(max(num_rows / 20, few), many)
    return round(min(rows / num_rows, 0.5), 4)
