"""What the model gave before it was tuned: measured once, then compared with at every step."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from training_engine.compute import rows_of, with_less
from training_engine.contract.names import Phase
from training_engine.data.encode import EncodedSet
from training_engine.run import Run

TOLD_EVERY = 50  # samples


def measure(run: Run) -> bool:
    """Fill `reference` of the run's data sets; only samples that will be seen are measured.

    Called before any weights are loaded from a checkpoint: adapters that were just added change
    nothing yet, so the model is its own reference. False when the user stopped the run meanwhile.
    """
    if not run.criterion.referenced:
        return True
    data, total = run.data, run.plan.total_samples
    whole = range(len(data.train))
    seen = whole if total >= len(whole) else sorted(set(run.order.take(0, total)))
    parts: list[tuple[EncodedSet, Sequence[int]]] = [(data.train, seen)]
    if data.evaluation is not None:
        parts.append((data.evaluation, range(len(data.evaluation))))
    return all(_measure(run, part, samples) for part, samples in parts)


def _measure(run: Run, data: EncodedSet, samples: Sequence[int]) -> bool:
    run.model.eval()
    # From the beginning when memory runs out: how samples are cut into rows shows in the last bits.
    found = with_less(run, data, samples, lambda: _log_probs(run, data, samples))
    run.model.train()
    if found is None:
        return False
    run.processes.add_up(found)
    data.reference = found
    return True


def _log_probs(run: Run, data: EncodedSet, samples: Sequence[int]) -> Tensor | None:
    """By sequence, of this process's part of the samples; None when the user stopped the run."""
    found = torch.zeros(len(data.bounds) - 1)
    done = told = 0
    with torch.no_grad():
        for row, counts in rows_of(run, data, samples):
            if run.processes.agreed(run.stop.wanted() is not None):
                return None
            sums, _ = run.through(partial(run.criterion.forward.sequence_log_probs, row))
            if not counts:
                continue
            places = [sequence for sample in row.samples for sequence in data.sequences(sample)]
            found[places] = sums.float().cpu()
            done += len(row.samples) * run.processes.count
            if done - told >= TOLD_EVERY:
                told = done
                detail = f"Measuring the model as it is: {done} of {len(samples)}"
                run.reporter.phase(Phase.PREPARING, detail)
    return found
