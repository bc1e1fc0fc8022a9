"""`python -m backend.datasets.reading.child`: answers about versions until its input ends.

Parquet and search stay out of the API process: it keeps its memory, and whatever a native library
does to this one is an error message there.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from backend.datasets.hygiene.findings import NotExamined
from backend.datasets.reading import frames
from backend.datasets.reading.rows import Versions

THREADS = 3


class Answers:
    """Answers; every public method is a question that may be asked."""

    def __init__(self) -> None:
        self._versions = Versions()

    def rows(self, folder: str, offset: int, limit: int) -> dict[str, Any]:
        """A window of rows, and how many there are."""
        try:
            version = self._versions.of(Path(folder))
        except FileNotFoundError:
            return {"items": [], "total": 0}
        end = min(version.num_rows, offset + limit)
        return {"items": version.rows(range(offset, end)), "total": version.num_rows}

    def search(self, folder: str, query: str, offset: int, limit: int) -> dict[str, Any]:
        """A window of the rows whose texts contain `query`, and how many do."""
        try:
            version = self._versions.of(Path(folder))
        except FileNotFoundError:
            return {"items": [], "total": 0}
        found = version.search(query.casefold())
        return {"items": version.rows(found[offset : offset + limit].tolist()), "total": len(found)}

    def overlap(self, folder: str, other: str) -> dict[str, Any] | None:
        """What two versions have in common; None while one of them is not examined."""
        from backend.datasets.hygiene import overlap  # few ask, and it needs more than rows do

        try:
            return overlap.of_versions(Path(folder), Path(other))
        except NotExamined:
            return None


def main() -> None:
    """Read questions, answer them side by side."""
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

    with ThreadPoolExecutor(THREADS) as pool:
        while (question := frames.read(questions)) is not None:
            pool.submit(answer, question)


if __name__ == "__main__":
    main()
