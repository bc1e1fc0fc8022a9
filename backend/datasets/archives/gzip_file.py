"""Unpacks a gzip file: one or several streams behind each other, and nothing else behind them."""

import zlib
from pathlib import Path
from typing import BinaryIO

from backend.datasets.archives.limits import BLOCK_BYTES, Meter, Tick, damaged

MAGIC = b"\x1f\x8b"


def unpack(source: Path, target: Path, meter: Meter, tick: Tick) -> None:
    """Write what `source` holds to `target`, which must not exist; raises `UnreadableFile`."""
    with source.open("rb") as packed, target.open("xb") as file:
        _Streams(packed, file, meter, tick).unpack()


class _Streams:
    def __init__(self, packed: BinaryIO, file: BinaryIO, meter: Meter, tick: Tick) -> None:
        self._packed, self._file, self._meter, self._tick = packed, file, meter, tick
        self._read = self._written = 0
        self._rest = b""

    def unpack(self) -> None:
        if not self._more():
            raise damaged("it is empty")
        while self._rest:
            if not self._rest.startswith(MAGIC[: len(self._rest)]):
                raise damaged(f"{self._rest_bytes()} bytes behind its end belong to nothing")
            self._stream()
            # Zeros pad the end on tapes and in some downloads.
            self._rest = self._rest.lstrip(b"\0")
            while not self._rest and self._more():
                self._rest = self._rest.lstrip(b"\0")

    def _more(self) -> bool:
        self._rest = self._packed.read(BLOCK_BYTES)
        self._read += len(self._rest)
        self._tick(self._read)
        return bool(self._rest)

    def _rest_bytes(self) -> int:
        here = self._packed.tell() - len(self._rest)
        return self._packed.seek(0, 2) - here

    def _stream(self) -> None:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        while not stream.eof:
            if not self._rest and not self._more():
                raise damaged("it ends in the middle")
            try:
                block = stream.decompress(self._rest, BLOCK_BYTES)
            except zlib.error as error:
                raise damaged(f"{error}") from None
            self._rest = stream.unused_data if stream.eof else stream.unconsumed_tail
            self._written += len(block)
            self._meter.require(self._written, self._read)
            self._meter.write(self._file, block)
