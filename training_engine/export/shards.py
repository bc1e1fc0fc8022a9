"""The weights of a model folder in files of a chosen size, one tensor in memory at a time.

https://huggingface.co/docs/safetensors: names, types and offsets stand before the numbers, so a
file can be written from the parts of others without ever being whole in memory.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from training_engine.contract.model_folder import INDEX_FILE, WEIGHTS_FILE, weight_files

Report = Callable[[float], None]
_COPY_BYTES = 16 * 1024 * 1024


class _Stored:
    """Where a tensor lies: its file, its entry in the header, its bytes in the file."""

    def __init__(self, file: Path, start: int, entry: dict[str, Any]) -> None:
        begin, end = entry["data_offsets"]
        self.file, self.start, self.size = file, start + begin, end - begin
        self.dtype, self.shape = entry["dtype"], entry["shape"]


def write_shards(source: Path, target: Path, max_bytes: int, report: Report) -> None:
    """Write the weights of `source` into `target` in files of at most `max_bytes` of numbers.

    A larger tensor gets a file of its own. `report(fraction)` is told on the way and may raise.
    Raises `OSError` and `UnfitFolder`.
    """
    tensors = dict(_tensors(source))
    groups = _grouped(tensors, max_bytes)
    total = sum(tensor.size for tensor in tensors.values())
    if len(groups) == 1:
        names = [WEIGHTS_FILE]
    else:
        count = len(groups)
        names = [f"model-{i:05d}-of-{count:05d}.safetensors" for i in range(1, count + 1)]
    done = 0
    for name, group in zip(names, groups, strict=True):
        with (target / name).open("wb") as stream:
            stream.write(_header({key: tensors[key] for key in group}))
            for key in group:
                for copied in _copy(tensors[key], stream):
                    done += copied
                    report(done / max(1, total))
            stream.flush()
            os.fsync(stream.fileno())
    if len(groups) > 1:
        places = {key: name for name, group in zip(names, groups, strict=True) for key in group}
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        (target / INDEX_FILE).write_text(json.dumps(index, indent=2))


def _tensors(folder: Path) -> Iterator[tuple[str, _Stored]]:
    for file in weight_files(folder):
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            header: dict[str, Any] = json.loads(stream.read(size))
        for key, entry in header.items():
            if key != "__metadata__":
                yield key, _Stored(file, 8 + size, entry)


def _grouped(tensors: dict[str, _Stored], max_bytes: int) -> list[list[str]]:
    """Names in the order of the files, cut where the next one would not fit."""
    groups: list[list[str]] = [[]]
    size = 0
    for key, tensor in tensors.items():
        if groups[-1] and size + tensor.size > max_bytes:
            groups.append([])
            size = 0
        groups[-1].append(key)
        size += tensor.size
    return groups


def _header(tensors: dict[str, _Stored]) -> bytes:
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for key, tensor in tensors.items():
        place = [offset, offset + tensor.size]
        entries[key] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": place}
        offset += tensor.size
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # numbers begin at a multiple of eight
    return len(text).to_bytes(8, "little") + text


def _copy(tensor: _Stored, stream: BinaryIO) -> Iterator[int]:
    """Append a tensor's bytes; yields how many went each time."""
    left = tensor.size
    with tensor.file.open("rb") as source:
        source.seek(tensor.start)
        while left:
            chunk = source.read(min(left, _COPY_BYTES))
            if not chunk:
                raise OSError(f"{tensor.file.name} became shorter while it was read")
            stream.write(chunk)
            left -= len(chunk)
            yield len(chunk)
