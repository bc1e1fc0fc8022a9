"""The files of one import: each opened, its first rows read, and all of them of one format."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.datasets.archives.limits import LeftOut, Unpacked
from backend.datasets.importers import mapped
from backend.datasets.importers.importer import Fields, Importer
from backend.datasets.importing import recognition
from backend.datasets.importing.watch import Watch
from backend.datasets.readers import detect
from backend.datasets.readers.options import Options
from backend.datasets.rows import RawRow, UnreadableFile

SAMPLE_ROWS = 200
SAMPLE_BYTES = 32 * 1024 * 1024
_NOTHING_IN_IT = frozenset({"empty_file", "no_rows"})
_SHOWN = 10


@dataclass
class Part:
    """One file, how to read it, and its first rows; `name` is None when it is the only one."""

    file: Unpacked
    name: str | None
    source: detect.Source
    sample: list[RawRow]

    @property
    def rows(self) -> list[Fields]:
        """Those of the first rows that can be read."""
        return [row.fields for row in self.sample if row.fields is not None]

    @property
    def columns(self) -> list[str]:
        """In the order in which they come."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    @property
    def size_bytes(self) -> int:
        """Of the file, unpacked."""
        return self.file.path.stat().st_size


def open_parts(
    files: Sequence[Unpacked], options: Options, watch: Watch
) -> tuple[list[Part], list[LeftOut]]:
    """All files that have rows, and the others; raises `UnreadableFile`."""
    parts: list[Part] = []
    left_out: list[LeftOut] = []
    empty: UnreadableFile | None = None
    for file in files:
        name = file.name if len(files) > 1 else None
        try:
            parts.append(_open(file, name, options, watch))
        except UnreadableFile as error:
            error.file = name
            if name is None or error.code not in _NOTHING_IN_IT:
                raise
            empty = empty or error
            left_out.append(LeftOut(name, error.message))
    if not parts:
        assert empty is not None
        raise empty
    return parts, left_out


def _open(file: Unpacked, name: str | None, options: Options, watch: Watch) -> Part:
    watch.listen()
    source = detect.open_source(file.path, file.name, _is_one_row, options, watch.listen)
    sample = _first_rows(source)
    if not sample:
        raise UnreadableFile(
            "no_rows", "The file has no rows.", "Upload a file with at least one row."
        )
    return Part(file, name, source, sample)


def _first_rows(source: detect.Source) -> list[RawRow]:
    """Enough to know the file by, and no more than memory holds easily."""
    sample: list[RawRow] = []
    readable = False
    for row in source.rows():
        sample.append(row)
        readable = readable or row.fields is not None
        far = readable and (row.byte_offset or 0) > SAMPLE_BYTES
        if far or len(sample) == SAMPLE_ROWS:
            break
    return sample


def _is_one_row(value: dict[str, Any]) -> bool:
    return recognition.family_of(value) is not None


@dataclass(frozen=True)
class Agreed:
    """What all files are; without an importer the user must say which column is what, and
    `undecided` is the file to look at."""

    importer: Importer | None
    because: str
    undecided: Part


def agree(parts: Sequence[Part], mapping: dict[str, Any] | None) -> Agreed:
    """The one format of all files; raises `UnreadableFile` when they are of several."""
    if mapping is not None:
        for part in parts:
            try:
                mapped.require_columns(mapping, part.columns)
            except UnreadableFile as error:
                error.file = part.name
                raise
        return Agreed(mapped.importer(mapping), "you said which column is what", parts[0])
    found = [recognition.recognise(part.rows) for part in parts]
    formats: dict[str, list[Part]] = {}
    for part, each in zip(parts, found, strict=True):
        if each.importer is not None:
            formats.setdefault(each.importer.name, []).append(part)
    if len(formats) > 1:
        raise _mixed(formats)
    for part, each in zip(parts, found, strict=True):
        if each.importer is None:
            where = f"“{part.name}”: " if part.name else ""
            return Agreed(None, f"{_because(parts)}; {where}{each.because}", part)
    return Agreed(found[0].importer, f"{_because(parts)}; {found[0].because}", parts[0])


def _because(parts: Sequence[Part]) -> str:
    """Why the files are read as they are, with what is not certain about it."""
    reasons = list(dict.fromkeys(part.source.because for part in parts))
    doubts = dict.fromkeys((p.source.encoding, p.source.also) for p in parts if p.source.also)
    for encoding, also in doubts:
        reasons.append(
            f"the encoding {encoding} is a guess from few characters and may be "
            f"{' or '.join(also)} as well"
        )
    return "; ".join(reasons[:_SHOWN])


def _mixed(formats: dict[str, list[Part]]) -> UnreadableFile:
    named = [
        f"{', '.join(f'“{part.name}”' for part in parts[:_SHOWN])}"
        f"{' …' if len(parts) > _SHOWN else ''} {'is' if len(parts) == 1 else 'are'} {name}"
        for name, parts in formats.items()
    ]
    return UnreadableFile(
        "mixed_formats",
        f"The files are of several formats: {'; '.join(named)}.",
        "Upload those of one format together, and the others as data sets of their own.",
        params={"formats": ", ".join(formats)},
    )
