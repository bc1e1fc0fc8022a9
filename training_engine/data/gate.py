"""The gate before any training: nothing silly is trained, nothing is lost in silence.

Every sample trains more than nothing, every answer that is whole ends with a token that ends
generation, and no answer is cut away completely, unless such samples are to be left out; they are
counted then.
"""

from dataclasses import dataclass, field

from training_engine.contract.names import FailureCode
from training_engine.data.records import listed
from training_engine.data.samples import Misfit
from training_engine.failures import EngineFailure


@dataclass
class Findings:
    """What was seen while rows became tokens; lists hold lines of the user's file."""

    truncated: list[int] = field(default_factory=list)
    cut_answers: list[int] = field(default_factory=list)  # of those, where learnt tokens went
    left_out: list[int] = field(default_factory=list)
    cut_tokens: int = 0
    split_rows: int = 0
    prompt_differs: bool = False
    refused: dict[int, str] = field(default_factory=dict)
    misfits: dict[int, Misfit] = field(default_factory=dict)
    unterminated: list[int] = field(default_factory=list)
    cut_away: list[int] = field(default_factory=list)
    longest_cut_away: int = 0  # tokens
    untrained: list[int] = field(default_factory=list)


def check(found: Findings) -> None:
    """Raises `EngineFailure` with the first reason, naming lines."""
    if found.misfits:
        lines = list(found.misfits)
        first = found.misfits[lines[0]]
        raise _refusal(
            f"Rows do not fit this objective at {first.field}: {first}",
            "Correct these rows and upload the data set as a new version, or choose the objective "
            "that fits them.",
            lines,
            field=first.field,
        )
    if found.refused:
        lines = list(found.refused)
        reason = found.refused[lines[0]]
        raise _refusal(
            f"The model's chat template refuses rows: {reason}",
            "Bring the turns into a form the template allows (system first, then user and "
            "assistant in turn; tool calls only where the model knows them), or choose another "
            "model.",
            lines,
        )
    if found.unterminated:
        raise _refusal(
            "The chat template does not end the assistant's turns with a token that ends "
            "generation, so the model would never learn to stop",
            "Choose the template of an instruction-tuned model, with its end-of-turn token.",
            found.unterminated,
        )
    if found.cut_away:
        raise _refusal(
            "The maximum length cuts the whole answer away, so nothing is left to learn",
            "Raise the maximum length (the longest of these rows has "
            f"{found.longest_cut_away:,} tokens), or run again with such rows left out "
            "(leave_out_overlong).",
            found.cut_away,
        )
    if found.untrained:
        raise _refusal(
            "Rows contain nothing to learn: their answers are empty or switched off",
            "Fill in or remove these rows and upload the data set as a new version.",
            found.untrained,
        )


def _refusal(problem: str, hint: str, lines: list[int], **params: str) -> EngineFailure:
    lines = sorted(set(lines))
    message = f"{problem.rstrip('.')} (line {listed(lines)})."
    return EngineFailure(
        FailureCode.BAD_DATASET,
        message,
        hint,
        {"lines": listed(lines), "count": len(lines), **params},
    )
