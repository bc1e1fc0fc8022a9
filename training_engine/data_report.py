"""Says what was kept, cut, left out and held out: nothing happens to a row silently."""

from training_engine import label_report
from training_engine.data.encode import EncodedSet
from training_engine.data.prepare import PreparedData
from training_engine.data.reading import Reading
from training_engine.data.records import listed
from training_engine.events import Reporter


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


def _tell_truncated(reporter: Reporter, data: PreparedData) -> None:
    truncated = sorted({line for found in data.sets for line in found.truncated_lines})
    if not truncated:
        return
    cut = sum(found.cut_tokens for found in data.sets)
    answers = len({line for found in data.sets for line in found.cut_answer_lines})
    reporter.notice(
        "warning",
        "rows_truncated",
        f"{len(truncated)} rows are longer than the maximum length and were cut, by {cut} "
        f"tokens together; {answers} of them lost part of what is learnt, the others only "
        f"what comes before (line {listed(truncated)}).",
        rows=len(truncated),
        tokens=cut,
        answers=answers,
        lines=listed(truncated),
    )


def _tell_left_out(reporter: Reporter, data: PreparedData) -> None:
    left_out = sorted({line for found in data.sets for line in found.left_out_lines})
    if left_out:
        reporter.notice(
            "warning",
            "rows_left_out",
            f"{len(left_out)} rows are left out: their whole answer lies beyond the maximum "
            f"length (line {listed(left_out)}).",
            rows=len(left_out),
            lines=listed(left_out),
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
    if train.prompt_differs:
        reporter.notice(
            "warning",
            "generation_prompt_differs",
            "The chat template's generation prompt begins the answer differently from the "
            "conversations that are learnt; answers may need a chat template of your own.",
        )
