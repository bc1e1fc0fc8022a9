"""What a run will need, from a model's config.json alone: memory by part, disk, steps, time.

No torch: the API process calls this while the user types.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from training_engine import duration, verdict
from training_engine.contract.choices import Method, Objective, Strategy
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.contract.spec import Distributed
from training_engine.duration import length_of, seconds_of
from training_engine.limits import MOST_TOKENS, SHORTEST_BEGINNING, tokens_that_fit
from training_engine.memory_parts import Part, Setup, sequences_of
from training_engine.model_shape import ModelShape, read_shape
from training_engine.recommendation import Recommendation, recommend
from training_engine.verdict import Estimate, Reason

__all__ = [
    "SHORTEST_BEGINNING",
    "Computed",
    "Estimate",
    "Part",
    "Reason",
    "Recommendation",
    "estimate",
    "flops_shown",
    "recommend",
]

_DTYPE_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}
# Lengths vary: standard deviation as a share of the mean, as seen in instruction data, where it is
# not known. The heaviest of n batches lies √(2 ln n) deviations above the mean batch, within these.
_LENGTH_SPREAD, _HEAVIEST = 0.45, (1.0, 3.0)
# A step's samples come each from a class of its own, of equal lengths about: their deviations are a
# fraction of what all lengths deviate, this one divided by the samples of a step.
_WITHIN_CLASSES = 2.0
# Parts that several processes cut among them instead of each having its own; beside an adapter,
# which stays whole, the base alone.
_SHARDED, _SHARDED_BASE = frozenset({"weights", "masters", "gradients", "optimizer"}), {"weights"}

# Share of the tokens that is left, 0–1, when so many samples lie in a pass and what they begin with
# alike is computed once.
Computed = Callable[[int], float]


def estimate(
    config: Mapping[str, Any],
    *,
    method: Method,
    hyperparameters: Hyperparameters,
    num_rows: int,
    mean_tokens: float,
    longest_tokens: int | None = None,
    spread_tokens: float | None = None,
    validation_rows: int = 0,
    device: str = "cpu",
    dtype: str = "bfloat16",
    available_bytes: int | None = None,
    weights_bytes: int | None = None,
    measured_flops: float | None = None,
    host_flops: float | None = None,
    host_layer_s: float | None = None,
    cores: int = 2,
    objective: Objective = Objective.SFT,
    distributed: Distributed = Distributed(),
    computed: Computed | None = None,
) -> Estimate:
    """What this run needs, of this computer or of each of its GPUs.

    `config`: the model's config.json. `mean_tokens`, `longest_tokens`: per row, before truncation
    (per answer where a row has two; source and target together); `spread_tokens`: their standard
    deviation. `validation_rows`: of a separate validation set. `weights_bytes`: all safetensors
    files, used where the family is unknown. `measured_flops`: of `flops_shown`; `host_flops`,
    `host_layer_s`: of `speed.trial` on this host. `computed`: see `Computed`.
    """
    knobs, sequences = hyperparameters, sequences_of(objective)
    most = _most_tokens(objective, knobs)
    mean = max(1.0, min(float(mean_tokens), float(most)))
    longest = max(math.ceil(mean), min(longest_tokens or most, most))
    mean, longest = sequences * mean, sequences * longest
    spread = _LENGTH_SPREAD * mean if spread_tokens is None else sequences * spread_tokens
    length = length_of(num_rows, validation_rows, mean, knobs, sequences)
    setup = _setup(config, objective, method, knobs, device, dtype, weights_bytes, distributed)
    if setup is None:
        return verdict.unknown(length, weights_bytes)
    samples = math.ceil(knobs.batch_size / distributed.processes)
    deviations = min(max(math.sqrt(2 * math.log(length.steps)), _HEAVIEST[0]), _HEAVIEST[1])
    limit = _limit(setup, samples, longest, available_bytes, distributed.processes)
    share = _share(setup, computed, samples, mean, limit)
    heaviest = _heaviest(setup, samples, mean, longest, deviations * spread)
    tokens = max(longest, min(math.ceil(share * heaviest), limit))
    parts = setup.parts(tokens, min(limit, length.evaluation_tokens), available_bytes)
    seconds = seconds_of(
        length,
        setup,
        share=share,
        measured_flops=measured_flops,
        host_flops=host_flops,
        host_layer_s=host_layer_s,
        dtype=dtype,
        cores=cores,
        processes=distributed.processes,
    )
    return verdict.told(
        setup,
        length,
        seconds,
        parts=[_of_all_processes(part, setup, distributed.processes) for part in parts],
        micro_batch_size=max(1, min(samples, math.floor(tokens / mean))),
        available=available_bytes,
        speed_is_known=bool(measured_flops or host_flops),
    )


def flops_shown(
    config: Mapping[str, Any],
    *,
    tokens_per_s: float,
    objective: Objective,
    method: Method,
    hyperparameters: Hyperparameters,
    mean_tokens: float,
    device: str,
    dtype: str,
    distributed: Distributed = Distributed(),
    computed: Computed | None = None,
) -> float | None:
    """Operations per second that a trial would find on a host where a run was so fast.

    So a run tells of others of the same model that learn in another way. `mean_tokens`: of a
    sequence. None when the configuration does not tell the model's sizes.
    """
    setup = _setup(config, objective, method, hyperparameters, device, dtype, None, distributed)
    if setup is None:
        return None
    sequence = min(mean_tokens, _most_tokens(objective, hyperparameters))
    mean, samples = sequence * sequences_of(objective), hyperparameters.batch_size
    limit = _limit(setup, samples, math.ceil(mean), None)
    share = _share(setup, computed, samples, mean, limit)
    return duration.flops_shown(setup, tokens_per_s, sequence, samples * mean, share)


def _most_tokens(objective: Objective, knobs: Hyperparameters) -> int:
    """Of a sample; one for an encoder–decoder is a source and a target."""
    target = knobs.max_target_length if objective is Objective.SEQ2SEQ else 0
    return knobs.max_length + target


def _setup(
    config: Mapping[str, Any],
    objective: Objective,
    method: Method,
    knobs: Hyperparameters,
    device: str,
    dtype: str,
    weights_bytes: int | None,
    distributed: Distributed,
) -> Setup | None:
    """None when the configuration does not tell the model's sizes."""
    shape = read_shape(config)
    if shape is None:
        return None
    return Setup(
        shape=shape,
        parameters=_parameters(shape, config, weights_bytes),
        objective=objective,
        method=method,
        knobs=knobs,
        device=device,
        width=_DTYPE_BYTES[dtype],
        sharded=distributed.strategy is Strategy.FSDP and distributed.processes > 1,
    )


