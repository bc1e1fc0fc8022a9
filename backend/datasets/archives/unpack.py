"""From what was uploaded to plain files: archives unpacked into a folder, the rest as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from backend.datasets.archives import gzip_file, members, zip_directory, zip_file
from backend.datasets.archives.limits import LeftOut, Meter, Tick, Unpacked, nested, refused
from backend.datasets.rows import UnreadableFile

# A tar archive says so here, and what a ZIP or gzip file begins with.
_TAR = (257, b"ustar")
_PACKED = (b"PK\x03\x04", gzip_file.MAGIC)


@dataclass
class Contents:
    """Files to import in their order, and what was left out."""

    files: list[Unpacked] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def unpack(
    uploads: Sequence[Unpacked],
    folder: Path,
    max_bytes: int,
    member: str | None = None,
    tick: Tick = lambda _done: None,
) -> Contents:
    """The data files of what was uploaded; `folder` is made when something must be unpacked.

    Files from archives get numbers for names: what an archive calls them decides nothing.
    `member` is the only file of the archives that is wanted. Raises `UnreadableFile`.
    """
    run = _Unpacking(folder, max_bytes, member, tick)
    for upload in uploads:
        run.add(upload, len(uploads) > 1)
    found = run.contents
    if member is not None and not found.files:
        known = ", ".join([*run.names, *(each.name for each in found.left_out)][:20])
        raise refused(
            "unknown_member",
            f"There is no file “{member[:100]}” in what was uploaded.",
            f"Choose among: {known}.",
            file=member[:100],
        )
    if not found.files:
        reasons = "; ".join(f"{each.name}: {each.reason}" for each in found.left_out[:10])
        raise refused(
            "no_data_files",
            f"There is no data file in the archive{f' ({reasons})' if reasons else ''}.",
            "Pack JSON, JSON lines, CSV, TSV, TXT or Parquet files.",
        )
    return found


class _Unpacking:
    def __init__(self, folder: Path, max_bytes: int, member: str | None, tick: Tick) -> None:
        self._folder, self._member, self._tick = folder, member, tick
        self._meter = Meter(max_bytes)
        self._number = self._before = 0
        self.contents = Contents()
        self.names: list[str] = []

    def add(self, upload: Unpacked, one_of_several: bool) -> None:
        prefix = f"{upload.name}/" if one_of_several else ""
        try:
            if zip_directory.is_zip(upload.path):
                self._add_zip(upload.path, prefix)
            elif _begins(upload.path, gzip_file.MAGIC):
                self._add_gzip(upload)
            else:
                self._add_plain(upload, one_of_several)
        except UnreadableFile as error:
            error.file = error.file or (upload.name if one_of_several else None)
            raise
        self._before += upload.path.stat().st_size

    def _add_plain(self, upload: Unpacked, one_of_several: bool) -> None:
        if _is_tar(upload.path):
            raise refused(
                "nested_archive", "This is a tar archive, which is not read.", "Pack it as ZIP."
            )
        if one_of_several and not members.is_info(upload.name):
            chosen, left_out = members.choose([upload.name])
            self.contents.left_out += left_out
            if not chosen:
                return
        self._keep(Unpacked(upload.path, upload.name))

    def _keep(self, file: Unpacked) -> None:
        self.names.append(file.name)
        if self._member in (None, file.name):
            self.contents.files.append(file)

    def _target(self) -> Path:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._number += 1
        return self._folder / f"{self._number:04}"

    def _add_gzip(self, upload: Unpacked) -> None:
        target = self._target()
        gzip_file.unpack(upload.path, target, self._meter, self._seen)
        name = PurePosixPath(upload.name)
        inner = name.stem if name.suffix.lower() in {".gz", ".gzip"} else upload.name
        _require_plain(target, inner)
        self._keep(Unpacked(target, inner))

    def _add_zip(self, path: Path, prefix: str) -> None:
        with path.open("rb") as file:
            entries = zip_directory.files_in(file)
            zip_file.require_sizes(entries, self._meter)
            begins = zip_file.places(file, entries)
            infos = [entry.filename for entry in entries if members.is_info(entry.filename)]
            rest = [entry.filename for entry in entries if entry.filename not in infos]
            chosen, left_out = members.choose(rest)
            self.contents.left_out += [LeftOut(prefix + e.name, e.reason) for e in left_out]
            for entry in entries:
                name = prefix + entry.filename
                if entry.filename not in (*infos, *chosen):
                    continue
                if self._member not in (None, name, entry.filename):
                    self.names.append(name)
                    continue
                target = self._target()
                begin = begins[entry.filename]
                zip_file.unpack(file, entry, begin, target, self._meter, self._seen)
                _require_plain(target, name)
                self.names.append(name)
                self.contents.files.append(Unpacked(target, name))

    def _seen(self, done_bytes: int) -> None:
        self._tick(self._before + done_bytes)


def _begins(path: Path, *marks: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(8).startswith(marks)


def _is_tar(path: Path) -> bool:
    place, mark = _TAR
    with path.open("rb") as file:
        file.seek(place)
        return file.read(len(mark)) == mark


def _require_plain(path: Path, name: str) -> None:
    """Raise `UnreadableFile` when what came out of an archive is one."""
    if _begins(path, *_PACKED) or _is_tar(path):
        raise nested(name)
