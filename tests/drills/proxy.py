"""A TCP proxy whose connections can be cut, held, or cut in the moment of an answer.

It runs in a thread of its own, so that drills may block; all its methods may be called from there.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

CHUNK = 64 * 1024


class Proxy:
    """Listens on `port` of loopback and passes everything to `target` (host, port)."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()  # cleared: nothing passes, nothing is refused
        self._refuse = False
        self._swallow: Callable[[bytes], bool] | None = None
        self.swallowed = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> asyncio.Server:
        self._open.set()
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    def cut(self, *, refuse: bool = False) -> None:
        """Reset every connection; with `refuse` also those that come, until `mend`."""
        self._do(self._cut(refuse))

    async def _cut(self, refuse: bool) -> None:
        self._refuse = refuse
        for writer in list(self._writers):
            _reset(writer)

    def hold(self) -> None:
        """A black hole: connections stay, nothing passes any more until `mend`."""
        self._do(self._set(False))

    def mend(self) -> None:
        """Everything passes again."""
        self._do(self._set(True))

    async def _set(self, through: bool) -> None:
        if through:
            self._refuse = False
            self._open.set()
        else:
            self._open.clear()

    def cut_answer_to(self, matches: Callable[[bytes], bool]) -> None:
        """The next request that matches reaches the server; its answer reaches nobody."""
        self._swallow = matches

    def close(self) -> None:
        """End it."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        await self._cut(refuse=True)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuse:
            _reset(writer)
            return
        self._writers.add(writer)
        upstream = None
        try:
            await self._open.wait()
            there, upstream = await asyncio.open_connection(*self.target)
            self._writers.add(upstream)
            doomed = asyncio.Event()
            ways = [
                asyncio.create_task(self._pass(reader, upstream, doomed, requests=True)),
                asyncio.create_task(self._pass(there, writer, doomed, requests=False)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # the line is broken, or the drill over
        finally:
            for end in filter(None, (writer, upstream)):
                self._writers.discard(end)
                with suppress(OSError, RuntimeError):
                    end.close()

    async def _pass(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        doomed: asyncio.Event,
        *,
        requests: bool,
    ) -> None:
        with suppress(OSError):
            while chunk := await source.read(CHUNK):
                await self._open.wait()
                if not requests and doomed.is_set():
                    self.swallowed += 1
                    return  # the server has answered; the connection ends here
                if requests and self._swallow is not None and self._swallow(chunk):
                    self._swallow = None
                    doomed.set()
                target.write(chunk)
                await target.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a broken line does: no good-bye."""
    raw = writer.get_extra_info("socket")
    with suppress(OSError):
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with suppress(OSError, RuntimeError):
        writer.transport.abort()