def _parameters(shape: ModelShape, config: Mapping[str, Any], weights_bytes: int | None) -> int:
    """Counted where the family is known, else from the size of the files."""
    if shape.exact or not weights_bytes:
        return shape.num_parameters
    stored = str(config.get("dtype") or config.get("torch_dtype") or "bfloat16")
    return weights_bytes // _DTYPE_BYTES.get(stored, 2)


def _limit(
    setup: Setup, samples: int, longest: int, available: int | None, processes: int = 1
) -> int:
    """The most tokens that the engine lays into one forward pass; `samples`: of a step.

    `processes`: how many share the run, and on a CPU the memory.
    """
    shape, micro = setup.shape, setup.knobs.micro_batch_size
    if micro != "auto":
        return min(samples, micro) * longest
    if available is None:
        return MOST_TOKENS[setup.device]
    return tokens_that_fit(
        setup.device,
        available // (1 if setup.device == "cuda" else processes),
        layers=shape.layers,
        hidden=shape.hidden,
        inner=shape.intermediate,
    )


def _share(setup: Setup, computed: Computed | None, samples: int, mean: float, limit: int) -> float:
    """Share of the tokens that are computed, of samples in passes of up to `limit` tokens."""
    if computed is None or not setup.shares:
        return 1.0
    micro = setup.knobs.micro_batch_size
    most = samples if micro == "auto" else min(samples, micro)
    return computed(max(1, min(most, int(limit / mean))))


def _heaviest(setup: Setup, samples: int, mean: float, longest: int, above: float) -> int:
    """Tokens of the heaviest step or micro-batch; `above`: by how much longer its samples are than
    the mean, if they were taken at random.
    """
    micro = setup.knobs.micro_batch_size
    if micro == "auto":
        more = _WITHIN_CLASSES * above / math.sqrt(samples)
    else:
        samples = min(samples, micro)
        more = above * math.sqrt(samples)
    return math.ceil(min(samples * longest, samples * mean + more))


def _of_all_processes(part: Part, setup: Setup, processes: int) -> Part:
    """What a part takes of the computer's memory, or of each GPU."""
    size = part.size_bytes
    if setup.sharded and part.name in (_SHARDED_BASE if setup.adapted else _SHARDED):
        together = setup.gathered_bytes if part.name == "weights" else 0
        size = math.ceil(size / processes) + together
    return Part(part.name, size if setup.device == "cuda" else size * processes)
