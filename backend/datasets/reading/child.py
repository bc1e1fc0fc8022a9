"""`python -m backend.datasets.reading.child`: answers about versions until its input ends.

Parquet and search stay out of the API process: it keeps its memory, and whatever a native library
does to this one is an error message there.
"""

import importlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from backend.datasets.arrow import leave_pandas_out
from backend.datasets.reading import frames
from backend.datasets.reading.opened import Versions

THREADS = 3
# What only few questions need: a page of rows does not wait for them.
_LATER = ("polars", "backend.datasets.reading.difference", "backend.datasets.preparing.preview")


class Answers:
    """Answers; every public method is a question that may be asked."""

    def __init__(self) -> None:
        self._versions = Versions()

    def rows(
        self,
        folder: str,
        offset: int,
        limit: int,
        query: str | None,
        split: str | None,
        line: int | None,
    ) -> dict[str, Any]:
        """A window of rows, and how many there are: of all, of those whose texts contain `query`,
        of those of `split`, of those that come from `line`. Or `no_split`: there is none of that
        name."""
        try:
            version = self._versions.of(Path(folder))
        except FileNotFoundError:
            return {"items": [], "total": 0, "no_split": split is not None}
        chosen: Sequence[int] | np.ndarray[Any, Any] = range(version.num_rows)
        if split is not None:
            chosen = version.of_split(split)
            if not len(chosen):  # no split is empty
                return {"items": [], "total": 0, "no_split": True}
        if query:
            found = version.search(query.casefold())
            chosen = found if split is None else np.intersect1d(found, chosen, assume_unique=True)
        if line is not None:
            chosen = np.intersect1d(version.of_line(line), chosen, assume_unique=True)
        window = [int(number) for number in chosen[offset : offset + limit]]
        return {"items": version.rows(window), "total": len(chosen)}

    def expect(self, folder: str) -> None:
        """Questions about this version will come."""
        with suppress(FileNotFoundError):  # deleted meanwhile
            self._versions.of(Path(folder))

    def get_ready(self) -> None:
        """Do ahead what the first search in a version that is looked at would have to wait for."""
        self._versions.get_ready()

    def diff(self, before: str, after: str, mixed: bool) -> dict[str, Any]:
        """What the version in `after` has that the one in `before` has not, and the reverse."""
        from backend.datasets.reading.difference import difference

        versions = [self._versions.of(Path(folder)) for folder in (before, after)]
        return difference(*versions, mixed=mixed)

    def overlap(
        self, folder: str, split: str | None, other: str, other_split: str | None
    ) -> dict[str, Any] | None:
        """What two versions, or splits, have in common; None while one is not examined."""
        from backend.datasets.hygiene import overlap
        from backend.datasets.hygiene.findings import NotExamined

        try:
            return overlap.of_versions(
                overlap.Part(Path(folder), split), overlap.Part(Path(other), other_split)
            )
        except NotExamined:
            return None

    def wrong_expressions(self, expressions: list[list[str | None]]) -> list[str | None]:
        """What is wrong with each `[expression, replacement or null]`; None where nothing is."""
        from backend.datasets.preparing.expressions import wrong

        return [wrong(str(find), put) for find, put in expressions]

    def prepare_preview(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What steps would make of a version, tried out on some of its rows."""
        from backend.datasets.preparing.preview import preview

        return preview(**asked)


def _load_the_rest() -> None:
    for name in _LATER:
        importlib.import_module(name)


def main() -> None:
    """Read questions, answer them side by side."""
    leave_pandas_out()
    answers, writing = Answers(), threading.Lock()
    questions, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not fall among the answers

    def answer(question: dict[str, Any]) -> None:
        try:
            result = getattr(answers, question["ask"])(**question["with"])
            reply = {"id": question["id"], "result": result}
        except Exception as error:  # noqa: BLE001 (it is told to whoever asked)
            reply = {"id": question["id"], "error": repr(error)}
        with writing:
            replies.write(frames.pack(reply))
            replies.flush()

    with ThreadPoolExecutor(1) as later, ThreadPoolExecutor(THREADS) as pool:
        first = True
        while (question := frames.read(questions)) is not None:
            asked = pool.submit(answer, question)
            # Only now that the answer is sent, and one after the other.
            if question["ask"] in ("rows", "expect"):
                asked.add_done_callback(lambda _: later.submit(answers.get_ready))
            if first:
                asked.add_done_callback(lambda _: later.submit(_load_the_rest))
            first = False


if __name__ == "__main__":
    main()
