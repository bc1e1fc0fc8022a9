"""Unpacks files of a ZIP archive: exactly as many bytes as its list promises, each checked."""

import bz2
import struct
import zipfile
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from backend.datasets.archives.limits import BLOCK_BYTES, Meter, Tick, damaged, unsafe

_LOCAL = struct.Struct("<4s22xHH")
_SIGNATURE = b"PK\x03\x04"


def require_sizes(entries: Sequence[zipfile.ZipInfo], meter: Meter) -> None:
    """Raise `UnreadableFile` when the list itself promises too much, each file and all of them."""
    for entry in entries:
        meter.require(entry.file_size, entry.compress_size)
    meter.require(sum(e.file_size for e in entries), sum(e.compress_size for e in entries))


def places(file: BinaryIO, entries: Sequence[zipfile.ZipInfo]) -> dict[str, int]:
    """Where the packed bytes of each file begin; no two may share some.

    Raises `UnreadableFile`.
    """
    found: dict[str, int] = {}
    ranges = []
    size = file.seek(0, 2)
    for entry in entries:
        if not 0 <= entry.header_offset < size:
            raise damaged(f"“{entry.filename}” is not where the list says")
        file.seek(entry.header_offset)
        header = file.read(_LOCAL.size)
        if len(header) < _LOCAL.size or not header.startswith(_SIGNATURE):
            raise damaged(f"“{entry.filename}” is not where the list says")
        _, name_length, extra_length = _LOCAL.unpack(header)
        begin = entry.header_offset + _LOCAL.size + name_length + extra_length
        if begin + entry.compress_size > size:
            raise damaged(f"“{entry.filename}” is cut off")
        found[entry.filename] = begin
        ranges.append((entry.header_offset, begin + entry.compress_size, entry.filename))
    ranges.sort()
    for (_, end, _), (begin, _, name) in pairwise(ranges):
        if begin < end:
            raise unsafe(f"“{name}” shares its bytes with another file")
    return found


def unpack(
    file: BinaryIO, entry: zipfile.ZipInfo, begin: int, target: Path, meter: Meter, tick: Tick
) -> None:
    """Write one file to `target`, which must not exist; raises `UnreadableFile`."""
    file.seek(begin)
    left, written, checksum = entry.compress_size, 0, 0
    unpacker = _unpacker(entry.compress_type)
    with target.open("xb") as out:
        while not unpacker.eof:
            packed = file.read(min(BLOCK_BYTES, left)) if unpacker.needs_input else b""
            left -= len(packed)
            tick(begin + entry.compress_size - left)
            if unpacker.needs_input and not packed:
                break
            try:
                block = unpacker.unpack(packed)
            except (zlib.error, OSError, EOFError) as error:
                raise damaged(f"“{entry.filename}”: {error}") from None
            written += len(block)
            if written > entry.file_size:
                raise damaged(f"“{entry.filename}” is larger than the list says")
            checksum = zlib.crc32(block, checksum)
            meter.write(out, block)
    if left or unpacker.unused or written != entry.file_size or checksum != entry.CRC:
        raise damaged(f"“{entry.filename}” is not what the list says")


class _Stored:
    """Bytes as they are."""

    eof, needs_input, unused = False, True, b""

    def unpack(self, packed: bytes) -> bytes:
        return packed


class _Deflated:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused(self) -> bytes:
        return self._stream.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    def unpack(self, packed: bytes) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail or packed, BLOCK_BYTES)


class _Bzip2:
    def __init__(self) -> None:
        self._stream = bz2.BZ2Decompressor()

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused(self) -> bytes:
        return self._stream.unused_data

    @property
    def needs_input(self) -> bool:
        return self._stream.needs_input

    def unpack(self, packed: bytes) -> bytes:
        return self._stream.decompress(packed, BLOCK_BYTES)


def _unpacker(method: int) -> Any:
    kinds = {zipfile.ZIP_STORED: _Stored, zipfile.ZIP_DEFLATED: _Deflated}
    return kinds.get(method, _Bzip2)()
