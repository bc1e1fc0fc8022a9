"""The gate before any training: nothing silly is trained, nothing is lost in silence.

Every sample trains more than nothing, every answer that is whole ends with a token that ends
generation, and no answer is cut away completely, unless such samples are to be left out; they are
counted then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from training_engine.contract.events import Scalar
from training_engine.contract.names import FailureCode
from training_engine.data.records import listed
from training_engine.data.samples import Misfit
from training_engine.failures import EngineFailure

SHOWN_REASONS = 5
LONGEST_REASON = 300  # characters


@dataclass
class Findings:
    """What was seen while rows became tokens; lists hold lines of the user's file."""

    truncated: list[int] = field(default_factory=list)
    cut_answers: list[int] = field(default_factory=list)  # of those, where learnt tokens went
    left_out: list[int] = field(default_factory=list)
    cut_tokens: int = 0
    split_rows: int = 0
    prompt_differs: bool = False
    first_unlearnt: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    misfits: dict[int, Misfit] = field(default_factory=dict)
    unterminated: list[int] = field(default_factory=list)
    cut_away: list[int] = field(default_factory=list)
    longest_cut_away: int = 0  # tokens
    untrained: list[int] = field(default_factory=list)


@dataclass
class _Problem:
    """What is wrong with some rows, and what to do about it."""

    text: str
    hint: str
    lines: list[int]
    field: str | None = None


def check(found: Findings) -> None:
    """Raises `EngineFailure` with everything that is wrong, naming lines; `field` is the first."""
    problems = [*_unfit(found), *_unlearnable(found)]
    if not problems:
        return
    lines = sorted({line for problem in problems for line in problem.lines})
    params: dict[str, Scalar] = {"lines": listed(lines), "count": len(lines)}
    fields = [problem.field for problem in problems if problem.field]
    raise EngineFailure(
        FailureCode.BAD_DATASET,
        " ".join(f"{problem.text}." for problem in problems),
        " ".join(problem.hint for problem in problems),
        params | ({"field": fields[0]} if fields else {}),
    )


def _unfit(found: Findings) -> Iterator[_Problem]:
    """Rows that the objective or the template does not take."""
    if found.misfits:
        wrong = {line: f"at {each.field}: {each}" for line, each in found.misfits.items()}
        yield _Problem(
            f"Rows do not fit this objective {_by_reason(wrong)}",
            "Correct these rows and upload the data set as a new version, or choose the objective "
            "that fits them.",
            list(wrong),
            next(iter(found.misfits.values())).field,
        )
    if found.refused:
        yield _Problem(
            f"The model's chat template refuses rows: {_by_reason(found.refused)}",
            "Bring the turns into a form the template allows (system first, then user and "
            "assistant in turn; tool calls only where the model knows them), or choose another "
            "model.",
            list(found.refused),
        )


def _unlearnable(found: Findings) -> Iterator[_Problem]:
    """Rows that would teach nothing, or to go on for ever."""
    if found.unterminated:
        yield _Problem(
            "The chat template does not end the assistant's turns with a token that ends "
            f"generation, so the model would never learn to stop {_at(found.unterminated)}",
            "Choose the template of an instruction-tuned model, with its end-of-turn token.",
            found.unterminated,
        )
    if found.cut_away:
        yield _Problem(
            "The maximum length cuts the whole answer away, so nothing is left to learn "
            f"{_at(found.cut_away)}",
            "Raise the maximum length (the longest of these rows has "
            f"{found.longest_cut_away:,} tokens), or run again with such rows left out "
            "(leave_out_overlong).",
            found.cut_away,
        )
    if found.untrained:
        yield _Problem(
            "Rows contain nothing to learn: their answers are empty or switched off "
            f"{_at(found.untrained)}",
            "Fill in or remove these rows and upload the data set as a new version.",
            found.untrained,
        )


def _by_reason(reasons: dict[int, str]) -> str:
    """`REASON (line 3, 9); REASON (line 17)`, the commonest first, some of them when many."""
    found: dict[str, list[int]] = {}
    for line, reason in reasons.items():
        found.setdefault(_shortened(reason), []).append(line)
    groups = sorted(found.items(), key=lambda group: -len(group[1]))
    told = [f"{reason} {_at(lines)}" for reason, lines in groups[:SHOWN_REASONS]]
    if others := [line for _, lines in groups[SHOWN_REASONS:] for line in lines]:
        told.append(f"other reasons {_at(others)}")
    return "; ".join(told)


def _shortened(reason: str) -> str:
    reason = reason.strip().rstrip(".")
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}…"


def _at(lines: list[int]) -> str:
    return f"(line {listed(sorted(set(lines)))})"
