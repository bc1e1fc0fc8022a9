"""English of messages to the outside. Reasons and next steps come with the errors themselves."""

from backend.notices.kinds import NoticeKind

TITLES = {
    NoticeKind.TASK_COMPLETED: "Training completed: {name}",
    NoticeKind.TASK_FAILED: "Training failed: {name}",
    NoticeKind.TASK_STOPPED: "Training was stopped by the system: {name}",
    NoticeKind.TASK_STALLED: "Training gives no sign of life: {name}",
    NoticeKind.DATASET_READY: "Data set is ready: {name}",
    NoticeKind.DATASET_BLOCKED: "Data set needs you: {name}",
    NoticeKind.DATASET_FAILED: "Data set could not be made: {name}",
    NoticeKind.MODEL_READY: "Model is ready: {name}",
    NoticeKind.MODEL_FAILED: "Model could not be added: {name}",
    NoticeKind.DISK_LOW: "Disk space is running out: {name}",
}
# What there is to say without an error, and what to do next.
REASONS = {
    NoticeKind.TASK_STOPPED: "Something outside EasyTune ended its process; it saved its state.",
    NoticeKind.TASK_STALLED: "Its process lives, but has written nothing for longer than usual.",
    NoticeKind.DATASET_BLOCKED: "It needs a decision before it can be used.",
    NoticeKind.DISK_LOW: "Training may fail when it writes a checkpoint.",
}
NEXT = {
    NoticeKind.TASK_COMPLETED: "Try it in the playground, or download the result.",
    NoticeKind.TASK_FAILED: "Its page shows the log and what can be done.",
    NoticeKind.TASK_STOPPED: "Resume it from its last checkpoint.",
    NoticeKind.TASK_STALLED: "Look at its log. It is ended by itself when it stays silent.",
    NoticeKind.DATASET_READY: "Look at its report, then train with it.",
    NoticeKind.DATASET_BLOCKED: "Open its page and decide.",
    NoticeKind.DATASET_FAILED: "Its page shows what can be done.",
    NoticeKind.MODEL_READY: "Start a training with it.",
    NoticeKind.MODEL_FAILED: "Its page shows what can be done.",
    NoticeKind.DISK_LOW: "Delete runs, models and data that are not needed, or enlarge the disk.",
}
TOOK = "It took {duration}."
LOSS = "The last loss is {loss}."
FREE = "{size} GB of the data folder's disk are free."
HOURS, MINUTES, SECONDS = "{h} h {m:02d} min", "{m} min {s:02d} s", "{s} s"
TEST_TITLE = "A test message from EasyTune"
TEST_TEXT = "Messages arrive here. Nothing needs to be done."
FOREIGN = "{message}"

CODES: dict[str, str] = {}
HINTS: dict[str, str] = {}
