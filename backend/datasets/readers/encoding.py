"""Which encoding a file is written in: as the user says, by its mark, by proof, or by a guess."""

import codecs
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backend.datasets.readers import encoding_guess
from backend.datasets.readers.encoding_guess import CANDIDATES
from backend.datasets.rows import UnreadableFile

CHUNK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 18
# So few strange bytes among so much ASCII are damage rather than an alphabet.
STRAY_BYTES, STRAY_SHARE = 4, 0.01
# In UTF-8: bytes of a character, and values of those behind its first one and of a first one.
LONGEST_CHARACTER, CONTINUES, BEGINS = 4, 0x80, 0xC0
# Of the characters of a text, so many are everyday ones when its bytes were read in the right way.
LOOKS_LIKE_TEXT = 0.6

_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "utf-8-bom"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16-be"),
)
_BINARY = {
    b"PK\x03\x04": "a ZIP archive (or an Office document)",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"SQLite format 3": "an SQLite database",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"Rar!": "a RAR archive",
    b"ARROW1": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
}
# Single bytes without a meaning, which Python's codec lets pass as private characters.
_NO_TEXT_IN_CP932 = frozenset("\uf8f0\uf8f1\uf8f2\uf8f3\x80")
_SAVE_AS = (
    "Save or export it as JSON, JSON lines, CSV, Parquet or plain text in UTF-8 and upload that."
)
_WESTERN = frozenset("äöüÄÖÜßéèêëÉÈÊàâáãÀÂÁçÇîïíôóõÓúùûÚñÑœæøåØÅ€„“”‘’–—…«»¿¡°§£·´")
# Names that a user may give beside the families, and the codec that each means. Not any codec of
# Python's: some of those are no encodings of text, and some run code that nobody has looked at.
_NAMES = {
    "utf-8": ("utf-8",),
    "utf-16-le": ("utf-16-le",),
    "utf-16-be": ("utf-16-be",),
    **{name: each.codecs for name, each in CANDIDATES.items()},
    **{f"cp125{n}": (f"cp125{n}",) for n in range(9)},
    **{f"iso8859-{n}": (f"iso8859-{n}",) for n in (1, 2, 5, 7, 9, 15)},
    "koi8-r": ("koi8-r",),
}
_ALIASES = {
    **{"utf8": "utf-8", "utf-8-sig": "utf-8", "utf-8-bom": "utf-8", "ascii": "utf-8"},
    **{"utf-16le": "utf-16-le", "utf-16be": "utf-16-be"},
    **{"gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030"},
    **{"cp950": "big5", "big5hkscs": "big5", "big5-hkscs": "big5"},
    **{"shift-jis": "shift_jis", "sjis": "shift_jis", "cp932": "shift_jis"},
    **{"euc-kr": "euc_kr", "cp949": "euc_kr", "uhc": "euc_kr"},
    **{"latin-1": "iso8859-1", "latin1": "iso8859-1", "iso-8859-1": "iso8859-1"},
    **{f"windows-125{n}": f"cp125{n}" for n in range(9)},
}


@dataclass(frozen=True)
class Encoding:
    """How to decode: Python's codec, bytes to skip at the beginning, the name to show.

    `also` names encodings that the file may be written in as well: it is too short to tell.
    """

    codec: str
    skip_bytes: int
    name: str
    also: tuple[str, ...] = ()


Listen = Callable[[], None]


def detect(path: Path, listen: Listen = lambda: None) -> Encoding:
    """The encoding of a text file; raises `UnreadableFile` for what is not text.

    `listen` is called now and then and may raise to end it.
    """
    head = _head(path)
    for mark, codec, name in _MARKS:
        if head.startswith(mark):
            return Encoding(codec, len(mark), name)
    for magic, what in _BINARY.items():
        if head.startswith(magic):
            raise UnreadableFile("binary_file", f"This is {what}, not text.", _SAVE_AS)
    if b"\0" in head:
        return _wide(path, head)
    broken_at = _first_invalid(path, "utf-8", listen)
    if broken_at is None:
        return Encoding("utf-8", 0, "utf-8")
    return _narrow(path, _sample_around(path, broken_at), listen)


def named(path: Path, name: str, listen: Listen = lambda: None) -> Encoding:
    """The encoding that the user says it is; raises `UnreadableFile` for one that is not known."""
    head = _head(path)
    wanted = name.strip().lower()
    wanted = _ALIASES.get(wanted, wanted)
    if wanted == "utf-16":
        wanted = "utf-16-be" if head.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
    if wanted not in _NAMES:
        raise UnreadableFile(
            "unsupported_encoding",
            f"“{name[:40]}” is not an encoding that can be read.",
            f"Choose one of: {', '.join(_NAMES)}; or leave it out to have it recognised.",
            params={"encoding": name[:40]},
        )
    for mark, codec, shown in _MARKS:
        if codec == wanted and head.startswith(mark):
            return Encoding(codec, len(mark), shown)
    return Encoding(_fitting(path, _NAMES[wanted], listen), 0, wanted)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if not head.strip():
        raise UnreadableFile("empty_file", "The file is empty.", "Upload a file with rows.")
    return head


