"""Which lines of a log belong to preparing, training, evaluating and saving.

The phases come from the run's events, their lines from the times of both: a line that was printed
at the very moment of a change may be counted to either side. Everything here blocks on files.
"""

from datetime import datetime
from pathlib import Path

from backend.jobs.log_file import newlines_before, read_forward, size_of, start_of_next, total_lines
from backend.jobs.run_folder import RunFolder
from backend.tasks.history import history_of
from backend.tasks.log_filter import Filter, Matcher
from backend.tasks.log_line import parse
from backend.tasks.log_schemas import LogSection, LogSections, Section
from backend.tasks.log_search import Search
from training_engine.contract.log_lines import parse_line
from training_engine.contract.names import Phase

NAMES: dict[str, Section] = {
    Phase.LAUNCHING: "prepare",
    Phase.PREPARING: "prepare",
    Phase.TRAINING: "train",
    Phase.EVALUATING: "evaluate",
    Phase.SAVING: "save",
}
ERRORS = Filter(levels=frozenset({"error"}))


def sections_of(folder: RunFolder) -> LogSections:
    """The sections of an attempt in order, and the first error; both empty before it began."""
    file = folder.log_file
    with history_of(folder) as history:
        phases, ended_at = list(history.phases), history.ended_at
    found: list[LogSection] = []
    first = 1
    for place, (phase, started_at) in enumerate(phases):
        over = phases[place + 1][1] if place + 1 < len(phases) else ended_at
        if over is None:
            last = None
        elif place + 1 < len(phases):
            last = newlines_before(file, first_since(file, over))
        else:
            last = total_lines(file)
        section = LogSection(
            name=NAMES[phase],
            first_number=first,
            last_number=last,
            started_at=started_at,
            finished_at=over,
        )
        if found and found[-1].name == section.name:
            found[-1].last_number, found[-1].finished_at = last, over
        else:
            found.append(section)
        first = first if last is None else last + 1
    search = Search(file, Matcher(ERRORS), ERRORS)
    try:
        errors = (hit for _, hits in search.forward(0) for hit in hits)
        error = next(errors, None)
    finally:
        search.close()
    line = parse(error.raw, folder.attempt, error.number) if error is not None else None
    return LogSections(sections=found, first_error=line)


def first_since(file: Path, at: datetime) -> int:
    """Where the first line of that time or later begins, as far as times rise."""
    low, high = 0, size_of(file)
    while low < high:
        middle = (low + high) // 2
        begin = start_of_next(file, middle - 1) if middle else 0
        time = _time_of(file, begin) if begin < high else None
        if time is None or time >= at:
            high = middle
        else:
            low = start_of_next(file, begin)
    return low


def _time_of(file: Path, offset: int) -> datetime | None:
    for raw in read_forward(file, offset, 1):
        line = parse_line(raw.content)
        return line.at if line is not None else None
    return None
