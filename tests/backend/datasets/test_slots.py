"""What a worker packs is what the import reads, whoever used the slot before; large files are
converted by several processes as by one."""

import errno
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from backend.datasets.importing import slots, workers
from backend.datasets.importing.run import import_file
from backend.datasets.importing.slots import Desk, Slot
from backend.datasets.readers.chunks import Span, spans
from backend.datasets.versions.names import RECORDS_FILE, STATISTICS_FILE
from backend.datasets.versions.packing import GROUP_BYTES, pack
from backend.datasets.versions.rows import Rows, stored


def rows(number: int, characters: int, first: int = 1) -> Rows:
    return stored(
        {"text": f"{n}" + "é" * characters, "meta": {"line": first + n, "extra": {"id": n}}}
        for n in range(number)
    )


def through(desk: Desk, slot: Slot, content: Rows) -> pa.Table:
    packer = desk.packer(slot.path)
    packer.add(content)
    return slot.table(desk.packed(packer))


def test_slots_grow_shrink_and_go_from_worker_to_worker(tmp_path: Path) -> None:
    slot, desks = Slot(tmp_path / "0"), [Desk(), Desk(), Desk()]
    sizes = [(3, 10), (9000, 300), (1, 0), (20_000, 400), (2, 5), (9000, 300)]
    for number, (count, characters) in enumerate(sizes * 2):
        content = rows(count, characters, first=number)
        assert through(desks[number % len(desks)], slot, content).equals(pack(content))


def test_rows_that_wait_to_be_written_stay_what_they_are(tmp_path: Path) -> None:
    slot, desk = Slot(tmp_path / "0"), Desk()
    few = rows(5, 100)
    kept = through(desk, slot, few)
    assert kept["json_line"].nbytes < GROUP_BYTES
    through(desk, slot, rows(9000, 300))
    assert kept.equals(pack(few))


def test_a_full_disk_is_an_error_and_not_the_end_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(slots.os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        Desk().packer(tmp_path / "0").add(rows(1, 1))


def small_spans(path: Path, skip_bytes: int) -> Iterator[Span]:
    return spans(path, skip_bytes, 100_000)


def odd_file(path: Path) -> None:
    """Conversations, with rows that are broken, repaired, blank, or have something beside them."""
    chance = random.Random(7)
    with path.open("w") as file:
        for number in range(20_000):
            said = "word " * chance.randint(1, 60)
            turns = [{"role": "user", "content": said}, {"role": "assistant", "content": "ok"}]
            row: dict[str, Any] = {"messages": turns}
            if number % 3:
                row["id"] = number
            if number % 911 == 0:
                turns.insert(1, {"role": "user", "content": "and more"})
            line = json.dumps(row)
            if number % 997 == 0:
                line = line[:-1]
            file.write(line + ("\n\n" if number % 500 == 0 else "\n"))


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_several_processes_import_the_same_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    path = tmp_path / "rows.jsonl"
    odd_file(path)
    found = {}
    for name, at_least in (("one", 1 << 40), ("several", 0)):
        monkeypatch.setattr(workers, "PARALLEL_FROM_BYTES", at_least)
        monkeypatch.setattr(workers, "number_of_workers", lambda: 3)
        monkeypatch.setattr(workers, "_way_to_start", lambda: way)
        monkeypatch.setattr("backend.datasets.readers.detect.spans", small_spans)
        folder = tmp_path / name
        folder.mkdir()
        summary = import_file(path, path.name, folder, max_dropped_rows=1000)
        assert summary["status"] == "ready"
        found[name] = (
            summary,
            (folder / RECORDS_FILE).read_bytes(),
            json.loads((folder / STATISTICS_FILE).read_bytes()),
            (folder / "report.jsonl").read_bytes(),
        )
        assert {each.suffix for each in folder.iterdir()} <= {".parquet", ".json", ".jsonl"}
    assert found["one"] == found["several"]
    assert found["one"][0]["counts"]["dropped"] == 21
