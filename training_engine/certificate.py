"""The certificate of a result: from its files alone, it computes what the trained model computes.

A few held-out samples (training ones where none are held out) go through the model as it was
trained, and through the files, loaded afresh as the worker serves them: stock transformers, an
adapter beside its base. Token ids have to be the same; logits to agree within what the number type
rounds; greedy tokens too, unless two are so near that rounding decides between them. A few scores
may be small differences of large numbers: what rounding makes of them is measured in float32.
"""

import copy
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor

from training_engine.answers import Answers, of_files, of_trainer
from training_engine.contract.choices import Head, head_of
from training_engine.contract.model_folder import read_header, weight_files
from training_engine.contract.names import FailureCode
from training_engine.data.chat import ChatTemplate, terminators
from training_engine.data.encode import EncodedSet, Encoder
from training_engine.data.reading import Reading
from training_engine.data.records import Row, read_rows
from training_engine.devices import Placement, on_host
from training_engine.failures import EngineFailure
from training_engine.models import load, method
from training_engine.run import Run
from training_engine.tuning import return_freed_memory

# More of them where each tells only a few scores.
SAMPLES, SCORED_SAMPLES = 3, 24
# How far two ways of summing may be apart, as `_relative_error` tells it.
TOLERANCE = {torch.float32: 1e-3}
SHORT_TYPES = 0.1
# How much further from float32 than the result itself the trained model may be, in a short type.
AS_ROUNDED = 2.0
# A single logit may be further off than they are in the mean.
OF_ONE_LOGIT = 4
# Rounding may choose another expert, and that changes more than rounding does.
EXPERTS = 4
# A second model may stand in memory where the training stood, or in this share of what is free.
SHARE_OF_FREE = 0.1


class Cause(StrEnum):
    """What makes a result compute something else."""

    TEMPLATE = "template"
    TOKENIZER = "tokenizer"
    TERMINATOR = "terminator"
    DTYPE = "dtype"
    MERGE = "merge"
    WEIGHTS = "weights"


SENTENCES = {
    Cause.TEMPLATE: "its chat template writes other texts than the one that was trained with",
    Cause.TOKENIZER: "its tokenizer gives other ids than the one that was trained with",
    Cause.TERMINATOR: "its answers end with other tokens than those that were learnt",
    Cause.DTYPE: "its number type is too short for its values",
    Cause.MERGE: "base and adapter together give other logits than the trained model",
    Cause.WEIGHTS: "its weights give other logits than the trained model",
}


