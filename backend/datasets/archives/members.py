"""Which files of an archive, or of several that were uploaded together, are data."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from backend.datasets.archives.limits import LeftOut, nested

INFO_FILE = "dataset_info.json"
_DATA = frozenset(
    {".json", ".jsonl", ".ndjson", ".jsonlines", ".csv", ".tsv", ".tab", ".txt", ".text"}
    | {".parquet", ".pq"}
)
_ARCHIVES = frozenset(
    {".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".zst", ".7z", ".rar", ".lz4", ".z"}
)
# What is never rows, even when there is nothing else.
_OTHER = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".webp", ".mp3", ".wav", ".mp4", ".pdf", ".doc", ".docx"}
    | {".xls", ".xlsx", ".py", ".sh", ".ipynb", ".yaml", ".yml", ".html", ".xml", ".safetensors"}
    | {".bin", ".pt", ".pth", ".onnx", ".npy", ".npz", ".arrow", ".db", ".sqlite", ".pkl"}
)
_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
_NOT_READ = "not a kind of file that is read"
_PAPERS = ("readme", "license", "licence", "copying", "changelog", "notice", "citation")


def choose(names: Sequence[str]) -> tuple[list[str], list[LeftOut]]:
    """The names of data files in their order, and the others; raises `UnreadableFile`.

    Files of an unknown kind are only taken when there is nothing else and they are of one kind.
    """
    data, unknown, left_out = [], [], []
    for name in names:
        reason = _not_data(name)
        suffix = PurePosixPath(name.lower()).suffix
        if reason is not None or suffix in _OTHER:
            left_out.append(LeftOut(name, reason or _NOT_READ))
        elif suffix in _ARCHIVES:
            raise nested(name)
        elif suffix in _DATA:
            data.append(name)
        else:
            unknown.append(name)
    if data or len({PurePosixPath(name.lower()).suffix for name in unknown}) != 1:
        left_out += [LeftOut(name, _NOT_READ) for name in unknown]
        return data, left_out
    return unknown, left_out


def _not_data(name: str) -> str | None:
    parts = PurePosixPath(name.replace("\\", "/").lower()).parts
    last = parts[-1] if parts else ""
    if "__macosx" in parts or any(part.startswith(".") for part in parts) or last in _SYSTEM:
        return "belongs to the system that packed it"
    if last.startswith(_PAPERS) and PurePosixPath(last).suffix in {"", ".md", ".txt", ".rst"}:
        return "describes the data"
    return None


def is_info(name: str) -> bool:
    """Whether this describes the other files, as LLaMA-Factory does."""
    return PurePosixPath(name.replace("\\", "/")).name == INFO_FILE
