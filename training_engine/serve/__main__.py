"""`python -m training_engine.serve SOCKET`: the worker for interactive use.

It ends on SIGTERM or SIGINT, and by itself when its parent ends. Exit codes: 0 ended as asked,
2 wrong arguments or an unusable socket.
"""

import os
import sys

from training_engine.tuning import KERNEL_CACHES

# Before any import can read them. Idle threads sleep instead of spinning: a worker that shares the
# processor with a training run would otherwise slow both down many times over.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.update({**KERNEL_CACHES, **os.environ})  # prompts too are never equally long

import asyncio
import signal
import socket
from pathlib import Path
from types import FrameType

import uvicorn

from training_engine.confinement import confine
from training_engine.serve import parent
from training_engine.serve.app import create_app
from training_engine.serve.scheduler import Scheduler
from training_engine.serve.socket_file import SocketUnusable, listening

USAGE = "usage: python -m training_engine.serve SOCKET"
_CLOSE_TIMEOUT_S = 5


class _Server(uvicorn.Server):
    """Ends open answers first, so that their streams are complete when the server closes."""

    def __init__(self, config: uvicorn.Config, scheduler: Scheduler) -> None:
        super().__init__(config)
        self._scheduler = scheduler

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._scheduler.cancel_all()
        super().handle_exit(sig, frame)

    def end(self) -> None:
        """As if asked to."""
        self._scheduler.cancel_all()
        self.should_exit = True


async def serve(listener: socket.socket, parent_pid: int) -> None:
    """Answer until a signal comes or the parent ends."""
    scheduler = Scheduler()
    config = uvicorn.Config(
        create_app(scheduler),
        lifespan="off",
        log_level="warning",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=_CLOSE_TIMEOUT_S,
    )
    server = _Server(config, scheduler)
    scheduler.start()
    watching = asyncio.create_task(parent.watch(parent_pid, server.end))
    try:
        await server.serve(sockets=[listener])
    finally:
        watching.cancel()
        scheduler.close(_CLOSE_TIMEOUT_S)


def _leave(_: int, __: FrameType | None) -> None:
    raise SystemExit(0)


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    parent_pid = os.getppid()
    if len(arguments) != 1:
        print(USAGE, file=sys.stderr)  # noqa: T201
        return 2
    confine()  # before the first thread: it holds for those that begin later
    parent.ask_for_signal()
    # uvicorn raises the signal that ended it once more, for whoever started it: that is here.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        with listening(Path(arguments[0])) as listener:
            asyncio.run(serve(listener, parent_pid))
    except SystemExit:
        return 0
    except SocketUnusable as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # Without the interpreter's own clean-up: a thread may be inside a long computation, and the
    # socket is already gone.
    os._exit(code)
