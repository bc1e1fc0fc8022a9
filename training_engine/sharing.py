"""What a build does when several processes share the run."""

from dataclasses import replace
from functools import partial

import torch
from torch import nn

from training_engine.contract.names import FailureCode
from training_engine.contract.spec import RunSpec
from training_engine.data.reading import Reading
from training_engine.devices import Placement, on_host
from training_engine.distributed import Processes
from training_engine.events import Reporter
from training_engine.failures import EngineFailure
from training_engine.models import heads, method
from training_engine.models.weights import TrainableWeights
from training_engine.plan import AtOnce
from training_engine.run import Run


def spread(
    model: nn.Module,
    spec: RunSpec,
    placement: Placement,
    processes: Processes,
    reporter: Reporter,
) -> nn.Module:
    """Spread the model over the processes; returns the root that it computes through."""
    from training_engine.models import sharding  # much to import, and other runs do not need it

    if spec.hyperparameters.sample_steps is not None:
        reporter.notice(
            "info",
            "samples_at_the_end",
            "The weights are spread over the processes: sample answers come with the result only.",
        )
    return sharding.shard(model, processes, placement.device, keep=method.makes_adapter(spec))


def learning(
    model: nn.Module, spec: RunSpec, processes: Processes, *, sharded: bool
) -> TrainableWeights:
    """What learns, the same on every process; raises `EngineFailure` when it is not."""
    knobs = spec.hyperparameters
    if sharded and not method.makes_adapter(spec):
        from training_engine.models.sharding import ShardedWeights

        return method.trainable_weights(model, knobs, partial(ShardedWeights, processes=processes))
    weights = method.trainable_weights(model, knobs)
    if processes.count > 1:
        _check_equal(weights, processes)
    return weights


def _check_equal(weights: TrainableWeights, processes: Processes) -> None:
    sums = torch.stack([master.sum(dtype=torch.float64) for master in weights.masters.values()])
    if any(not torch.equal(other, sums.cpu()) for other in processes.collected(sums.cpu())):
        raise EngineFailure(
            FailureCode.INTERNAL,
            "The processes of the run did not begin with the same weights.",
            "Report it together with the versions at the beginning of the log.",
        )


def shared(wanted: AtOnce, processes: Processes) -> AtOnce:
    """What every process can compute at once: they cut steps alike."""
    return replace(wanted, tokens=processes.least(wanted.tokens))


def make_whole(run: Run, reading: Reading) -> None:
    """Have the sharded model of a run whole again, on the CPU of process 0, to be written."""
    weights = run.weights.stored()
    run.shards = None
    if not run.processes.main:
        return
    model, packed = heads.load_model(run.spec, on_host(run.placement), reading)
    method.prepare(model, run.spec)
    present = model.state_dict()
    for name, value in weights.items():
        present[name].copy_(value)
    run.model = model
    run.criterion.forward = heads.forward_of(run.spec, model, packed=packed)
