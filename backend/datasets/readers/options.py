"""What the user says about a file, instead of having it recognised."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from backend.datasets.rows import UnreadableFile

_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_NO_DELIMITER = frozenset('"\r\n\0')


@dataclass(frozen=True)
class Options:
    """`archive_member` is the only file of an archive that is wanted."""

    encoding: str | None = None
    delimiter: str | None = None
    documents: Literal["blank_line", "file"] | None = None
    archive_member: str | None = None

    @property
    def one_document(self) -> bool:
        """Whether a text file is one document, whatever empty lines are in it."""
        return self.documents == "file"


def options_of(given: Mapping[str, Any] | None) -> Options:
    """Options as they are stored; raises `UnreadableFile` for what has no meaning."""
    given = {name: value for name, value in (given or {}).items() if value is not None}
    known = ("encoding", "delimiter", "documents", "archive_member")
    for name, value in given.items():
        if name not in known or not isinstance(value, str):
            raise _refused(name, value, f"one of {', '.join(known)}, as a text")
    delimiter = given.get("delimiter")
    if delimiter is not None:
        delimiter = _NAMED.get(delimiter.lower(), delimiter)
        if len(delimiter) != 1 or delimiter in _NO_DELIMITER:
            raise _refused("delimiter", delimiter, "a single character such as , ; | or tab")
    documents = given.get("documents")
    if documents not in (None, "blank_line", "file"):
        raise _refused("documents", documents, "blank_line or file")
    return Options(given.get("encoding"), delimiter, documents, given.get("archive_member"))


def _refused(name: str, value: object, allowed: str) -> UnreadableFile:
    return UnreadableFile(
        "bad_option",
        f"The option “{name[:40]}” can not be “{str(value)[:40]}”.",
        f"Give {allowed}, or leave it out.",
        params={"option": name[:40]},
    )
