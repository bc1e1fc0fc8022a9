"""The zip: whole, deterministic, of known length, and never of what a link points to."""

import io
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from backend.tasks import archive
from backend.tasks.archive import Member

AT = datetime(2026, 1, 2, 3, 4, 6)


def _members(folder: Path) -> list[Member]:
    (folder / "sub").mkdir()
    (folder / "weights.safetensors").write_bytes(b"w" * 3_000_001)
    (folder / "sub" / "空.txt").write_bytes(b"")
    (folder / "secret").symlink_to("/etc/hostname")
    files = archive.regular_files(folder)
    return [
        Member.of_bytes("bot/README.md", "# Ein Bär\n".encode()),
        *(Member.of_file(f"bot/artifacts/{name}", path, size) for name, path, size in files),
    ]


def test_it_is_whole_and_as_long_as_announced(tmp_path: Path) -> None:
    members = _members(tmp_path)
    content = b"".join(archive.stream(members, AT))
    assert archive.length(members) == len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == [
            "bot/README.md",
            "bot/artifacts/sub/空.txt",
            "bot/artifacts/weights.safetensors",
        ]
        assert opened.read("bot/README.md").decode() == "# Ein Bär\n"
        assert {info.compress_type for info in opened.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in opened.infolist()} == {(2026, 1, 2, 3, 4, 6)}


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    members = _members(tmp_path)
    assert b"".join(archive.stream(members, AT)) == b"".join(archive.stream(members, AT))


def test_no_chunk_is_large(tmp_path: Path) -> None:
    chunks = list(archive.stream(_members(tmp_path), AT))
    assert max(map(len, chunks)) < 2 * archive.CHUNK_BYTES


def test_a_file_that_shrinks_breaks_the_transfer_off(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    member = Member.of_file("a", tmp_path / "a", 5)
    (tmp_path / "a").write_bytes(b"123")
    with pytest.raises(archive.MemberShrank):
        list(archive.stream([member], AT))


def test_a_file_that_was_replaced_by_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    member = Member.of_file("a", tmp_path / "a", 5)
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match=r"symbolic|loop"):
        list(member.chunks())


def test_a_huge_archive_has_no_announced_length(monkeypatch: pytest.MonkeyPatch) -> None:
    member = Member("weights", archive.PLAIN_LIMIT_BYTES, lambda: [])
    assert archive.length([member]) is None
