"""Exporting the result of a run: what is asked for, which formats there are, what was measured.

Standard library and pydantic only: both programs read it.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from training_engine.contract.choices import Head
from training_engine.contract.names import CONTRACT_VERSION
from training_engine.contract.spec import ModelReference

REPORT_FILE = "export.json"
DEFAULT_SHARD_BYTES = 5_000_000_000
SMALLEST_SHARD_BYTES = 65_536

ShardBytes = Annotated[
    int,
    Field(
        ge=SMALLEST_SHARD_BYTES,
        description="The largest file of weights, in bytes; a larger tensor gets a file of its own",
    ),
]


class ExportFormat(StrEnum):
    """What the result becomes."""

    MERGED = "merged"  # a plain model folder, adapters folded into their base: safetensors
    GGUF_F16 = "gguf_f16"
    GGUF_Q8_0 = "gguf_q8_0"
    GGUF_Q4_K_M = "gguf_q4_k_m"


# Bits for each number of a matrix, with the scales of its blocks.
BITS_PER_WEIGHT = {
    ExportFormat.GGUF_F16: 16.0,
    ExportFormat.GGUF_Q8_0: 8.5,
    ExportFormat.GGUF_Q4_K_M: 5.5,
}
# `model_type` of config.json → the architecture's name in GGUF.
GGUF_FAMILIES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
# Kinds of scaled rotary positions that both llama.cpp and the check read the same way.
GGUF_ROPES = frozenset({"default", "linear", "llama3", "yarn"})


class ExportSpec(BaseModel):
    """An export. `source` is the output folder of a finished run.

    `base`: the model that was tuned: what an adapter needs, and whose program an administrator may
    have allowed. `name` is what files and metadata call the result.
    """

    model_config = ConfigDict(extra="forbid")

    contract_version: int = CONTRACT_VERSION
    kind: Literal["export"] = "export"
    run_id: str
    attempt: int = 1
    name: str
    source: str
    base: ModelReference | None = None
    format: ExportFormat
    max_shard_bytes: ShardBytes = DEFAULT_SHARD_BYTES


class ExportChecks(BaseModel):
    """How far the export, loaded again, is from what was trained.

    `relative_error`: root mean square of the differences of all scores over that of the scores,
    for language models without what all scores of a position share. `weight_error`: the same of
    the matrix that differs most. `limit` and `weight_limit` are what the format may lose.
    """

    prompts: int
    positions: int
    max_logit_difference: float
    relative_error: float
    limit: float
    top1_agreement: float
    weight_error: float | None = None
    weight_limit: float | None = None
    same_answers: int | None = None
    answers: int | None = None


class ExportedFile(BaseModel):
    """One file of an export."""

    name: str
    size_bytes: int
    sha256: str


class ExportReport(BaseModel):
    """`export.json`, beside the files that it describes."""

    format: ExportFormat
    name: str
    files: list[ExportedFile]
    checks: ExportChecks
    tensor_types: dict[str, int] = {}
    versions: dict[str, str] = {}


class Unavailable(NamedTuple):
    """Why a format can not be had: a code with its values, and a sentence."""

    code: str
    message: str
    params: dict[str, str]


def unavailable(format: ExportFormat, head: Head, config: dict[str, Any]) -> Unavailable | None:
    """Why a model with this config.json can not be exported so; None when it can."""
    if format is ExportFormat.MERGED:
        return None
    if head is not Head.CAUSAL_LM:
        message = "GGUF is for models that write text; this one scores or translates."
        return Unavailable("gguf_needs_language_model", message, {})
    family = str(config.get("model_type"))
    if family not in GGUF_FAMILIES:
        known = ", ".join(sorted(GGUF_FAMILIES))
        message = (
            f"GGUF files of the family {family} can not be written and checked yet; "
            f"the families are {known}."
        )
        return Unavailable("gguf_family_unknown", message, {"family": family, "known": known})
    rope = rope_of(config)
    if rope["rope_type"] not in GGUF_ROPES:
        kind = str(rope["rope_type"])
        message = f"Its positions are scaled in a way ({kind}) that GGUF files do not describe."
        return Unavailable("gguf_rope_unknown", message, {"rope": kind})
    return None


def rope_of(config: dict[str, Any]) -> dict[str, Any]:
    """Rotary positions from a config.json, old or new style; has `rope_type` and `rope_theta`."""
    found = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    kind = found.get("rope_type") or found.get("type") or "default"
    theta = found.get("rope_theta") or config.get("rope_theta") or 10000.0
    return {**found, "rope_type": kind, "rope_theta": float(theta)}
