"""What a run may be: every closed choice of a run spec, and what fits what."""

from enum import StrEnum

from training_engine.contract.names import RecordType


class Objective(StrEnum):
    """What is learnt; the names of the files in `training_engine/objectives/`."""

    SFT = "sft"
    PRETRAIN = "pretrain"
    CLASSIFY = "classify"
    SEQ2SEQ = "seq2seq"
    DPO = "dpo"
    IPO = "ipo"
    ORPO = "orpo"
    SIMPO = "simpo"
    CPO = "cpo"
    KTO = "kto"
    REWARD = "reward"


class Head(StrEnum):
    """What a model ends in: a word of the vocabulary, a score for each class, a decoder."""

    CAUSAL_LM = "causal_lm"
    SEQUENCE_CLASSIFICATION = "sequence_classification"
    SEQ2SEQ_LM = "seq2seq_lm"


class Method(StrEnum):
    """Which weights learn."""

    LORA = "lora"
    QLORA = "qlora"
    FREEZE = "freeze"
    FULL = "full"


class LoraVariant(StrEnum):
    """How an adapter starts, is scaled and learns."""

    LORA = "lora"
    RSLORA = "rslora"
    DORA = "dora"
    LORA_PLUS = "lora_plus"
    PISSA = "pissa"


class Quantization(StrEnum):
    """How QLoRA stores the frozen weights."""

    NF4 = "nf4"
    INT8 = "int8"


class Schedule(StrEnum):
    """Learning rate after warm-up; `wsd` is warm-up, stable, decay."""

    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"
    WSD = "wsd"


class Optimizer(StrEnum):
    """What turns gradients into updates."""

    ADAMW = "adamw"
    ADAMW_8BIT = "adamw_8bit"
    ADAFACTOR = "adafactor"
    MUON = "muon"


class Compilation(StrEnum):
    """Whether layers are compiled; `auto`: on a GPU, when the run is long enough to gain."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class LabelKind(StrEnum):
    """What a classifier's labels are; `auto` reads it from the rows."""

    AUTO = "auto"
    SINGLE = "single_label"
    MULTI = "multi_label"
    REGRESSION = "regression"


class OutputCheckpoint(StrEnum):
    """Which checkpoint becomes the result; the others are deleted.

    `fastest`: an early one stays until a later one's held-out loss is over one per cent better.
    """

    BEST = "best"
    LAST = "last"
    FASTEST = "fastest"


class Device(StrEnum):
    """Where to compute; `auto` takes CUDA, then Apple's GPU, then the CPU."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Precision(StrEnum):
    """Number type of the computation; `auto` takes bfloat16 where the device is fast at it."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class Strategy(StrEnum):
    """How several processes share a run: whole copies of the model (ddp), or shards (fsdp)."""

    DDP = "ddp"
    FSDP = "fsdp"


PREFERENCE = frozenset(
    {Objective.DPO, Objective.IPO, Objective.ORPO, Objective.SIMPO, Objective.CPO}
)
# These compare the model with the one it started from.
REFERENCED = frozenset({Objective.DPO, Objective.IPO, Objective.KTO})
# These learn texts as they are; for the others a chat template writes the conversations.
UNTEMPLATED = frozenset({Objective.PRETRAIN, Objective.CLASSIFY, Objective.SEQ2SEQ})
ADAPTED = frozenset({Method.LORA, Method.QLORA})

_ANSWERS = frozenset({RecordType.CONVERSATIONAL, RecordType.PROMPT_COMPLETION})
_PAIRS = frozenset({RecordType.PREFERENCE})
RECORD_TYPES_OF: dict[Objective, frozenset[RecordType]] = {
    Objective.SFT: _ANSWERS,
    Objective.PRETRAIN: frozenset({RecordType.LANGUAGE_MODELING}),
    Objective.CLASSIFY: frozenset({RecordType.CLASSIFICATION}),
    Objective.SEQ2SEQ: _ANSWERS,
    **dict.fromkeys((*PREFERENCE, Objective.REWARD), _PAIRS),
    Objective.KTO: frozenset({RecordType.UNPAIRED_PREFERENCE}),
}


def head_of(objective: Objective) -> Head:
    """The kind of model that an objective trains."""
    if objective in (Objective.CLASSIFY, Objective.REWARD):
        return Head.SEQUENCE_CLASSIFICATION
    return Head.SEQ2SEQ_LM if objective is Objective.SEQ2SEQ else Head.CAUSAL_LM
