"""What a run will need on this host, and what to beware of; values that suit model and data."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.datasets.files import version_dir
from backend.settings import Settings
from backend.tasks import compatibility, measurements
from backend.tasks.host_facts import HostFacts, cpu_type
from backend.tasks.host_speed import Speed
from backend.tasks.lengths import WIDE_SHARE, Lengths, lengths_of
from backend.tasks.plan_schemas import (
    Estimate,
    Finding,
    MemoryPart,
    Recommendation,
    RecommendRequest,
)
from backend.tasks.plans import Plan
from backend.tasks.run_spec import model_folder
from training_engine import memory
from training_engine.contract.choices import Device, Method, Objective, Precision
from training_engine.contract.hyperparameters import Hyperparameters

# Free space that everything else needs: database, logs, other runs.
DISK_RESERVE_BYTES = 1_000_000_000
BYTES_PER_PARAMETER = 2  # of most models as they are published
ENGLISH_ONLY_MODELS = ("HuggingFaceTB/SmolLM2-",)


@dataclass(frozen=True)
class Basis:
    """All that an estimate of a plan depends on; other settings are then estimated at no cost."""

    facts: HostFacts
    plan: Plan
    config: dict[str, Any]
    lengths: Lengths
    device: Device
    dtype: str
    measured_flops: float | None  # as runs like this one have shown
    tried: Speed | None  # of a trial on this host

    def of(self, method: Method, hyperparameters: Hyperparameters) -> memory.Estimate:
        """The plan with these settings."""
        plan = self.plan
        samples = self.lengths.samples(
            hyperparameters, in_pieces=plan.asked.objective is Objective.PRETRAIN
        )
        rows = plan.dataset.num_rows or 0
        held_out = (plan.validation.num_rows or 0) if plan.validation else 0
        return memory.estimate(
            self.config,
            method=method,
            hyperparameters=hyperparameters,
            num_rows=round(rows * samples.per_row),
            mean_tokens=samples.mean,
            longest_tokens=self.lengths.longest_tokens + self.lengths.longest_target,
            spread_tokens=samples.spread,
            objective=plan.asked.objective,
            distributed=plan.asked.distributed,
            validation_rows=round(held_out * samples.per_row),
            device=self.device,
            dtype=self.dtype,
            available_bytes=self.facts.available_bytes(self.device),
            weights_bytes=plan.model.size_bytes,
            measured_flops=self.measured_flops,
            host_flops=self.tried.flops if self.tried else None,
            host_layer_s=self.tried.layer_s if self.tried else None,
            cores=self.facts.cores,
            computed=self.lengths.computed,
        )


async def basis_of(session: AsyncSession, facts: HostFacts, plan: Plan) -> Basis:
    """Look at the model, the data and what was measured."""
    device = facts.device(plan.asked.device)
    config, lengths = await _looks(facts.settings, plan, plan.asked.objective)
    tried = facts.speed if facts.speed and facts.speed.device == device else None
    precision = plan.asked.precision
    dtype = tried.dtype if tried else await measurements.type_of(session, device)
    if precision is not Precision.AUTO:
        dtype = precision.value
    if dtype is None:
        dtype = cpu_type() if device is Device.CPU else "bfloat16"
    shown = await measurements.flops_of(
        session,
        config,
        model_name=plan.model.name,
        objective=plan.asked.objective,
        method=plan.asked.method,
        hyperparameters=plan.asked.hyperparameters,
        dataset_id=plan.dataset.id,
        mean_tokens=lengths.mean_tokens,
        device=device,
        dtype=dtype,
        distributed=plan.asked.distributed,
        computed=lengths.computed,
    )
    return Basis(facts, plan, config, lengths, device, dtype, shown, tried)


def estimate(basis: Basis) -> Estimate:
    """Memory, disk, time and steps of a plan on this host."""
    facts, plan, device, lengths = basis.facts, basis.plan, basis.device, basis.lengths
    found = basis.of(plan.asked.method, plan.asked.hyperparameters)
    return Estimate(
        memory_bytes=found.memory_bytes,
        memory_available_bytes=facts.available_bytes(device),
        memory_parts=[MemoryPart(name=p.name, size_bytes=p.size_bytes) for p in found.parts],
        fit=found.fits,
        disk_bytes=found.disk_bytes,
        disk_available_bytes=facts.disk_free_bytes,
        time_s=found.time_s,
        time_low_s=found.time_low_s,
        time_high_s=found.time_high_s,
        total_steps=found.total_steps,
        num_tokens=found.num_tokens,
        num_rows=plan.dataset.num_rows or 0,
        device=device,
        warnings=[*_findings(found), *_warnings(facts, plan, found, lengths)],
    )


def main_memory(expected: Estimate) -> int | None:
    """What a run takes of the main memory: nothing of note where it computes on a GPU."""
    return expected.memory_bytes if expected.device != Device.CUDA else None


async def _looks(
    settings: Settings, plan: Plan, objective: Objective
) -> tuple[dict[str, Any], Lengths]:
    """The model's configuration and the data's lengths."""
    model, dataset = plan.model, plan.dataset

    def look() -> tuple[dict[str, Any], Lengths]:
        config = read_config(model_folder(settings, model))
        folder = version_dir(settings, dataset.id, dataset.version)
        vocabulary = config.get("vocab_size")
        size = vocabulary if isinstance(vocabulary, int) else 0
        return config, lengths_of(folder, size, objective)

    return await asyncio.to_thread(look)


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a model folder; empty when it is gone or is not what it should be."""
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _findings(found: memory.Estimate) -> list[Finding]:
    return [Finding(code=r.code, message=r.message, params=r.params) for r in found.reasons]


