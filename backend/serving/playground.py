"""The playground's one worker: started when somebody asks, ended when idle or in the way.

The model lives in the worker; this process only passes lines through.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import structlog

from backend.errors import TooMany
from backend.processes.serve_process import WorkerEnded, end_leftover
from backend.serving.schemas import PlaygroundError, PlaygroundStatus
from backend.serving.worker import NAME, Worker
from training_engine.contract.predictions import ClassifyRequest, Predictions
from training_engine.contract.serving import Done, Failure, GenerateRequest, Health, Token

IDLE_S = 600.0
MAX_AT_ONCE = 4
log = structlog.get_logger(__name__)


class PlaygroundBusy(TooMany):
    """The playground is answering {running} questions already; wait for one of them."""


class Playground:
    """All methods run in the event loop; `start` before use, `close` after."""

    def __init__(self, sockets_dir: Path, idle_s: float = IDLE_S) -> None:
        self._folder = sockets_dir
        self._idle_s = idle_s
        self._worker: Worker | None = None
        self._starting = asyncio.Lock()
        self._running = 0
        self._names: dict[str, str] = {}
        self._idle: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._ended_for: str | None = None

    async def start(self) -> None:
        """Make the folder of sockets, and end what an earlier platform left."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        await end_leftover(self._folder, NAME)

    async def close(self) -> None:
        """End the worker."""
        await self._end("shutdown")
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def make_room(self) -> None:
        """Give all memory back, now: a training run is about to need it."""
        await self._end("training_started")

    def memory_bytes(self) -> int:
        """Main memory that `make_room` would free."""
        worker = self._worker
        return (worker.memory_bytes() or 0) if worker is not None else 0

    def require_room(self) -> None:
        """Raise `PlaygroundBusy` when too many answers are being written."""
        if self._running >= MAX_AT_ONCE:
            raise PlaygroundBusy(params={"running": self._running})

    async def status(self) -> PlaygroundStatus:
        """The worker as it is now."""
        worker = self._worker
        if worker is None or worker.ended:
            return PlaygroundStatus(state="stopped", device=None, memory_bytes=None, loaded=[])
        if not worker.ready:
            return PlaygroundStatus(state="starting", device=None, memory_bytes=None, loaded=[])
        found = await worker.health()
        if found is None:  # computing so hard that it can not say so
            return PlaygroundStatus(state="busy", device=None, memory_bytes=None, loaded=[])
        return PlaygroundStatus(
            state="busy" if self._running or found.busy else "ready",
            device=found.device,
            memory_bytes=await asyncio.to_thread(worker.memory_bytes),
            loaded=self._names_of(found),
        )

    def _names_of(self, health: Health) -> list[str]:
        # Names and never paths: where files lie on the server is nobody's business.
        paths = [path for model in health.loaded for path in (model.model_path, *model.adapters)]
        return [self._names[path] for path in paths if path in self._names]

    async def generate(
        self, request: GenerateRequest, name: str
    ) -> AsyncGenerator[Token | Done | PlaygroundError, None]:
        """One answer of the model `name`; whatever happens, the last item is `Done` or an error."""
        worker: Worker | None = None
        with self._asked(request, name):
            try:
                worker = await self._ready_worker()
                async with aclosing(worker.generate(request)) as lines:
                    async for line in lines:
                        if isinstance(line, Done) and line.finish_reason == "cancelled":
                            raise WorkerEnded("It was asked to end.")  # the asker did not cancel
                        yield _error(line) if isinstance(line, Failure) else line
            except (WorkerEnded, OSError) as error:
                yield await self._broken(worker, str(error))

    async def classify(self, request: ClassifyRequest, name: str) -> Predictions | PlaygroundError:
        """What the model `name` says of texts, or why it says nothing."""
        worker: Worker | None = None
        with self._asked(request, name):
            try:
                worker = await self._ready_worker()
                told = await worker.classify(request)
                if isinstance(told, Failure) and told.code == "cancelled":
                    raise WorkerEnded("It was asked to end.")  # the asker did not cancel
                return _error(told) if isinstance(told, Failure) else told
            except (WorkerEnded, OSError) as error:
                return await self._broken(worker, str(error))

    @contextmanager
    def _asked(self, request: GenerateRequest | ClassifyRequest, name: str) -> Iterator[None]:
        """Around an answer: while one is made, the worker is not idle."""
        self._names[request.adapter_path or request.model_path] = name
        self._running += 1
        self._cancel_idle()
        try:
            yield
        finally:
            self._running -= 1
            self._schedule_idle()

    async def _ready_worker(self) -> Worker:
        async with self._starting:
            if self._worker is not None and not self._worker.ended:
                return self._worker
            await self._end(None)
            self._ended_for = None
            self._worker = worker = Worker(self._folder)
            worker.start()
            await worker.wait_until_ready()
            return worker

    async def _broken(self, worker: Worker | None, said: str) -> PlaygroundError:
        """What to tell whoever was waiting; the next question starts a fresh worker."""
        if self._ended_for == "training_started":
            return PlaygroundError(
                code="training_started",
                message="A training run needed this machine's memory, so the answer was cut off.",
                hint="Ask again while it runs, or when it has finished.",
            )
        if self._ended_for == "shutdown":
            return PlaygroundError(
                code="shutdown",
                message="EasyTune is being stopped.",
                hint="Ask again when it is back.",
            )
        log.warning("playground worker ended", said=said)
        if worker is None or worker is self._worker:
            await self._end(None)
        return PlaygroundError(
            code="worker_crashed",
            message="The process that runs the model ended unexpectedly.",
            hint="Ask again: it is started afresh. If it happens again, choose a smaller model.",
        )

    async def _end(self, reason: str | None) -> None:
        worker, self._worker = self._worker, None
        self._cancel_idle()
        if worker is not None:
            self._ended_for = reason
            await worker.stop()

    def _cancel_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _schedule_idle(self) -> None:
        if self._running or self._worker is None:
            return
        self._cancel_idle()
        self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._unload)

    def _unload(self) -> None:
        task = asyncio.create_task(self._end("idle"), name="playground unload")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _error(failed: Failure) -> PlaygroundError:
    return PlaygroundError(code=failed.code, message=failed.message, hint=failed.hint)
