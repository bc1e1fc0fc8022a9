"""Archives and several files at once: what is imported, what is left out, what is refused."""

import gzip
import io
import json
import random
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from backend.datasets.archives import limits
from backend.datasets.archives.limits import Unpacked
from backend.datasets.archives.unpack import unpack
from backend.datasets.rows import UnreadableFile
from tests.backend.datasets.imports import items, run, run_several
from tests.backend.datasets.stored import records_of

GOOD = '{"prompt": "a", "completion": "b"}\n'
BAD = '{"prompt": "a"}\n'
ALPACA = '{"instruction": "a", "input": "", "output": "b"}\n'
JUNK = {
    "__MACOSX/data/._one.jsonl": "\0\5\x16\7",
    "data/.DS_Store": "\0\0\0\1Bud1",
    "README.md": "# About",
    "LICENSE": "MIT",
    "picture.png": "\x89PNG",
}


def gz(content: bytes) -> bytes:
    """The same bytes whenever they are packed: names of tests are made of them."""
    return gzip.compress(content, mtime=0)


def zipped(files: dict[str, bytes | str], **how: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how.pop("method", zipfile.ZIP_DEFLATED)) as archive:
        for name, content in files.items():
            archive.writestr(name, content, **how)
    return buffer.getvalue()


def texts(folder: Path) -> list[str]:
    return [record["messages"][0]["content"] for record in records_of(folder / "out")]


def row(text: str) -> str:
    return json.dumps({"prompt": text, "completion": "b"}) + "\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl.gz", gz(GOOD.encode())),
        ("a.jsonl", gz(GOOD.encode())),
        ("a.jsonl.gz", gz(GOOD.encode()) + b"\0" * 1000),
        ("a.jsonl.gz", GOOD),
        ("a.zip", zipped({"a.jsonl": GOOD})),
        ("a.jsonl", zipped({"folder/": "", "folder/a.csv": "prompt,completion\na,b\n"})),
        ("a.zip", zipped({"a.json": f"[{GOOD}]"}, method=zipfile.ZIP_STORED)),
        ("a.zip", zipped({"a.json": f"[{GOOD}]"}, method=zipfile.ZIP_BZIP2)),
        ("a.zip", zipped({"no_suffix": GOOD})),
        ("a.zip", b"#!/bin/sh\n" * 0 + zipped({"b.ndjson": GOOD} | JUNK)),
    ],
)
def test_packed_file_equals_the_plain_one(tmp_path: Path, name: str, content: bytes) -> None:
    summary = run(tmp_path, name, content)
    assert (summary["status"], summary["num_rows"]) == ("ready", 1), summary["error"]
    plain = tmp_path / "plain"
    plain.mkdir()
    number = 2 if summary["files"][0]["kind"] == "csv" else 1
    twin = run(plain, "a.jsonl", "\n" * (number - 1) + GOOD)
    assert summary["sha256"] == twin["sha256"]


def test_several_streams_and_blocks_of_gzip(tmp_path: Path) -> None:
    noise = random.Random(1)
    parts = [row(noise.randbytes(3000).hex()) * 50 for _ in range(20)]
    content = b"".join(gz(part.encode()) for part in parts)
    summary = run(tmp_path, "a.jsonl.gz", content)
    assert summary["num_rows"] == 1000


def test_files_of_an_archive_become_one_version_and_items_name_theirs(tmp_path: Path) -> None:
    content = zipped(
        {
            "train/b.jsonl": row("b1") + BAD + row("b3"),
            "train/a.json": "[\n" + row("a2") + ",\n" + BAD + "]",
            "c.csv": "prompt,completion\nc2,x\n\nc4,\n",
            "empty.jsonl": "",
            **JUNK,
        }
    )
    summary = run(tmp_path, "all.zip", content, max_dropped_rows=3)
    assert (summary["status"], summary["num_rows"]) == ("ready", 4)
    assert texts(tmp_path) == ["c2", "a2", "b1", "b3"]
    assert [(i["file"], i["line"]) for i in items(tmp_path)] == [
        ("c.csv", 4),
        ("train/a.json", 4),
        ("train/b.jsonl", 2),
    ]
    assert [each["name"] for each in summary["files"]] == ["c.csv", "train/a.json", "train/b.jsonl"]
    assert {each["name"] for each in summary["left_out"]} == {*JUNK, "empty.jsonl"}
    for name in ("README.md", "__MACOSX/data/._one.jsonl", "empty.jsonl"):
        assert name in summary["detected_because"]


