"""The list of files in a ZIP archive, checked before a byte of them is unpacked."""

import stat
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from backend.datasets.archives.limits import MAX_ENTRIES, damaged, refused, too_large, unsafe
from backend.datasets.rows import UnreadableFile

# The whole list of files; a longer one has more files than are allowed.
MAX_LIST_BYTES = 1024 * 1024
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8_NAMES = 0x800
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
_WRONG = (
    *(zipfile.BadZipFile, NotImplementedError, struct.error, ValueError),
    *(EOFError, LookupError, OverflowError),
)


class _Guarded:
    """A file that refuses to be read in one piece beyond the limit: the list comes so."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > MAX_LIST_BYTES:
            raise too_large(f"more than {MAX_ENTRIES} files")
        return self._file.read(size)


def files_in(file: BinaryIO) -> list[zipfile.ZipInfo]:
    """The files of the archive, safe to unpack, by name; raises `UnreadableFile`."""
    try:
        with zipfile.ZipFile(_Guarded(file)) as archive:
            entries = archive.infolist()
    except _WRONG as error:
        raise damaged(str(error) or type(error).__name__) from None
    if len(entries) > MAX_ENTRIES:
        raise too_large(f"{len(entries)} files, and {MAX_ENTRIES} may be in it")
    for entry in entries:
        entry.filename = _readable(entry)
        _require_safe(entry)
    if any(entry.filename == "[Content_Types].xml" for entry in entries):
        raise UnreadableFile(
            "binary_file",
            "This is an Office document, not a data file.",
            "Export its sheet as “CSV UTF-8” and upload that.",
        )
    _require_once(entry.filename.rstrip("/") for entry in entries)
    files = [entry for entry in entries if not entry.is_dir()]
    return sorted(files, key=lambda entry: entry.filename)


def _readable(entry: zipfile.ZipInfo) -> str:
    """The name as it was meant: archives of other systems often do not say how it is written."""
    name = entry.orig_filename
    if entry.flag_bits & _UTF8_NAMES or name.isascii():
        return name
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return name


def _require_safe(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    shown = name[:100].encode("utf-8", "backslashreplace").decode()
    parts = name.replace("\\", "/").rstrip("/").split("/")
    if not name or any(ord(c) < ord(" ") for c in name) or len(name) > 1000:
        raise unsafe(f"“{shown!r}” is no name for a file")
    if not parts[0] or ":" in parts[0] or ".." in parts:
        raise unsafe(f"“{shown}” would lie outside of its folder")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise unsafe(f"“{shown}” is a link or a device")
    if entry.flag_bits & _ENCRYPTED:
        raise refused(
            "encrypted_archive",
            f"“{shown}” in the archive is encrypted.",
            "Pack the files again without a password.",
            file=shown,
        )
    if entry.compress_type not in _METHODS:
        raise refused(
            "archive_method",
            f"“{shown}” is packed with a method that is not read here.",
            "Pack the files again as an ordinary ZIP archive (method Deflate).",
            file=shown,
        )


def _require_once(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        normal = name.replace("\\", "/")
        if normal in seen:
            raise unsafe(f"“{name[:100]}” is in it twice")
        seen.add(normal)


def is_zip(path: Path) -> bool:
    """Whether the file begins like a ZIP archive, also an empty one."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