@dataclass(frozen=True)
class Certificate:
    """What was compared. `passed` is None when nothing could be; `reason` says why."""

    dtype: str
    versions: dict[str, str]
    passed: bool | None = None
    samples: int = 0
    ids_equal: bool | None = None
    max_logit_difference: float | None = None
    relative_error: float | None = None
    tolerance: float | None = None
    greedy_equal: bool | None = None
    cause: Cause | None = None
    reason: str | None = None

    def values(self) -> dict[str, Any]:
        """As it is written down."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """For the model card."""
        if self.passed is None:
            return f"It was not loaded again to compare it with the trained model: {self.reason}."
        greedy = ", the same greedy tokens" if self.greedy_equal else ""
        return (
            f"Loaded again from these files ({self.dtype}), {self.samples} samples gave the same "
            f"token ids{greedy}, and logits that are off by {self.relative_error:.2%} "
            f"({self.tolerance:.1%} is allowed)."
        )


def certify(folder: Path, run: Run, reading: Reading) -> Certificate:
    """Compare the result in `folder` with the model of `run`; raises `EngineFailure`."""
    start = Certificate(str(run.placement.dtype).removeprefix("torch."), run.versions)
    adapter = method.makes_adapter(run.spec)
    whole = Path(run.spec.model.path) if adapter else folder
    scores = head_of(run.spec.objective) is Head.SEQUENCE_CLASSIFICATION
    most = SCORED_SAMPLES if scores else SAMPLES
    examples = [] if scores else run.data.examples
    source = run.spec.dataset
    rows = examples or list(islice(read_rows(Path(source.path), split=source.split), most))
    own, cause = _same_ids(folder, whole, run, reading, rows)
    if cause is not None:
        raise _failed(replace(start, passed=False, ids_equal=False, cause=cause))
    if not len(own):
        return replace(start, ids_equal=True, reason="no sample is short enough for it")
    place = _placement(run)
    if not _fits(whole, place):
        return replace(start, ids_equal=True, reason="a second copy does not fit into the memory")
    samples = [_ids(own, sample) for sample in range(min(len(own), most))]
    wanted = of_trainer(run, samples)
    found = of_files(run.spec, folder, place, samples, wanted)
    return_freed_memory()
    done = _compared(replace(start, samples=len(samples), ids_equal=True), wanted, found, run)
    if scores and not done.passed and place.dtype is not torch.float32:
        exact = replace(place, dtype=torch.float32)
        if not _fits(whole, exact):
            return replace(
                done, passed=None, reason="a copy in float32 does not fit into the memory"
            )
        truth = of_files(run.spec, folder, exact, samples, wanted)
        return_freed_memory()
        done = _as_rounded(done, wanted, found, truth)
    if not done.passed:
        raise _failed(replace(done, cause=_cause(found, adapter=adapter)))
    return done


def _same_ids(
    folder: Path, whole: Path, run: Run, reading: Reading, rows: Sequence[Row]
) -> tuple[EncodedSet, Cause | None]:
    """The rows as training reads them, and what is different when the result's files do."""
    trusted = run.spec.model.trusted_code_sha256 is not None
    fresh = copy.copy(reading)
    fresh.template = ChatTemplate(load.load_tokenizer(folder, trusted=trusted), required=False)
    tokenizer = reading.template.tokenizer
    own = _encoded(reading, terminators(tokenizer, Path(run.spec.model.path)), rows)
    try:
        again = _encoded(fresh, terminators(fresh.template.tokenizer, whole), rows)
    except EngineFailure:  # rows that training could read
        return own, Cause.TEMPLATE
    if own.bounds != again.bounds or not torch.equal(own.tokens, again.tokens):
        same = fresh.template.template == reading.template.template
        return own, Cause.TOKENIZER if same else Cause.TEMPLATE
    return own, None if torch.equal(own.trained, again.trained) else Cause.TERMINATOR


def _encoded(reading: Reading, ends: set[int], rows: Sequence[Row]) -> EncodedSet:
    return Encoder(reading, ends, leave_out=reading.knobs.leave_out_overlong).encode(rows)


def _ids(data: EncodedSet, sample: int) -> tuple[list[list[int]], int]:
    """Token ids of a sample's sequences, and how many come before what the first one learns."""
    found = [
        data.tokens[data.bounds[i] : data.bounds[i + 1]].tolist() for i in data.sequences(sample)
    ]
    first = data.bounds[data.sequences(sample)[0]]
    learnt = data.trained[first : first + len(found[0])].nonzero()
    return found, max(1, int(learnt[0])) if len(learnt) else len(found[0])


def _compared(start: Certificate, wanted: Answers, found: Answers, run: Run) -> Certificate:
    tolerance = TOLERANCE.get(run.placement.dtype, SHORT_TYPES)
    config: Any = run.model.config
    if any(getattr(config, name, None) for name in ("num_experts", "num_local_experts")):
        tolerance *= EXPERTS
    pairs = list(zip(wanted.logits, found.logits, strict=True))
    words = head_of(run.spec.objective) is not Head.SEQUENCE_CLASSIFICATION
    errors = torch.tensor([_relative_error(a, b, words=words) for a, b in pairs])
    error = float(errors.max())  # what is no number stays none, and is not within anything
    greedy = None
    if wanted.greedy is not None and found.greedy is not None:
        spread = float(_centred(wanted.greedy).square().mean().sqrt())
        greedy = _same_tokens(wanted.greedy, found.greedy, OF_ONE_LOGIT * tolerance * spread)
    passed = error <= tolerance and greedy is not False
    return replace(
        start,
        passed=passed,
        max_logit_difference=float(max((a - b).abs().max() for a, b in pairs)),
        relative_error=error,
        tolerance=tolerance,
        greedy_equal=greedy,
    )


