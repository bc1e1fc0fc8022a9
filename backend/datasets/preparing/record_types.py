"""What the records are after each step, known before anything runs. No heavy imports."""

from collections.abc import Sequence

from backend.datasets.change_schemas import AnyChange
from backend.datasets.prepare_schemas import MapStep, Step
from training_engine.contract.names import RecordType

_TALKS = (RecordType.CONVERSATIONAL, RecordType.PROMPT_COMPLETION)
_JUDGED = (RecordType.PREFERENCE, RecordType.UNPAIRED_PREFERENCE)
_TEXTS = (RecordType.LANGUAGE_MODELING, RecordType.CLASSIFICATION)
_TURNS = (*_TALKS, *_JUDGED, RecordType.STEPWISE_SUPERVISION)

# Change → type before → type after; changes that are not here keep every type.
_AFTER: dict[str, dict[RecordType, RecordType]] = {
    "set_system": {kind: kind for kind in _TURNS},
    "system_from_extra": {kind: kind for kind in _TURNS},
    "remove_system": {kind: kind for kind in _TURNS},
    "keep_last_turns": {kind: kind for kind in (*_TALKS, *_JUDGED)},
    "rename_label": {RecordType.CLASSIFICATION: RecordType.CLASSIFICATION},
    "label_from_extra": {
        **dict.fromkeys(_TEXTS, RecordType.CLASSIFICATION),
        **dict.fromkeys(_TALKS, RecordType.UNPAIRED_PREFERENCE),
    },
    "to_text": dict.fromkeys((*_TALKS, *_TEXTS), RecordType.LANGUAGE_MODELING),
    "to_conversation": dict.fromkeys(_TEXTS, RecordType.PROMPT_COMPLETION),
    "to_classification": dict.fromkeys(_TALKS, RecordType.CLASSIFICATION),
    "to_prompt_completion": dict.fromkeys((*_TALKS, *_JUDGED), RecordType.PROMPT_COMPLETION),
    "to_conversational": dict.fromkeys((*_TALKS, *_JUDGED), RecordType.CONVERSATIONAL),
}


class DoesNotFit(Exception):
    """A change that these records can not have."""

    def __init__(self, step: int, change: int, kind: str, record_type: RecordType) -> None:
        super().__init__(kind)
        self.step, self.change = step, change
        self.kind, self.record_type = kind, record_type


def after_change(change: AnyChange, record_type: RecordType) -> RecordType | None:
    """What records of this type become; None when they can not be changed so."""
    known = _AFTER.get(change.kind)
    return record_type if known is None else known.get(record_type)


def after_steps(steps: Sequence[Step], record_type: RecordType) -> list[RecordType]:
    """The type after each step; raises `DoesNotFit`."""
    found: list[RecordType] = []
    for number, step in enumerate(steps):
        if isinstance(step, MapStep):
            for place, change in enumerate(step.changes):
                became = after_change(change, record_type)
                if became is None:
                    raise DoesNotFit(number, place, change.kind, record_type)
                record_type = became
        found.append(record_type)
    return found