def test_item_of_a_single_file_names_none(tmp_path: Path) -> None:
    run(tmp_path, "all.zip", zipped({"b.jsonl": GOOD + BAD}))
    assert [(i["file"], i["line"]) for i in items(tmp_path)] == [(None, 2)]


def test_uploads_keep_their_order(tmp_path: Path) -> None:
    files = {
        "z.jsonl": row("z"),
        "a.zip": zipped({"2.jsonl": row("a2"), "1.jsonl": row("a1")}),
        "b.csv.gz": gz(b"prompt,completion\nb,x\n"),
        "README.md": "about",
    }
    summary = run_several(tmp_path, files)
    assert texts(tmp_path) == ["z", "a1", "a2", "b"]
    assert [f["name"] for f in summary["files"]] == [
        "z.jsonl",
        "a.zip/1.jsonl",
        "a.zip/2.jsonl",
        "b.csv",
    ]
    assert [each["name"] for each in summary["left_out"]] == ["README.md"]


def test_one_member_can_be_chosen(tmp_path: Path) -> None:
    content = zipped({"a.jsonl": row("a"), "b.jsonl": ALPACA})
    summary = run(tmp_path, "x.zip", content, options={"archive_member": "a.jsonl"})
    assert (summary["status"], texts(tmp_path)) == ("ready", ["a"])
    other = tmp_path / "other"
    other.mkdir()
    summary = run(other, "x.zip", content, options={"archive_member": "c.jsonl"})
    assert summary["error"]["code"] == "unknown_member"
    assert "b.jsonl" in summary["error"]["hint"]


def test_files_of_several_formats_are_named(tmp_path: Path) -> None:
    summary = run(tmp_path, "x.zip", zipped({"a.jsonl": GOOD, "b.jsonl": ALPACA, "c.jsonl": GOOD}))
    assert (summary["status"], summary["error"]["code"]) == ("failed", "mixed_formats")
    for part in ("“a.jsonl”, “c.jsonl” are prompt_completion", "“b.jsonl” is alpaca"):
        assert part in summary["error"]["message"]


def test_undecided_file_is_named_and_shown(tmp_path: Path) -> None:
    summary = run(tmp_path, "x.zip", zipped({"a.jsonl": GOOD, "b.jsonl": '{"u": "x", "v": "y"}\n'}))
    assert summary["status"] == "needs_mapping"
    assert "“b.jsonl”" in summary["detected_because"]
    assert summary["columns"] == ["prompt", "completion", "u", "v"]


def test_mapping_names_the_file_that_lacks_the_column(tmp_path: Path) -> None:
    mapping = {"record_type": "language_modeling", "columns": {"text": "body"}}
    files = {"a.jsonl": '{"body": "x"}\n', "b.jsonl": '{"corpus": "x"}\n'}
    summary = run(tmp_path, "x.zip", zipped(files), mapping=mapping)
    assert summary["error"]["code"] == "unknown_column"
    assert summary["error"]["message"].startswith("“b.jsonl”")


def test_broken_file_of_several_is_named(tmp_path: Path) -> None:
    summary = run(tmp_path, "x.zip", zipped({"a.jsonl": GOOD, "b.json": f"[{GOOD}, oops]"}))
    assert summary["error"]["code"] == "broken_json"
    assert summary["error"]["params"]["file"] == "b.json"
    assert items(tmp_path)[0]["file"] == "b.json"


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    return made


def with_entries(*entries: zipfile.ZipInfo) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for each in entries:
            archive.writestr(each, GOOD)
    return buffer.getvalue()


def encrypted() -> bytes:
    content = bytearray(zipped({"a.jsonl": GOOD}))
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    return bytes(content)


def lying(**sizes: int) -> bytes:
    """An archive whose list promises other sizes than come out."""
    content = bytearray(zipped({"a.jsonl": GOOD * 10}))
    place = content.index(b"PK\1\2")
    for name, offset in (("crc", 16), ("packed", 20), ("unpacked", 24)):
        if name in sizes:
            struct.pack_into("<I", content, place + offset, sizes[name])
    return bytes(content)


