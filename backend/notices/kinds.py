"""What there can be a notice of. A new kind is one line here and its words in both languages."""

from collections.abc import Mapping
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


class NoticeKind(StrEnum):
    """What has happened."""

    TASK_COMPLETED = "task_completed"
    TASK_FAILED = "task_failed"
    TASK_STOPPED = "task_stopped"  # by the system; whoever stops a task knows it
    TASK_STALLED = "task_stalled"
    DATASET_READY = "dataset_ready"
    DATASET_BLOCKED = "dataset_blocked"
    DATASET_FAILED = "dataset_failed"
    MODEL_READY = "model_ready"
    MODEL_FAILED = "model_failed"
    DISK_LOW = "disk_low"  # for administrators


LEVELS: Mapping[NoticeKind, Level] = {
    NoticeKind.TASK_COMPLETED: Level.SUCCESS,
    NoticeKind.TASK_FAILED: Level.ERROR,
    NoticeKind.TASK_STOPPED: Level.WARNING,
    NoticeKind.TASK_STALLED: Level.WARNING,
    NoticeKind.DATASET_READY: Level.SUCCESS,
    NoticeKind.DATASET_BLOCKED: Level.WARNING,
    NoticeKind.DATASET_FAILED: Level.ERROR,
    NoticeKind.MODEL_READY: Level.SUCCESS,
    NoticeKind.MODEL_FAILED: Level.ERROR,
    NoticeKind.DISK_LOW: Level.WARNING,
}


class SubjectType(StrEnum):
    """What a notice is about."""

    TASK = "task"
    DATASET = "dataset"
    MODEL = "model"
    DISK = "disk"  # of the data folder; named as the host is


class Language(StrEnum):
    """A language that messages to the outside are written in."""

    ENGLISH = "en"
    CHINESE = "zh-CN"


class DeliveryState(StrEnum):
    """How far a message to one target is."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # given up
