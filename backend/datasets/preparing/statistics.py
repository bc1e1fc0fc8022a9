"""Counts the rows of a version that is made, as an import counts those of a file."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, cast

import orjson

from backend.datasets.importing.shapes import Talk, Turn
from backend.datasets.importing.tally import Tally
from backend.datasets.preparing import told
from backend.datasets.preparing.stream import Batch
from training_engine.contract.names import RecordType

_TALKS = frozenset({RecordType.CONVERSATIONAL, RecordType.PROMPT_COMPLETION})
_MESSAGES = "messages"


def count(batch: Batch, record_type: RecordType, tally: Tally) -> None:
    """Count the rows of a batch whose records are of `record_type`."""
    extras = [orjson.loads(extra) if extra else {} for extra in batch.extras]
    if record_type in _TALKS and _count_talks(batch, extras, tally):
        return
    records = [orjson.loads(record) for record in batch.records]
    tally.add_rows([{**r, **e} for r, e in zip(records, extras, strict=True)])
    tally.add_records(records)


def _count_talks(batch: Batch, extras: Sequence[dict[str, Any]], tally: Tally) -> bool:
    """Count rows that are turns and nothing else; False, and nothing counted, for others."""
    records = batch.told()
    if not records or not all(map(told.is_only_talk, records)):
        return False
    names = dict.fromkeys(chain.from_iterable(extras))
    if _MESSAGES in names:
        return False
    turns = [cast(list[Turn], record.messages) for record in records]
    columns = {name: [extra[name] for extra in extras if name in extra] for name in names}
    tally.add_columns({_MESSAGES: turns, **columns}, len(records))
    tally.add_plain([Talk(each) for each in turns])
    return True
