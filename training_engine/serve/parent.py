"""End when the process that started the worker ends, even when it is killed."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_CHECK_EVERY_S = 1.0


def ask_for_signal() -> None:
    """Let the kernel send SIGHUP when the parent dies (Linux; elsewhere `watch` looks)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0)


async def watch(parent: int, on_death: Callable[[], None]) -> None:
    """Call `on_death` once process `parent` is no longer the parent.

    The kernel's signal also comes when only the thread that started us ends, so it is a reason to
    look and not yet a proof; looking now and then covers a death before the signal was asked for.
    """
    look = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, look.set)
    while os.getppid() == parent:
        look.clear()
        try:
            await asyncio.wait_for(look.wait(), _CHECK_EVERY_S)
        except TimeoutError:
            continue
        ask_for_signal()
    on_death()
