"""Says what was kept, cut, left out and held out: nothing happens to a row silently."""

from collections.abc import Sequence
from typing import NamedTuple

from training_engine import label_report
from training_engine.contract.events import Scalar
from training_engine.data.encode import EncodedSet
from training_engine.data.prepare import PreparedData
from training_engine.data.reading import Reading
from training_engine.data.records import listed
from training_engine.events import Reporter


class _Told(NamedTuple):
    """The sentence of a notice, and its figures."""

    message: str
    params: dict[str, Scalar]


def tell(reporter: Reporter, data: PreparedData, reading: Reading) -> None:
    """Notices about the samples of a run, and what rows became on the way to them."""
    _tell_context(reporter, reading)
    _tell_samples(reporter, data, reading)
    _tell_truncated(reporter, data)
    _tell_left_out(reporter, data)
    _tell_template(reporter, data.train)
    label_report.tell(reporter, data.train, reading)


def _tell_context(reporter: Reporter, reading: Reading) -> None:
    wanted = reading.knobs.max_length
    if (longest := reading.lengths[0]) < wanted:
        reporter.notice(
            "warning",
            "context_shorter",
            f"The model reads at most {longest} tokens, so that is the longest sample, not the "
            f"{wanted} that were asked for.",
            context=longest,
            max_length=wanted,
        )


def _tell_samples(reporter: Reporter, data: PreparedData, reading: Reading) -> None:
    train, held = data.train, data.evaluation
    learnt = f"{train.trained_tokens} of them learnt" if reading.form.predicts else "read whole"
    reporter.notice(
        "info",
        "data_ready",
        f"{len(train)} samples with {len(train.tokens)} tokens to train on, {learnt}; "
        f"{len(held) if held else 0} samples held out.",
        samples=len(train),
        tokens=len(train.tokens),
        trained_tokens=train.trained_tokens,
        evaluation_samples=len(held) if held else 0,
        truncated_rows=len(set(train.truncated_lines)),
        cut_tokens=train.cut_tokens,
    )


def _by_file(data: PreparedData) -> tuple[list[EncodedSet], list[EncodedSet]]:
    """What came from the training file, and from a validation file: each has lines of its own."""
    held_out = [] if data.held_out is None else [data.held_out]
    return ([data.train], held_out) if data.own_file else ([data.train, *held_out], [])


def _tell_truncated(reporter: Reporter, data: PreparedData) -> None:
    training, validation = _by_file(data)
    if told := _truncated(training, "rows"):
        reporter.notice("warning", "rows_truncated", told.message, **told.params)
    if told := _truncated(validation, "rows of the validation data"):
        reporter.notice("warning", "validation_rows_truncated", told.message, **told.params)


def _truncated(sets: Sequence[EncodedSet], rows: str) -> _Told | None:
    truncated = sorted({line for found in sets for line in found.truncated_lines})
    if not truncated:
        return None
    cut = sum(found.cut_tokens for found in sets)
    answers = len({line for found in sets for line in found.cut_answer_lines})
    return _Told(
        f"{len(truncated)} {rows} are longer than the maximum length and were cut, by {cut} "
        f"tokens together; {answers} of them lost part of what is learnt, the others only "
        f"what comes before (line {listed(truncated)}).",
        {"rows": len(truncated), "tokens": cut, "answers": answers, "lines": listed(truncated)},
    )


def _tell_left_out(reporter: Reporter, data: PreparedData) -> None:
    training, validation = _by_file(data)
    if told := _left_out(training, "rows"):
        reporter.notice("warning", "rows_left_out", told.message, **told.params)
    if told := _left_out(validation, "rows of the validation data"):
        reporter.notice("warning", "validation_rows_left_out", told.message, **told.params)


def _left_out(sets: Sequence[EncodedSet], rows: str) -> _Told | None:
    left_out = sorted({line for found in sets for line in found.left_out_lines})
    if not left_out:
        return None
    return _Told(
        f"{len(left_out)} {rows} are left out: their whole answer lies beyond the maximum "
        f"length (line {listed(left_out)}).",
        {"rows": len(left_out), "lines": listed(left_out)},
    )


def _tell_template(reporter: Reporter, train: EncodedSet) -> None:
    if train.split_rows:
        reporter.notice(
            "info",
            "rows_split",
            f"The chat template rewrites earlier turns: {train.split_rows} conversations became "
            "several samples, one for each turn in the form it is generated in.",
            rows=train.split_rows,
        )
    if unlearnt := sorted(set(train.first_unlearnt_lines)):
        reporter.notice(
            "warning",
            "first_answers_unlearnt",
            f"{len(unlearnt)} conversations begin with an answer that can not be told apart in "
            "what the chat template writes: these first answers are only read, not learnt "
            f"(line {listed(unlearnt)}).",
            rows=len(unlearnt),
            lines=listed(unlearnt),
        )
    if train.prompt_differs:
        reporter.notice(
            "warning",
            "generation_prompt_differs",
            "The chat template's generation prompt begins the answer differently from the "
            "conversations that are learnt; answers may need a chat template of your own.",
        )
