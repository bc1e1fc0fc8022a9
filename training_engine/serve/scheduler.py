"""The computing thread: loads models and gives every open answer one token in turn.

The rest of the process talks to it through `submit`, `call` and `cancel` only. torch is imported
here, in the thread, so that the socket answers while the libraries are still loading.
"""

import queue
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from training_engine.contract.serving import Done, Health
from training_engine.failures import EngineFailure, explain
from training_engine.serve.failures import ServeError, from_engine

if TYPE_CHECKING:
    from training_engine.serve.model_store import ModelStore
    from training_engine.serve.work import Request, Told
    from training_engine.serve.work import Work as Answering

T = TypeVar("T")
Work = Callable[["ModelStore"], Any]


class Job:
    """One request for an answer. `tell` is called from the computing thread."""

    def __init__(self, request: "Request", tell: "Callable[[Told], None]") -> None:
        self.request, self.tell = request, tell
        self.arrived = time.monotonic()
        self.cancelled = threading.Event()
        self.answering: Answering | None = None
        self.model_key: str | None = None


class Scheduler:
    """Start it once; it ends with `close`."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[Job | tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._jobs: list[Job] = []
        self._health = Health(
            status="starting",
            device=None,
            dtype=None,
            device_reason=None,
            loaded=[],
            busy=False,
            active=0,
        )
        self._open: set[Job] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="compute", daemon=True)

    def start(self) -> None:
        """Begin loading the libraries."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Answer everything that is open as cancelled and end."""
        self._closing.set()
        self._inbox.put(None)
        self._thread.join(timeout_s)

    def submit(self, request: "Request", tell: "Callable[[Told], None]") -> Job:
        """Ask for an answer; `tell` gets tokens and, last, a `Done` or a `Failure`.

        A request for classes gets `Predictions` or a `Failure`, or a `Done` when it was cancelled.
        """
        job = Job(request, tell)
        with self._lock:
            self._open.add(job)
        self._inbox.put(job)
        return job

    def call(self, work: Callable[["ModelStore"], T]) -> "Future[T]":
        """Run `work` on the models between two tokens."""
        future: Future[T] = Future()
        self._inbox.put((work, future))
        return future

    def cancel_all(self) -> None:
        """Let every open answer end before its next token."""
        with self._lock:
            open_jobs = list(self._open)
        for job in open_jobs:
            job.cancelled.set()

    def health(self) -> Health:
        """What is loaded and whether anything is under way; never waits."""
        with self._lock:
            active = len(self._open)
        return self._health.model_copy(update={"busy": active > 0, "active": active})

    def _run(self) -> None:
        try:
            store = self._prepare()
        except EngineFailure as failure:
            self._refuse_all(from_engine(failure))
            return
        except ImportError as error:
            self._refuse_all(from_engine(explain(error)))
            return
        while not self._closing.is_set():
            self._take(store, wait=not self._jobs)
            for job in list(self._jobs):
                if not self._advance(store, job):
                    self._jobs.remove(job)
                    self._forget(job)
            self._publish(store)
        for job in self._jobs:
            job.tell(_cancelled(job))

    def _prepare(self) -> "ModelStore":
        """Load the libraries, choose the device."""
        from training_engine.contract.choices import Device
        from training_engine.devices import choose
        from training_engine.models.load import quiet
        from training_engine.serve.model_store import ModelStore

        quiet()
        place = choose(Device.AUTO)
        self._health = self._health.model_copy(
            update={
                "status": "ready",
                "device": str(place.device),
                "dtype": place.dtype_name,
                "device_reason": place.reason,
            }
        )
        return ModelStore(place, lambda: {job.model_key for job in self._jobs if job.model_key})

    def _take(self, store: "ModelStore", *, wait: bool) -> None:
        """Accept what came in; with nothing to compute, sleep until something does."""
        while True:
            try:
                item = self._inbox.get(block=wait)
            except queue.Empty:
                return
            wait = False
            if item is None:
                return
            if isinstance(item, Job):
                self._jobs.append(item)
            else:
                self._call(store, *item)

    def _call(self, store: "ModelStore", work: Work, future: "Future[Any]") -> None:
        try:
            result = work(store)
        except ServeError as error:
            future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - as in `_advance`
            future.set_exception(_explained(error))
        else:
            self._publish(store)
            future.set_result(result)

    def _advance(self, store: "ModelStore", job: Job) -> bool:
        """One step for one answer; False when it is over, however it ended."""
        try:
            if job.cancelled.is_set():
                job.tell(_cancelled(job))
                return False
            if job.answering is None:
                self._begin(store, job)
                return True
            return not job.answering.advance()
        except ServeError as error:
            job.tell(error.failure())
        # The loop of all streams: whatever a model meets ends this answer, never the worker.
        except Exception as error:  # noqa: BLE001
            job.tell(_explained(error).failure())
        return False

    def _begin(self, store: "ModelStore", job: Job) -> None:
        from training_engine.serve.work import begin

        job.answering, job.model_key = begin(job.request, store, job.tell, job.arrived)

    def _forget(self, job: Job) -> None:
        with self._lock:
            self._open.discard(job)

    def _publish(self, store: "ModelStore") -> None:
        self._health = self._health.model_copy(update={"loaded": store.describe()})

    def _refuse_all(self, error: ServeError) -> None:
        """The libraries do not load: every request hears why."""
        self._health = self._health.model_copy(
            update={"status": "failed", "device_reason": error.message}
        )
        while not self._closing.is_set():
            item = self._inbox.get()
            if isinstance(item, Job):
                item.tell(error.failure())
                self._forget(item)
            elif item is not None:
                item[1].set_exception(error)


def _explained(error: Exception) -> ServeError:
    """A plain sentence for the one who asked; the whole story for the log."""
    traceback.print_exception(error)
    return from_engine(explain(error))


def _cancelled(job: Job) -> Done:
    if job.answering is not None:
        return job.answering.done("cancelled")
    return Done(
        finish_reason="cancelled",
        prompt_tokens=0,
        completion_tokens=0,
        tokens_per_s=0.0,
        time_to_first_token_s=None,
    )
