"""Asks the token worker, which is started when somebody asks and ended when nobody does."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import structlog

from backend.errors import TooMany, Unavailable
from backend.processes.serve_process import WorkerEnded, end_leftover
from backend.tasks.rendering.worker import NAME, NoAnswer, TokenWorker
from training_engine.contract.serving import Failure
from training_engine.contract.tokens import (
    CountLengthsRequest,
    CountLine,
    RenderedRecords,
    RenderTokensRequest,
)

IDLE_S = 180.0
TIMEOUT_S = 60.0
LOOK_EVERY_S = 1.0
AT_ONCE, MOST_WAITING = 2, 16
log = structlog.get_logger(__name__)


class TokensUnavailable(Unavailable):
    """Rows can not be turned into tokens at the moment. Try it again in a moment."""


class TokensLate(Unavailable):
    """Turning these rows into tokens took longer than {seconds} seconds and was ended. Ask for
    fewer rows at once, or use another chat template."""


class TokensBusy(TooMany):
    """{running} questions about tokens are being answered already; wait for one of them."""


class TokenDesk:
    """One process for all questions; it is started again when it has died.

    All methods run in the event loop; `start` before use, `close` after.
    """

    def __init__(self, folder: Path, idle_s: float = IDLE_S, timeout_s: float = TIMEOUT_S) -> None:
        self._folder, self._idle_s, self._timeout_s = folder, idle_s, timeout_s
        self._worker: TokenWorker | None = None
        self._tending: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._asked = 0  # questions that wait for an answer
        self._counts = 0
        self._last_asked = 0.0
        self._closed = False

    async def start(self) -> None:
        """Make the folder of its socket, and end what an earlier platform left."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        await end_leftover(self._folder, NAME)

    async def close(self) -> None:
        """End the process; nothing starts it again."""
        self._closed = True
        async with self._changing:
            await self._end()
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)

    async def render(self, request: RenderTokensRequest) -> RenderedRecords | Failure:
        """Rows as tokens, or why not.

        Raises `TokensBusy`, `TokensLate` and `TokensUnavailable`.
        """
        if self._asked >= MOST_WAITING:
            raise TokensBusy(params={"running": self._asked})
        self._asked += 1
        try:
            async with self._turn:
                return await self._render(request)
        finally:
            self._asked -= 1
            self._last_asked = _now()

    async def _render(self, request: RenderTokensRequest) -> RenderedRecords | Failure:
        for last in (False, True):
            worker = await self._ready()
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await worker.render(request)
            except TimeoutError as error:
                # A template may never end: with it ends whatever is computed.
                log.warning("token_worker_late", timeout_s=self._timeout_s)
                await self._drop(worker)
                raise TokensLate(params={"seconds": round(self._timeout_s)}) from error
            except (WorkerEnded, NoAnswer) as error:
                await self._failed(worker, error, last)
        raise AssertionError("unreachable")

    async def count(self, request: CountLengthsRequest) -> AsyncGenerator[CountLine]:
        """How far a count is, then `Counted` or a `Failure`; raises `TokensUnavailable`.

        A worker that dies is started once more, and the count begins again.
        """
        with self._counting():
            for last in (False, True):
                worker = await self._ready()
                try:
                    async with aclosing(worker.count(request)) as lines:
                        async for line in lines:
                            yield line
                    return
                except (WorkerEnded, NoAnswer) as error:
                    await self._failed(worker, error, last)

    @contextmanager
    def _counting(self) -> Iterator[None]:
        self._counts += 1
        try:
            yield
        finally:
            self._counts -= 1
            self._last_asked = _now()

    async def _failed(self, worker: TokenWorker, error: Exception, last: bool) -> None:
        """After the first time nothing but a fresh worker; raises `TokensUnavailable` then."""
        log.warning("token_worker_failed", error=repr(error), said=worker.last_words())
        if isinstance(error, WorkerEnded):
            await self._drop(worker)
        if last or isinstance(error, NoAnswer):
            raise TokensUnavailable from error

    async def _ready(self) -> TokenWorker:
        """The living process; raises `TokensUnavailable`."""
        async with self._changing:
            if self._closed:
                raise TokensUnavailable
            if self._worker is None or self._worker.ended:
                await self._end()
                self._worker = TokenWorker(self._folder)
            worker = self._worker
            if worker.ready:
                return worker
            try:
                if worker.ended:
                    worker.start()
                    self._tend_it()
                await worker.wait_until_ready()
            except (WorkerEnded, OSError) as error:
                log.warning("token_worker_not_started", error=repr(error))
                await self._end()
                raise TokensUnavailable from error
            return worker

    async def _drop(self, worker: TokenWorker) -> None:
        """End this very process; another one may be there already."""
        async with self._changing:
            if self._worker is worker:
                await self._end()

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop(grace_s=0)  # it writes nothing that could be half done

    def _tend_it(self) -> None:
        self._last_asked = _now()
        if self._tending is None or self._tending.done():
            self._tending = asyncio.create_task(self._tend(), name="token worker")

    async def _tend(self) -> None:
        """Bury the process when it dies, and end it when nothing is asked for a while."""
        while self._worker is not None:
            await asyncio.sleep(min(LOOK_EVERY_S, self._idle_s))
            async with self._changing:
                idle = not self._asked and not self._counts
                rested = idle and _now() - self._last_asked >= self._idle_s
                if self._worker is not None and (self._worker.ended or rested):
                    await self._end()


def _now() -> float:
    return asyncio.get_running_loop().time()
