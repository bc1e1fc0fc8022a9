"""Pointers of Git LFS: a few lines that stand in a repository for a large file."""

import re
from pathlib import Path

from backend.datasets.rows import UnreadableFile

MAX_POINTER_BYTES = 1024  # says its specification
_BEGINNING = b"version https://git-lfs.github.com/spec/"
_SIZE = re.compile(rb"^size (\d{1,18})\r?$", re.MULTILINE)


def refuse_pointer(path: Path) -> None:
    """Raise `UnreadableFile` when the file is only a pointer to the one that was meant."""
    with path.open("rb") as file:
        content = file.read(MAX_POINTER_BYTES + 1)
    if not content.startswith(_BEGINNING) or len(content) > MAX_POINTER_BYTES:
        return
    size = _SIZE.search(content)
    about = f" (of {int(size[1]):,} bytes)" if size else ""
    raise UnreadableFile(
        "lfs_pointer",
        f"This is only a pointer of Git LFS, not the file itself{about}.",
        "Run `git lfs pull` in the repository and upload the real file.",
    )
