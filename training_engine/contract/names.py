"""Names of the contract: files of a run folder, exit codes, closed lists.

Standard library only: the run host imports nothing else of the engine.
"""

from enum import IntEnum, StrEnum

CONTRACT_VERSION = 1

# Files of a run folder, one folder per attempt.
SPEC_FILE = "spec.json"
LOCK_FILE = "lock"
IDENTITY_FILE = "identity.json"
CONTROL_DIR = "control"
EVENTS_FILE = "events.jsonl"
LOG_FILE = "output.log"
LOG_HOLE_FILE = "output.hole.json"  # which part of the log was given up, and how many lines
EXIT_FILE = "exit.json"
CHECKPOINTS_DIR = "checkpoints"
OUTPUT_DIR = "output"
LEDGER_FILE = "ledger.bin"
MANIFEST_FILE = "MANIFEST.json"

# A command is a file in control/; its presence is the command.
STOP_AND_SAVE_COMMAND = "stop-and-save"
STOP_COMMAND = "stop"

# The run host passes these to its child: where to work, and how to know its own processes.
RUN_DIR_VARIABLE = "EASYTUNE_RUN_DIR"
NONCE_VARIABLE = "EASYTUNE_RUN_NONCE"
# A socket on which a process of several hands over the pipe that it says things on.
OUTPUTS_VARIABLE = "EASYTUNE_OUTPUTS"

MAX_LOG_LINE_BYTES = 64 * 1024
HEARTBEAT_S = 2.0


class ExitCode(IntEnum):
    """How the child of a run host ends when it ends by itself."""

    FINISHED = 0
    FAILED = 1
    SPEC_REFUSED = 2
    STOPPED = 3


class FailureCode(StrEnum):
    """Every reason a run can fail for."""

    OUT_OF_MEMORY = "out_of_memory"
    HOST_OUT_OF_MEMORY = "host_out_of_memory"
    NAN_LOSS = "nan_loss"
    BAD_DATASET = "bad_dataset"
    BAD_SPEC = "bad_spec"
    MODEL_NOT_FOUND = "model_not_found"
    DISK_FULL = "disk_full"
    ENGINE_CRASHED = "engine_crashed"
    ENGINE_HUNG = "engine_hung"
    LAUNCH_TIMEOUT = "launch_timeout"
    CHECKPOINT_CORRUPT = "checkpoint_corrupt"
    SUPERVISOR_LOST = "supervisor_lost"
    HOST_REBOOTED = "host_rebooted"
    DEPENDENCY = "dependency"
    INTERNAL = "internal"


class Phase(StrEnum):
    """What a live run is doing."""

    LAUNCHING = "launching"
    PREPARING = "preparing"
    TRAINING = "training"
    EVALUATING = "evaluating"
    SAVING = "saving"


class RecordType(StrEnum):
    """What the records of a data set are, in TRL's words."""

    LANGUAGE_MODELING = "language_modeling"
    PROMPT_COMPLETION = "prompt_completion"
    CONVERSATIONAL = "conversational"
    PREFERENCE = "preference"
    UNPAIRED_PREFERENCE = "unpaired_preference"
    STEPWISE_SUPERVISION = "stepwise_supervision"
    CLASSIFICATION = "classification"