def _as_rounded(start: Certificate, wanted: Answers, found: Answers, truth: Answers) -> Certificate:
    """Passed when the trained model is as near to float32's scores as the result in its type is."""
    exact = torch.cat(truth.logits)
    trained, rounded = (
        float((torch.cat(each.logits) - exact).norm() / exact.norm().clamp(min=1e-3))
        for each in (wanted, found)
    )
    tolerance = max(SHORT_TYPES, AS_ROUNDED * rounded)
    return replace(start, passed=trained <= tolerance, relative_error=trained, tolerance=tolerance)


def _relative_error(wanted: Tensor, found: Tensor, *, words: bool) -> float:
    """Root mean square of the differences of logits [n, v] over that of the logits.

    `words`: what all logits of a position share changes no probability, and does not count.
    """
    if words:
        wanted, found = _centred(wanted), _centred(found)
    return float((wanted - found).norm() / wanted.norm().clamp(min=1e-3))


def _centred(logits: Tensor) -> Tensor:
    return logits - logits.mean(-1, keepdim=True)


def _same_tokens(wanted: Tensor, found: Tensor, tolerance: float) -> bool:
    """Whether the likeliest tokens of two sets of logits [n, v] agree.

    Two of them may have changed places where both could be off by `tolerance`.
    """
    chosen = wanted.gather(-1, found.argmax(-1, keepdim=True))[:, 0]
    return bool((wanted.amax(-1) - chosen <= 2 * tolerance).all())


def _cause(found: Answers, *, adapter: bool) -> Cause:
    if not all(bool(each.isfinite().all()) for each in found.logits):
        return Cause.DTYPE
    return Cause.MERGE if adapter else Cause.WEIGHTS


def _placement(run: Run) -> Placement:
    """Where the trained model is: one that was spread over processes is whole on the CPU."""
    same = next(run.model.parameters()).device.type == run.placement.device.type
    return run.placement if same else on_host(run.placement)


def _fits(whole: Path, place: Placement) -> bool:
    """Whether a second model takes no more memory than training did, or little of what is free."""
    headers = (read_header(file).values() for file in weight_files(whole))
    needed = place.dtype.itemsize * sum(prod(t.shape) for header in headers for t in header)
    device = place.device
    if device.type == "cuda":
        left = torch.cuda.max_memory_allocated(device) - torch.cuda.memory_allocated(device)
        free = torch.cuda.mem_get_info(device)[0]
    else:
        left = _most_resident() - psutil.Process().memory_info().rss
        free = psutil.virtual_memory().available
    return bool(needed <= max(left, SHARE_OF_FREE * free))


def _most_resident() -> int:
    """The most memory that this process ever had, bytes."""
    import resource  # not on Windows, where nothing trains

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _failed(certificate: Certificate) -> EngineFailure:
    assert certificate.cause is not None
    numbers = ""
    if certificate.relative_error is not None and certificate.tolerance is not None:
        numbers = (
            f" (logits are off by {certificate.relative_error:.2%}, {certificate.tolerance:.1%} is "
            f"allowed in {certificate.dtype})"
        )
    what = SENTENCES[certificate.cause]
    return EngineFailure(
        FailureCode.CHECKPOINT_CORRUPT,
        f"The result was written but does not compute what was trained: {what}{numbers}.",
        "The checkpoints are kept. Report the model, this message and the versions at the "
        "beginning of the log.",
        {"cause": certificate.cause.value},
    )
