"""Which encoding a file is written in: by its mark, by proof, or by how common its letters are."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from backend.datasets.rows import UnreadableFile

CHUNK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 18
# Shares of letters that are everyday ones; a wrong guess scores a few hundredths.
ENOUGH = 0.12

# Everyday characters of each writing: enough to tell the encodings apart within a sentence.
_SIMPLIFIED = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子"
    "说产种面而方后多定行学法所民得经三之进着等部度家里如水化高自二理起小物现实加量都两体机当使点"
    "从业本去把性好应开它合还因由其些然前外天日那事平形相全表间样与关各重新线内数正心反你明看原又么"
    "请吗吧呢您谢订单货问题什没很再给让做想买钱客服"
)
_TRADITIONAL = (
    "的一是不了人我在有他這為之大來以個中上們到說國和地也子時道出而要於就下得可你年生自會那後能對著"
    "事其裡所去行過家十用發天如然作方成者多日都三小二無同麼經法當起與好看學進種將還分此心前面又定見"
    "只主沒公從請嗎吧呢您謝訂單貨問題什很再給讓做想買錢客服電話麼樣嗎這裡"
)
_KOREAN = (
    "이다는의에을를가고하은한지로기사도대서있인과리아나어자정시그일수보라해었만들으니장전부제주여"
    "오요습세면안우구것안녕감합게까와원유조상거네무내마스소생성경공비적동할"
)
_CANDIDATES = {
    "gb18030": frozenset(_SIMPLIFIED),
    "big5": frozenset(_TRADITIONAL),
    "shift_jis": frozenset(chr(c) for c in range(0x3041, 0x3097)) | frozenset("ー、。ンスルイトア"),
    "euc_kr": frozenset(_KOREAN),
}
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
}
_SAVE_AS = "Save or export it as JSON, JSON lines, CSV or plain text in UTF-8 and upload that."


@dataclass(frozen=True)
class Encoding:
    """How to decode: Python's codec, bytes to skip at the beginning, the name to show."""

    codec: str
    skip_bytes: int
    name: str


def detect(path: Path) -> Encoding:
    """The encoding of a text file; raises `UnreadableFile` for what is not text."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if not head.strip():
        raise UnreadableFile("empty_file", "The file is empty.", "Upload a file with rows.")
    for mark, codec, name in _MARKS:
        if head.startswith(mark):
            return Encoding(codec, len(mark), name)
    for magic, what in _BINARY.items():
        if head.startswith(magic):
            raise UnreadableFile("binary_file", f"This is {what}, not text.", _SAVE_AS)
    if b"\0" in head:
        return _wide(path, head)
    broken_at = _first_invalid(path)
    if broken_at is None:
        return Encoding("utf-8", 0, "utf-8")
    return _narrow(_sample_around(path, broken_at))


def _first_invalid(path: Path) -> int | None:
    """Offset of about where the file stops being UTF-8; None when all of it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return position + error.start
            position += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return position
    return None


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
    zeros = head.count(0)
    if zeros < len(head) / 5 and _first_invalid(path) is None:
        return Encoding("utf-8", 0, "utf-8")
    # What is ASCII in the text has its zero byte always on the same side.
    for codec, side in (("utf-16-le", 1), ("utf-16-be", 0)):
        if head[side::2].count(0) < 0.95 * zeros or zeros < len(head) / 100:
            continue
        try:
            head[: len(head) // 2 * 2].decode(codec, "strict")
        except UnicodeDecodeError as error:
            if error.start < len(head) - 4:  # not merely cut in the middle of a pair
                continue
        return Encoding(codec, 0, codec)
    raise UnreadableFile("binary_file", "This is a binary file, not text.", _SAVE_AS)


def _narrow(sample: bytes) -> Encoding:
    """One of the older encodings, or UTF-8 with some damaged lines."""
    text = sample.decode("utf-8", "surrogateescape")
    damaged = sum("\udc80" <= c <= "\udcff" for c in text)
    if sum(not c.isascii() for c in text) - damaged > 2 * damaged:
        return Encoding("utf-8", 0, "utf-8")
    scores = {codec: _everyday(sample, codec) for codec in _CANDIDATES}
    best = max(scores, key=scores.__getitem__)
    if scores[best] >= ENOUGH:
        return Encoding(best, 0, best)
    return _western(sample)


def _everyday(sample: bytes, codec: str) -> float:
    """Share of everyday characters among those that are not ASCII."""
    text = sample.decode(codec, "replace")
    foreign = [c for c in text if not c.isascii()]
    return sum(c in _CANDIDATES[codec] for c in foreign) / max(1, len(foreign))


def _western(sample: bytes) -> Encoding:
    """A single-byte alphabet, when it can be recognised; never a blind guess."""
    from charset_normalizer import from_bytes  # only here: most files never need it

    best = from_bytes(sample).best()
    if best is None or (not sample.isascii() and best.encoding == "ascii"):
        raise UnreadableFile(
            "unknown_encoding",
            "The encoding of this file can not be recognised.",
            "Save it as UTF-8 (in a spreadsheet: “CSV UTF-8”) and upload it again.",
        )
    codec = codecs.lookup(best.encoding).name
    return Encoding(codec, 0, codec)
