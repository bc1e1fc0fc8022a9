"""The catalogue: known models, whether training them fits into this machine, and which are here."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.models.abilities import objectives_of
from backend.models.known_models import KNOWN_MODELS, KnownModel
from backend.models.schemas import CatalogEntry, Fit
from backend.models.starters import STARTERS
from backend.models.tables import ModelRow
from backend.settings import Settings
from backend.system import host
from backend.system.gpus import GpuFacts
from training_engine.contract.choices import Method
from training_engine.contract.hyperparameters import Hyperparameters
from training_engine.memory import estimate

# What the rest of the system keeps for itself when all that can be freed is freed.
SYSTEM_BYTES = 1_500_000_000
# A usual data set; memory depends on the length of rows, hardly on their number.
ROWS, MEAN_TOKENS, LONGEST_TOKENS = 1000, 300.0, 1024


async def entries(
    session: AsyncSession, settings: Settings, gpu_facts: GpuFacts
) -> list[CatalogEntry]:
    """All known models, small ones of a family first."""
    device, available = _device(gpu_facts)
    query = select(ModelRow.source, ModelRow.reference, ModelRow.id).order_by(ModelRow.id)
    here = {(source, ref.lower()): key for source, ref, key in await session.execute(query)}
    return [_entry(known, settings, device, available, here) for known in KNOWN_MODELS]


def _device(gpu_facts: GpuFacts) -> tuple[str, int]:
    """Where a training would run and the memory that it could have at best."""
    gpus, _ = gpu_facts.now()
    if gpus:
        return "cuda", max(gpu.memory_total_bytes for gpu in gpus)
    return "cpu", max(0, host.memory().total_bytes - SYSTEM_BYTES)


def _entry(
    known: KnownModel,
    settings: Settings,
    device: str,
    available: int,
    here: Mapping[tuple[str, str], UUID],
) -> CatalogEntry:
    starter = next((each for each in STARTERS.values() if each.name == known.reference), None)
    reference = starter.reference if starter else known.reference
    reason = known.reason
    if starter and not starter.installed:
        reason = "starter_missing"
    elif not starter and settings.offline:
        reason = "offline"
    return CatalogEntry(
        source=known.source,
        reference=reference,
        name=known.reference,
        family=known.family,
        num_parameters=known.num_parameters,
        context_length=known.context_length,
        licence=known.licence,
        languages=list(known.languages),
        download_bytes=known.download_bytes,
        offline=starter is not None,
        objectives=objectives_of(known.architecture),
        fit={method: fit(known, method, device, available) for method in Method},
        model_id=here.get((known.source, reference.lower())),
        unavailable_reason=reason,
    )


def fit(known: KnownModel, method: Method, device: str, available_bytes: int) -> Fit:
    """Whether training with default values fits into `available_bytes`."""
    expected = estimate(
        known.config,
        objective=objectives_of(known.architecture)[0],
        method=method,
        hyperparameters=Hyperparameters(),
        num_rows=ROWS,
        mean_tokens=MEAN_TOKENS,
        longest_tokens=LONGEST_TOKENS,
        device=device,
        available_bytes=available_bytes,
    )
    return Fit(expected.fits)
