"""The next, the last, the k-th of the lines that a filter wants, and where they lie.

Everything here blocks on one file: call it in a thread.
"""

from backend.jobs.log_file import size_of, start_of_line, total_lines
from backend.jobs.run_folder import RunFolder
from backend.tasks.log_filter import Filter, Matcher
from backend.tasks.log_line import parse
from backend.tasks.log_schemas import LogFound, LogMatches
from backend.tasks.log_search import Hit, Search


def matches(folder: RunFolder, wanted: Filter) -> LogMatches:
    """How many lines match, and where about."""
    search = Search(folder.log_file, Matcher(wanted), wanted)
    try:
        matched = search.count()
        return LogMatches(
            matched=matched,
            total=total_lines(folder.log_file),
            complete=matched is not None,
            marks=search.marks(),
        )
    finally:
        search.close()


def kth(folder: RunFolder, wanted: Filter, index: int) -> LogFound:
    """The `index`th line that matches, from 1; no line when there are fewer."""
    search = Search(folder.log_file, Matcher(wanted), wanted)
    try:
        left, found = index, None
        for block in range(search.blocks):
            count = search.count_of(block)
            if left <= count:
                found = search.hits(block)[left - 1]
                break
            left -= count
            if search.late() and search.before(block + 2) is None:
                break
        return _answer(folder, search, found, index if found else None)
    finally:
        search.close()


def beside(folder: RunFolder, wanted: Filter, number: int, *, forward: bool) -> LogFound:
    """The nearest match after line `number`, or before it; begins anew at the other end."""
    search = Search(folder.log_file, Matcher(wanted), wanted)
    try:
        file = folder.log_file
        found = place = None
        starts = (start_of_line(file, number + 1), 0)
        ends = (start_of_line(file, max(1, number)), size_of(file))
        for at in starts if forward else ends:
            for block, hits in search.forward(at) if forward else search.backward(at):
                if hits:
                    found, place = hits[0 if forward else -1], block
                    break
            if found is not None or search.late():
                break
        return _answer(folder, search, found, _index(search, found, place))
    finally:
        search.close()


def _index(search: Search, hit: Hit | None, block: int | None) -> int | None:
    """Which of all matches it is."""
    if hit is None or block is None:
        return None
    search.count()  # as far as there is time
    if (before := search.before(block)) is None:
        return None
    within = [each.number for each in search.hits(block)]
    return before + within.index(hit.number) + 1


def _answer(folder: RunFolder, search: Search, hit: Hit | None, index: int | None) -> LogFound:
    line = parse(hit.raw, folder.attempt, hit.number) if hit is not None else None
    return LogFound(index=index, matched=search.count(), line=line)
