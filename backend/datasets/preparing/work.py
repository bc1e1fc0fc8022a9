"""What a step has at hand: sources, space on disk, and where it says what it found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.datasets.importing.report import Findings
from backend.datasets.preparing.stream import Stored, Tick
from training_engine.contract.names import RecordType

Report = Callable[[Findings], None]


@dataclass(slots=True)
class Work:
    """One step at work. `place` counts steps from 0, `base` is the folder of the version that is
    prepared, `temp` a folder of this step alone; `facts` go into the version's lineage."""

    place: int
    record_type: RecordType
    base: Path
    temp: Path
    tick: Tick
    report: Report
    sources: Sequence[Stored] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    dropped: int = 0
    rows_out: int = 0