def _warnings(
    facts: HostFacts, plan: Plan, found: memory.Estimate, lengths: Lengths
) -> list[Finding]:
    warnings = list(compatibility.remarks(plan.dataset))
    free = facts.disk_free_bytes - DISK_RESERVE_BYTES
    if found.disk_bytes > free:
        text = (
            f"The run writes about {found.disk_bytes / 1e9:.1f} GB and "
            f"{max(0, free) / 1e9:.1f} GB can be used; free some space before it starts."
        )
        params: dict[str, str | int | float | bool | None] = {
            "needed_bytes": found.disk_bytes,
            "available_bytes": max(0, free),
        }
        warnings.append(Finding(code="disk_too_small", message=text, params=params))
    if plan.model.name.startswith(ENGLISH_ONLY_MODELS) and lengths.wide_share > WIDE_SHARE:
        text = (
            f"{plan.model.name} was taught English only; on this data it will learn form more "
            "than meaning. A multilingual model suits better."
        )
        warnings.append(
            Finding(code="language_mismatch", message=text, params={"name": plan.model.name})
        )
    return warnings + list(_cuts(plan, lengths))


def _cuts(plan: Plan, lengths: Lengths) -> Iterator[Finding]:
    """What is longer than the run reads; plain text goes on in the next sample instead."""
    knobs = plan.asked.hyperparameters
    if plan.asked.objective is Objective.PRETRAIN:
        return
    cut = sum(tokens > knobs.max_length for tokens in lengths.tokens)
    if 2 * cut > len(lengths.tokens):
        share = round(100 * cut / len(lengths.tokens))
        text = (
            f"About {share} % of the rows are longer than {knobs.max_length} tokens and lose their "
            "ends, where answers are; a row that loses its whole answer ends the run. Raise "
            "max_length."
        )
        params = {"percent": share, "max_length": knobs.max_length}
        yield Finding(code="most_rows_will_be_cut", message=text, params=params)
    for code, what, longest, name, most in (
        ("rows_will_be_cut", "rows", lengths.longest_tokens, "max_length", knobs.max_length),
        ("outputs_will_be_cut", "outputs", lengths.longest_target, "max_target_length",
         knobs.max_target_length),
    ):  # fmt: skip
        if longest > most:
            text = f"The longest {what} have about {longest} tokens and will be cut at {most}."
            yield Finding(code=code, message=text, params={"longest_tokens": longest, name: most})


async def recommend(facts: HostFacts, plan: Plan, body: RecommendRequest) -> Recommendation:
    """Values for this model and data, each with the reason."""
    _, lengths = await _looks(facts.settings, plan, body.objective)
    found = memory.recommend(
        plan.model.num_parameters or (plan.model.size_bytes or 0) // BYTES_PER_PARAMETER,
        plan.dataset.num_rows or 0,
        lengths.mean_tokens,
        body.method,
        body.complexity.value,
        objective=body.objective,
        longest_tokens=lengths.longest_tokens,
        longest_target=lengths.longest_target,
        context_length=plan.model.context_length,
        held_out_apart=plan.validation is not None,
    )
    return Recommendation(
        method=found.method,
        hyperparameters=found.hyperparameters,
        reasons=found.reasons,
        params=found.params,
    )
