"""Asks the reading process, which is started when somebody asks and ended when nobody does."""

import asyncio
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import structlog

from backend.datasets.choice import NoSuchSplit
from backend.datasets.reading import frames
from backend.errors import Unavailable
from backend.processes.spawn import environment, python_module

MODULE = "backend.datasets.reading.child"
TIMEOUT_S = 60.0
# All rows of two versions are compared.
OVERLAP_TIMEOUT_S = 600.0
IDLE_S = 600.0
# A page is a few megabytes at most.
STREAM_BYTES = 64 * 1024 * 1024

log = structlog.get_logger(__name__)


class RowsUnavailable(Unavailable):
    """The rows can not be read at the moment. Try it again in a moment."""


class ReadingDesk:
    """One process for all questions; it is started again when it has died."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._numbers = count()
        self._starting = asyncio.Lock()
        self._rest: asyncio.TimerHandle | None = None
        self._expecting: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None

    def expect_questions(self, folder: Path | None = None) -> None:
        """Start the process, which takes longer than an answer, before somebody waits for one; of
        the version in `folder` what a search needs is opened as well."""
        gone = self._process is None or self._process.returncode is not None
        busy = any(task is not None and not task.done() for task in self._ahead())
        if (gone or folder is not None) and not busy and not self._starting.locked():
            self._expecting = asyncio.create_task(self._expect(folder))

    def _ahead(self) -> tuple[asyncio.Task[None] | None, ...]:
        return self._expecting, self._opening

    async def _expect(self, folder: Path | None) -> None:
        with suppress(OSError):  # who asks is told
            await self._running()
            if folder is not None:
                self._opening = asyncio.create_task(self._open(folder))
        self._rest_later()

    async def _open(self, folder: Path) -> None:
        with suppress(RowsUnavailable):  # who asks is told
            await self._ask("expect", folder=str(folder))

    async def rows(
        self,
        folder: Path,
        offset: int,
        limit: int,
        *,
        query: str | None = None,
        split: str | None = None,
        line: int | None = None,
    ) -> dict[str, Any]:
        """`{items: [{index, line, record, extra}], total}`: a window of a version's rows.

        Only those whose texts contain `query`, whatever the case, those of `split`, those that
        come from `line` of the upload. Raises `NoSuchSplit`.
        """
        window: dict[str, Any] = {"offset": offset, "limit": limit}
        window |= {"query": query, "split": split, "line": line}
        found: dict[str, Any] = await self._ask("rows", folder=str(folder), **window)
        if found.get("no_split"):
            raise NoSuchSplit(params={"split": split})
        return found

    async def diff(self, before: Path, after: Path, *, mixed: bool) -> dict[str, Any]:
        """`{added, removed, changed, unchanged, items}` from one version to another; `mixed` when
        one has rows of several data sets."""
        asked: dict[str, Any] = {"before": str(before), "after": str(after), "mixed": mixed}
        found: dict[str, Any] = await self._ask("diff", **asked)
        return found

    async def overlap(
        self, folder: Path, other: Path, split: str | None = None, other_split: str | None = None
    ) -> dict[str, Any] | None:
        """How many rows of the version (or split) in `folder` the one in `other` has, too: `{rows,
        exact, near, same_prompt, examples}`; None while one of them is not examined."""
        parts = {"folder": str(folder), "split": split}
        others = {"other": str(other), "other_split": other_split}
        found: dict[str, Any] | None = await self._ask(
            "overlap", OVERLAP_TIMEOUT_S, **parts, **others
        )
        return found

    async def wrong_expressions(self, expressions: list[list[str | None]]) -> list[str | None]:
        """What is wrong with each `[expression, replacement or null]`; None where nothing is."""
        found: list[str | None] = await self._ask("wrong_expressions", expressions=expressions)
        return found

    async def prepare_preview(self, **asked: Any) -> dict[str, Any]:
        """What `preparing.preview.preview` answers."""
        found: dict[str, Any] = await self._ask("prepare_preview", asked=asked)
        return found

    async def close(self) -> None:
        """End the process."""
        if self._expecting is not None:
            await self._expecting
        if self._opening is not None and self._opening is not asyncio.current_task():
            self._opening.cancel()
        async with self._starting:
            await self._end()

    async def _ask(self, question: str, timeout_s: float = TIMEOUT_S, **values: Any) -> Any:
        """Raises `RowsUnavailable` when there is no answer, also not from a second process."""
        for last in (False, True):
            try:
                async with asyncio.timeout(timeout_s):
                    return await self._ask_once(question, values)
            except (ConnectionError, OSError) as error:
                log.warning("reading_process_gone", question=question, error=repr(error))
                if last:
                    raise RowsUnavailable from error
            except TimeoutError as error:
                log.warning("reading_process_late", question=question, timeout_s=timeout_s)
                await self.close()
                raise RowsUnavailable from error
        raise AssertionError("unreachable")

    async def _ask_once(self, question: str, values: dict[str, Any]) -> Any:
        process = await self._running()
        assert process.stdin is not None
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            process.stdin.write(frames.pack({"id": number, "ask": question, "with": values}))
            await process.stdin.drain()
            reply = await answer
        finally:
            self._waiting.pop(number, None)
            self._rest_later()
        if "error" in reply:
            log.error("reading_failed", question=question, error=reply["error"])
            raise RowsUnavailable
        return reply["result"]

    async def _running(self) -> Process:
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                await self._end()
                self._process = await asyncio.create_subprocess_exec(
                    *python_module(MODULE),
                    stdin=PIPE,
                    stdout=PIPE,
                    env=environment(),
                    limit=STREAM_BYTES,
                    start_new_session=True,
                )
                self._listening = asyncio.create_task(self._listen(self._process))
            return self._process

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                reply = await frames.receive(process.stdout)
                future = self._waiting.get(reply["id"])
                if future is not None and not future.done():
                    future.set_result(reply)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionResetError("the reading process has ended"))

    def _rest_later(self) -> None:
        """End the process when nothing is asked for a while."""
        if self._rest is not None:
            self._rest.cancel()
        loop = asyncio.get_running_loop()
        self._rest = loop.call_later(IDLE_S, lambda: loop.create_task(self._rest_now()))

    async def _rest_now(self) -> None:
        if not self._waiting:
            await self.close()

    async def _end(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()  # it writes nothing that could be half done
            await process.wait()
        if self._listening is not None:
            await self._listening
            self._listening = None