def overlapping() -> bytes:
    """Two entries of the list that are the same bytes of the file."""
    content = zipped({"a.jsonl": GOOD, "b.jsonl": GOOD})
    second = content.index(b"PK\1\2", content.index(b"PK\1\2") + 1)
    made = bytearray(content)
    struct.pack_into("<I", made, second + 42, 0)
    return bytes(made)


TWO = zipped({"a.jsonl": GOOD, "b.jsonl": GOOD})
# Packed when the tests are collected: no larger than what it takes to be one.
BOMB = zipped({"a.jsonl": b" " * 20_000_000})
TAR = b"a.jsonl".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 300


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("up.zip", with_entries(entry("../a.jsonl")), "unsafe_archive"),
        ("up.zip", with_entries(entry("x/../../a.jsonl")), "unsafe_archive"),
        ("up.zip", with_entries(entry("..\\a.jsonl")), "unsafe_archive"),
        ("absolute.zip", with_entries(entry("/etc/a.jsonl")), "unsafe_archive"),
        ("absolute.zip", with_entries(entry("C:/a.jsonl")), "unsafe_archive"),
        ("nul.zip", zipped({"a.jsonl": GOOD}).replace(b"a.jsonl", b"a\0jsonl"), "unsafe_archive"),
        ("link.zip", with_entries(entry("a.jsonl", stat.S_IFLNK | 0o777)), "unsafe_archive"),
        ("device.zip", with_entries(entry("a.jsonl", stat.S_IFCHR | 0o666)), "unsafe_archive"),
        ("fifo.zip", with_entries(entry("a.jsonl", stat.S_IFIFO | 0o666)), "unsafe_archive"),
        ("twice.zip", TWO.replace(b"b.js", b"a.js"), "unsafe_archive"),
        ("secret.zip", encrypted(), "encrypted_archive"),
        ("method.zip", zipped({"a.jsonl": GOOD}, method=zipfile.ZIP_LZMA), "archive_method"),
        ("nested.zip", zipped({"b.zip": zipped({"a.jsonl": GOOD})}), "nested_archive"),
        ("nested.zip", zipped({"b.jsonl": zipped({"a.jsonl": GOOD})}), "nested_archive"),
        ("nested.zip", zipped({"b.jsonl": gz(GOOD.encode())}), "nested_archive"),
        ("nested.zip", zipped({"b.tar.gz": "x"}), "nested_archive"),
        ("nested.gz", gz(gz(GOOD.encode())), "nested_archive"),
        ("nested.gz", gz(zipped({"a.jsonl": GOOD})), "nested_archive"),
        ("a.tar.gz", gz(TAR), "nested_archive"),
        ("a.tar", TAR, "nested_archive"),
        ("bomb.zip", BOMB, "unsafe_archive"),
        ("bomb.gz", gz(b" " * 20_000_000), "unsafe_archive"),
        ("overlap.zip", overlapping(), "unsafe_archive"),
        ("many.zip", zipped({f"{n}.jsonl": GOOD for n in range(1001)}), "archive_too_large"),
        ("many.zip", zipped({f"{n:050}.jsonl": "" for n in range(12_000)}), "archive_too_large"),
        ("lies.zip", lying(unpacked=3), "broken_archive"),
        ("lies.zip", lying(unpacked=3000), "broken_archive"),
        ("lies.zip", lying(packed=9), "broken_archive"),
        ("lies.zip", lying(packed=90_000), "broken_archive"),
        ("lies.zip", lying(packed=900_000_000, unpacked=2_000_000_000), "archive_too_large"),
        ("lies.zip", lying(crc=1), "broken_archive"),
        ("cut.zip", zipped({"a.jsonl": GOOD})[:-30], "broken_archive"),
        ("cut.gz", gz(GOOD.encode())[:-9], "broken_archive"),
        ("rubbish.gz", gz(GOOD.encode()) + b"rubbish", "broken_archive"),
        ("rubbish.gz", gz(GOOD.encode()) + b"\0\0rubbish", "broken_archive"),
        ("sum.gz", gz(GOOD.encode())[:-8] + b"\0" * 8, "broken_archive"),
        ("empty.zip", zipped({}), "no_data_files"),
        ("junk.zip", zipped(JUNK), "no_data_files"),
        ("sheet.xlsx", zipped({"[Content_Types].xml": "<x/>", "xl/a.xml": "<x/>"}), "binary_file"),
    ],
)  # fmt: skip
def test_hostile_or_broken_archive_is_refused(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    outside = tmp_path / "around"
    outside.mkdir()
    summary = run(outside, name, content, max_unpacked_bytes=10**9)
    assert (summary["status"], summary["error"]["code"]) == ("failed", code), summary["error"]
    assert summary["error"]["message"]
    assert summary["error"]["hint"]
    assert items(outside)[0]["rule"] == code
    assert {path.name for path in outside.iterdir()} == {"out", "upload0"}
    assert {path.name for path in tmp_path.iterdir()} == {"around"}


def test_a_million_entries_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    header = struct.pack("<4s22xHH", b"PK\3\4", 1, 0) + b"a"
    listed = struct.pack("<4s24xHHHHHII", b"PK\1\2", 1, 0, 0, 0, 0, 0, 0) + b"a"
    number = 1_000_000
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    size = number * len(listed)
    wide = struct.pack(
        "<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, number, number, size, len(header)
    )
    where = struct.pack("<4sIQI", b"PK\6\7", 0, len(header) + size, 1)
    summary = run(tmp_path, "a.zip", header + listed * number + wide + where + end)
    assert summary["error"]["code"] == "archive_too_large"


@pytest.mark.parametrize("name", ["a.zip", "a.jsonl.gz"])
def test_room_is_a_limit_while_unpacking(tmp_path: Path, name: str) -> None:
    noise = random.Random(0).randbytes(300_000).hex().encode()
    content = zipped({"a.jsonl": noise}) if name == "a.zip" else gz(noise)
    summary = run(tmp_path, name, content, max_unpacked_bytes=100_000)
    assert summary["error"]["code"] == "archive_too_large"


def test_total_of_an_archive_counts_not_only_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HARMLESS_BYTES", 1000)
    one = {"0.jsonl": b"\n" * 6400 + GOOD.encode()}
    assert run(tmp_path, "a.zip", zipped(dict(one)))["status"] == "ready"
    files = {f"{n}.jsonl": one["0.jsonl"] for n in range(1, 900)}
    all_of_them = tmp_path / "all"
    all_of_them.mkdir()
    summary = run(all_of_them, "a.zip", zipped(dict(files)))
    assert summary["error"]["code"] == "unsafe_archive"


def test_unpacking_can_be_stopped(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    seen: list[int] = []

    def tick(done: int) -> None:
        seen.append(done)
        if len(seen) == 3:
            raise Enough

    for name, content in (
        ("a.gz", gz(random.Random(0).randbytes(2_000_000))),
        ("a.zip", zipped({"a.jsonl": random.Random(0).randbytes(2_000_000)})),
    ):
        seen.clear()
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(Enough):
            unpack([Unpacked(path, name)], tmp_path / f"{name}.out", 10**9, tick=tick)
        assert 0 < seen[0] <= seen[-1] < len(content)


def test_names_of_members_decide_nothing_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"deep/er/a.jsonl": GOOD, "名字.jsonl": GOOD}))
    found = unpack([Unpacked(path, "a.zip")], tmp_path / "out", 10**6)
    assert [each.name for each in found.files] == ["deep/er/a.jsonl", "名字.jsonl"]
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["0001", "0002"]


@pytest.mark.parametrize("codec", ["gb18030", "utf-8"])
def test_names_without_their_encoding_are_read(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.zip"
    raw = "名字".encode(codec)
    plain = b"x" * len(raw)
    content = zipped({f"{plain.decode()}.jsonl": GOOD}).replace(plain, raw)
    path.write_bytes(content)
    found = unpack([Unpacked(path, "a.zip")], tmp_path / "out", 10**6)
    assert [each.name for each in found.files] == ["名字.jsonl"]


def test_refusal_names_the_upload_of_several(tmp_path: Path) -> None:
    files = {"a.jsonl": GOOD, "b.zip": b"PK\3\4 nothing"}
    summary = run_several(tmp_path, files)
    assert summary["error"]["params"]["file"] == "b.zip"
    with pytest.raises(UnreadableFile):
        unpack([Unpacked(tmp_path / "upload1", "b.zip")], tmp_path / "x", 10**6)