def _fitting(path: Path, choices: tuple[str, ...], listen: Listen) -> str:
    """The first of related codecs that reads all of the file, else the first one."""
    if len(choices) > 1:
        for codec in choices:
            if _first_invalid(path, codec, listen) is None:
                return codec
    return choices[0]


def _first_invalid(path: Path, codec: str, listen: Listen) -> int | None:
    """Offset of about where the file stops being in this encoding; None when all of it is."""
    if codec == "utf-8" and _all_valid(path, listen):
        return None
    decoder = codecs.getincrementaldecoder(codec)()
    position = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            listen()
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return position + error.start
            if codec == "cp932" and not _NO_TEXT_IN_CP932.isdisjoint(text):
                return position
            position += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return position
    return None


def _all_valid(path: Path, listen: Listen) -> bool:
    """Whether all of the file is UTF-8: compiled code says so several times faster than a decoder,
    and does not say where it is not."""
    rest = b""
    with path.open("rb") as file:
        while block := file.read(CHUNK_BYTES):
            listen()
            block = rest + block
            end = _end_of_characters(block)
            if not _is_utf8(block[:end]):
                return False
            rest = block[end:]
    return _is_utf8(rest)


def _end_of_characters(block: bytes) -> int:
    """Where the last character of UTF-8 begins when it may go on behind the block, else its end."""
    for back in range(1, min(LONGEST_CHARACTER, len(block)) + 1):
        byte = block[-back]
        if not CONTINUES <= byte < BEGINS:
            return len(block) - back if byte >= BEGINS else len(block)
    return len(block)


def _is_utf8(content: bytes) -> bool:
    import pyarrow as pa  # who only names encodings needs none of it

    ends = pa.py_buffer(struct.pack("=qq", 0, len(content)))
    text = pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(content)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _sample_around(path: Path, offset: int) -> bytes:
    """Whole lines (as far as there are any) around the first byte that is not UTF-8."""
    with path.open("rb") as file:
        start = max(0, offset - SAMPLE_BYTES // 2)
        file.seek(start)
        sample = file.read(SAMPLE_BYTES)
    first, last = sample.find(b"\n", 0, offset - start), sample.rfind(b"\n", offset - start)
    return sample[first + 1 if start else 0 : last if last > 0 else None]


def _wide(path: Path, head: bytes) -> Encoding:
    """UTF-16 without a mark, UTF-8 with stray zero bytes, or not text at all."""
    if head.count(0) < len(head) / 5 and _first_invalid(path, "utf-8", lambda: None) is None:
        return Encoding("utf-8", 0, "utf-8")
    found = _unmarked_wide(head)
    if found is None:
        raise UnreadableFile("binary_file", "This is a binary file, not text.", _SAVE_AS)
    return found


def _unmarked_wide(head: bytes) -> Encoding | None:
    """UTF-16 without a mark, in the order of bytes that makes words of it."""
    best, codec = 0.0, ""
    for each in ("utf-16-le", "utf-16-be"):
        score = encoding_guess.wide_score(head.decode(each, "replace"))
        if score > best:
            best, codec = score, each
    return Encoding(codec, 0, codec) if best >= LOOKS_LIKE_TEXT else None


def _narrow(path: Path, sample: bytes, listen: Listen) -> Encoding:
    """One of the older encodings, UTF-8 with some damaged lines, or UTF-16 without any ASCII."""
    text = sample.decode("utf-8", "surrogateescape")
    damaged = sum("\udc80" <= c <= "\udcff" for c in text)
    if sum(not c.isascii() for c in text) - damaged > 2 * damaged:
        return Encoding("utf-8", 0, "utf-8")
    found = encoding_guess.guess(sample)
    if found is not None:
        codec = _fitting(path, CANDIDATES[found.name].codecs, listen)
        return Encoding(codec, 0, found.name, found.also)
    if path.stat().st_size % 2 == 0 and (wide := _unmarked_wide(_head(path))) is not None:
        return wide
    return _western(sample)


def _western(sample: bytes) -> Encoding:
    """A single-byte alphabet, when it can be recognised; the facts say that it is a guess."""
    text = sample.decode("cp1252", "replace")
    foreign = [c for c in text if not c.isascii()]
    if sum(c in _WESTERN for c in foreign) > 0.9 * len(foreign):
        return Encoding("cp1252", 0, "cp1252", ("cp1250", "iso8859-15"))
    if len(foreign) <= STRAY_BYTES and len(foreign) < STRAY_SHARE * len(text):
        return Encoding("utf-8", 0, "utf-8")  # with damage, which the report names
    from charset_normalizer import from_bytes  # only here: most files never need it

    best = from_bytes(sample).best()
    name = codecs.lookup(best.encoding).name if best is not None else ""
    if name not in _NAMES or name in CANDIDATES or name.startswith("utf"):
        raise UnreadableFile(
            "unknown_encoding",
            "The encoding of this file can not be recognised.",
            "Save it as UTF-8 (in a spreadsheet: “CSV UTF-8”) and upload it again, or say which "
            "encoding it is.",
        )
    others = [each for each in ("cp1251", "koi8-r", "cp1250", "cp1252") if each != name]
    return Encoding(name, 0, name, tuple(others))
